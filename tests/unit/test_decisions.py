"""Consent and quality decide who is counted, and the reason is always said."""

import polars as pl
import pytest

from tessera.cohort.decisions import Measured, decide, decisions
from tessera.errors import InputError
from tessera.schemas.decisions import DECISIONS
from tessera.schemas.qc_policy import QcPolicy, QcRule

POLICY = QcPolicy(
    (
        QcRule("mean_autosome_coverage", min=20),
        QcRule("pct_reads_mapped", min=95),
        QcRule("sex_karyotype", equals="declared"),
        QcRule("call_rate", min=0.9),
        QcRule("het_hom_ratio", min=0.5, max=3),
    )
)
CODES = ["DUO:0000042"]


def person(sample: str, **changes: object) -> dict[str, object]:
    """A person with reads whose consent permits counting."""
    usual = {
        "sample": sample,
        "sex": "XX",
        "consent": "DUO:0000042",
        "consent_stated": True,
        "withdrawn": False,
        "kind": "fastq",
    }
    return {**usual, **changes}


def measured(*samples: str, **changes: object) -> Measured:
    """Good metrics of these samples, but for the changes."""
    good = {
        "mean_autosome_coverage": 31.0,
        "pct_reads_mapped": 99.0,
        "sex_karyotype": "XX",
        "call_rate": 0.99,
        "het_hom_ratio": 1.6,
    }
    table = pl.DataFrame([{"sample": sample, **good, **changes} for sample in samples])
    return Measured(
        table.select("sample", "mean_autosome_coverage", "pct_reads_mapped", "sex_karyotype"),
        table.select("sample", "call_rate", "het_hom_ratio"),
    )


def reasons(people: list[dict[str, object]], metrics: Measured) -> dict[str, str]:
    """Sample -> reason."""
    frame = pl.DataFrame(people)
    decided = decisions(frame, decide(frame, metrics, policy=POLICY, consent=CODES))
    assert decided.schema == DECISIONS.schema
    assert (decided["counted"] == (decided["reason"] == "")).all()
    return dict(decided.select("sample", "reason").iter_rows())


def test_a_good_person_is_counted() -> None:
    assert reasons([person("a")], measured("a")) == {"a": ""}


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("mean_autosome_coverage", 19.99),
        ("pct_reads_mapped", 94.9),
        ("sex_karyotype", "XY"),
        ("sex_karyotype", "ambiguous"),
        ("call_rate", 0.5),
        ("het_hom_ratio", 0.4),
        ("het_hom_ratio", 3.1),
    ],
)
def test_each_metric_beyond_its_bound_is_a_reason(metric: str, value: object) -> None:
    assert reasons([person("a")], measured("a", **{metric: value})) == {"a": f"qc:{metric}"}


def test_a_bound_itself_is_counted() -> None:
    assert reasons([person("a")], measured("a", mean_autosome_coverage=20.0, het_hom_ratio=3.0)) == {"a": ""}


def test_several_reasons_are_sorted_and_joined() -> None:
    people = [person("a", consent="DUO:0000007")]
    assert reasons(people, measured("a", pct_reads_mapped=1.0, call_rate=0.1)) == {
        "a": "consent;qc:call_rate;qc:pct_reads_mapped"
    }


def test_a_withdrawn_person_has_no_metrics_and_one_reason() -> None:
    people = [person("a", consent="withdrawn", withdrawn=True), person("b")]
    assert reasons(people, measured("b")) == {"a": "withdrawn", "b": ""}


def test_a_sheet_without_consent_counts_everybody() -> None:
    assert reasons([person("a", consent=None, consent_stated=False)], measured("a")) == {"a": ""}


def test_a_karyotype_that_nobody_declared_is_not_compared() -> None:
    assert reasons([person("a", sex="NA")], measured("a", sex_karyotype="XXY")) == {"a": ""}


def test_a_person_who_came_with_calls_has_no_alignments_to_judge() -> None:
    metrics = measured("a")
    calls_only = Measured(metrics.alignments.clear(), metrics.variants)
    assert reasons([person("a", kind="gvcf")], calls_only) == {"a": ""}


def test_nothing_to_measure_is_no_reason() -> None:
    assert reasons([person("a")], measured("a", het_hom_ratio=None, sex_karyotype=None)) == {"a": ""}


def test_metrics_that_are_missing_stop_the_gate_and_all_are_named() -> None:
    frame = pl.DataFrame([person("a"), person("b"), person("c", withdrawn=True, consent="withdrawn")])
    with pytest.raises(InputError) as caught:
        decide(frame, measured("b"), policy=POLICY, consent=CODES)
    assert len(caught.value.problems) == len(POLICY.rules)
    assert "sample a: no call_rate" in str(caught.value)


def test_details_say_value_and_threshold() -> None:
    frame = pl.DataFrame([person("a")])
    rows = decide(frame, measured("a", call_rate=0.5), policy=POLICY, consent=CODES).rows_by_key("rule", named=True)
    assert rows["qc:call_rate"] == [{"sample": "a", "value": "0.5", "threshold": ">= 0.9", "passed": False}]
    assert rows["consent"][0]["passed"]


def test_the_order_is_the_sheets() -> None:
    people = [person(name) for name in ("z", "a", "m")]
    assert list(reasons(people, measured("a", "m", "z"))) == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("sex", "value", "counted"),
    [
        ("XX", 0.55, True),
        ("XX", 0.02, False),
        ("XY", 0.02, True),
        ("XY", 0.55, False),
        ("XXY", 0.5, True),
        ("X0", 0.5, False),
        ("XYY", 0.0, True),
        ("NA", 0.0, True),
        ("XX", None, True),
    ],
)
def test_heterozygosity_of_x_is_held_against_the_declared_copies(sex: str, value: float | None, counted: bool) -> None:
    people = pl.DataFrame([person("a", sex=sex)])
    table = pl.DataFrame(
        {"sample": ["a"], "x_heterozygosity": [value]}, schema_overrides={"x_heterozygosity": pl.Float64}
    )
    policy = QcPolicy((QcRule("x_heterozygosity", equals="declared"),))
    details = decide(people, Measured(table.select("sample"), table), policy=policy, consent=CODES)
    reason = decisions(people, details)["reason"][0]
    assert reason == ("" if counted else "qc:x_heterozygosity")
