"""Who is counted: consent and quality of each person against what the node declared."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from tessera.errors import InputError, Problem
from tessera.schemas import wgs_qc
from tessera.schemas.consent import consent_reason
from tessera.schemas.qc_policy import QcPolicy, QcRule
from tessera.schemas.relatives import RELATIVES
from tessera.schemas.samples import CALLED_KINDS

#: metrics that are measured on alignments; the others are measured on calls
ALIGNMENT_METRICS = frozenset(wgs_qc.ALIGNMENT_METRICS) | {"sex_karyotype"}

KINSHIP, X_HETEROZYGOSITY = "max_kinship", "x_heterozygosity"
FIND = "Look for them: tessera find-relatives."
#: copies of X of a karyotype, and the share of heterozygous SNVs that only two copies or more reach: people with one
#: have next to none, people with two more than half, children of cousins somewhat less
COPIES_OF_X = {"XX": 2, "XY": 1, "X0": 1, "XXY": 2, "XYY": 1, "XXX": 3}
TWO_COPIES = 0.2


@dataclass(frozen=True)
class Measured:
    """One row per sample that was measured: `sample` and its metrics, on alignments and on calls.

    `relatives` has a row per pair of related people (schemas/relatives); None where nobody looked for them.
    """

    alignments: pl.DataFrame
    variants: pl.DataFrame
    relatives: pl.DataFrame | None = None

    def of(self, metric: str) -> pl.DataFrame:
        """`sample`, `value` of one metric; no rows when nothing was measured."""
        if metric == KINSHIP:
            return self._highest_kinship()
        table = self.alignments if metric in ALIGNMENT_METRICS else self.variants
        if metric not in table.columns:
            return pl.DataFrame(schema={"sample": pl.String, "value": pl.Null})
        return table.select("sample", pl.col(metric).alias("value"))

    def _highest_kinship(self) -> pl.DataFrame:
        """Of those who have relatives; the others have no row, for the table lists pairs."""
        pairs = RELATIVES.empty if self.relatives is None else self.relatives
        both = [pairs.select(pl.col(name).alias("sample"), value="kinship") for name in ("sample_1", "sample_2")]
        return pl.concat(both).group_by("sample").agg(pl.col("value").max()).sort("sample")


def decide(people: pl.DataFrame, measured: Measured, *, policy: QcPolicy, consent: Sequence[str]) -> pl.DataFrame:
    """Judge each person by each rule that applies: rows of DETAILS (schemas/decisions), without its `policy`.

    `people` has sample, sex, consent, consent_stated, withdrawn and kind, one row per person; `consent` lists the
    codes that permit counting. A withdrawn person is judged by nothing else. A person of a sheet without consent
    column is not judged by consent. Raises InputError when a metric is missing which a person's input should give.
    """
    present = people.filter(~pl.col("withdrawn"))
    judged = [_withdrawn(people), _consent(present, consent)]
    problems: list[Problem] = []
    for rule in policy.rules:
        own = present.filter(pl.col("kind").is_in(CALLED_KINDS)) if rule.metric in ALIGNMENT_METRICS else present
        values = own.join(measured.of(rule.metric), on="sample", how="left", maintain_order="left")
        if rule.metric == KINSHIP and measured.relatives is None:
            problems.append(Problem(f"rule {KINSHIP}", "nobody looked for relatives", "--relatives", FIND))
        if rule.metric == KINSHIP:
            judged.append(_judge(values, rule))
            continue
        problems += _missing(own.filter(pl.col("kind").is_not_null()), measured, rule.metric)
        judged.append(_judge(values, rule))
    if problems:
        raise InputError(problems)
    if measured.relatives is not None:
        judged.append(_to_review(present, measured.relatives))
    return pl.concat(judged)


def decisions(people: pl.DataFrame, details: pl.DataFrame) -> pl.DataFrame:
    """DECISIONS of the judged people, in the order of `people`: counted unless a rule was not passed."""
    reasons = (
        details.filter(~pl.col("passed")).group_by("sample").agg(pl.col("rule").sort().str.join(";").alias("reason"))
    )
    return (
        people.select("sample")
        .join(reasons, on="sample", how="left", maintain_order="left")
        .select("sample", counted=pl.col("reason").is_null(), reason=pl.col("reason").fill_null(""))
    )


def _withdrawn(people: pl.DataFrame) -> pl.DataFrame:
    gone = people.filter(pl.col("withdrawn"))
    return _rows(gone, "withdrawn", pl.col("consent"), "not withdrawn", passed=pl.lit(value=False))


def _consent(people: pl.DataFrame, codes: Sequence[str]) -> pl.DataFrame:
    stated = people.filter(pl.col("consent_stated"))
    passed = consent_reason(codes) == ""
    return _rows(stated, "consent", pl.col("consent"), " or ".join(codes), passed=passed)


def _to_review(people: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """A row for each of a pair: it names the other, and stops nobody from being counted."""
    turned = pairs.rename({"sample_1": "sample_2", "sample_2": "sample_1"}).select(pairs.columns)
    both = pl.concat([pairs, turned]).rename({"sample_1": "sample", "sample_2": "other"}).sort("sample", "other")
    rule = pl.when(pl.col("relation") == "duplicate").then(pl.lit("duplicate_of")).otherwise(pl.lit("relative"))
    return (
        people.select("sample")
        .join(both, on="sample", how="inner", maintain_order="left_right")
        .select(
            "sample",
            rule=rule,
            value=pl.format("{}, {}, kinship {}", "other", "relation", "kinship"),
            threshold=pl.lit("review"),
            passed=pl.lit(value=True),
        )
    )


def _judge(values: pl.DataFrame, rule: QcRule) -> pl.DataFrame:
    """Rows for people with a value; a value of null says that the input has nothing to measure it by."""
    value = pl.col("value")
    if rule.metric == X_HETEROZYGOSITY:
        copies = pl.col("sex").replace_strict(COPIES_OF_X, default=None)
        passed = value.is_null() | copies.is_null() | ((value.cast(pl.Float64) >= TWO_COPIES) == (copies >= 2))
        bound = pl.when(copies >= 2).then(pl.lit(f">= {TWO_COPIES}")).when(copies == 1).then(pl.lit(f"< {TWO_COPIES}"))
        return _rows(values, f"qc:{rule.metric}", value, bound.otherwise("sex"), passed=passed)
    if rule.equals == "declared":
        passed = value.is_null() | (pl.col("sex") == "NA") | (value.cast(pl.String) == pl.col("sex"))
        return _rows(values, f"qc:{rule.metric}", value, pl.col("sex"), passed=passed)
    low = pl.lit(value=True) if rule.min is None else value >= rule.min
    high = pl.lit(value=True) if rule.max is None else value <= rule.max
    return _rows(values, f"qc:{rule.metric}", value, _bounds(rule), passed=(low & high).fill_null(value=True))


def _rows(
    people: pl.DataFrame, rule: str, value: pl.Expr, threshold: str | pl.Expr, *, passed: pl.Expr
) -> pl.DataFrame:
    return people.select(
        "sample",
        rule=pl.lit(rule),
        value=value.cast(pl.String).fill_null(""),
        threshold=pl.lit(threshold) if isinstance(threshold, str) else threshold,
        passed=passed,
    )


def _bounds(rule: QcRule) -> str:
    low = f">= {rule.min}" if rule.min is not None else ""
    high = f"<= {rule.max}" if rule.max is not None else ""
    return " and ".join(filter(None, (low, high)))


def _missing(people: pl.DataFrame, measured: Measured, metric: str) -> list[Problem]:
    absent = people.join(measured.of(metric), on="sample", how="anti", maintain_order="left")
    source = "alignments" if metric in ALIGNMENT_METRICS else "calls"
    remedy = f"Measure it: tessera measure-{source.replace('calls', 'variants')}."
    return [
        Problem(f"sample {name}", f"no {metric}", f"a metric of its {source}, for the policy asks for it", remedy)
        for name in absent["sample"]
    ]
