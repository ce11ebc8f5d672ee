"""`tessera try-thresholds`: what it foretells is what the gate does under the other policy."""

import random
from pathlib import Path

import polars as pl
import pytest

from commands import Tessera
from tessera.cohort.decisions import Measured, decide, decisions
from tessera.cohort.thresholds import try_thresholds
from tessera.schemas.qc_policy import QcPolicy, QcRule

RULES = (
    QcRule("mean_autosome_coverage", min=15),
    QcRule("call_rate", min=0.95),
    QcRule("het_hom_ratio", min=1.0, max=2.2),
    QcRule("sex_karyotype", equals="declared"),
)
CODES = ["DUO:0000042"]


def node(seed: int, people: int) -> tuple[pl.DataFrame, Measured]:
    """People of any quality, some without reads, some withdrawn; many values are equal."""
    chance = random.Random(seed)
    rows, reads, calls = [], [], []
    for at in range(people):
        name, kind = f"p{at:03}", chance.choice(["bam", "bam", "gvcf"])
        consent = chance.choice(["DUO:0000042"] * 8 + ["DUO:0000004", "withdrawn"])
        withdrawn = consent == "withdrawn"
        rows.append(
            {
                "sample": name,
                "sex": "XX",
                "consent": consent,
                "consent_stated": True,
                "withdrawn": withdrawn,
                "kind": kind,
            }
        )
        if kind == "bam":
            karyotype = chance.choice(["XX"] * 9 + ["XY"])
            reads.append(
                {"sample": name, "mean_autosome_coverage": round(chance.gauss(18, 4)), "sex_karyotype": karyotype}
            )
        calls.append(
            {
                "sample": name,
                "call_rate": round(min(1, chance.gauss(0.97, 0.02)), 2),
                "het_hom_ratio": chance.choice([None, round(chance.gauss(1.6, 0.5), 1)]),
            }
        )
    return pl.DataFrame(rows), Measured(pl.DataFrame(reads), pl.DataFrame(calls, infer_schema_length=None))


def counted(people: pl.DataFrame, measured: Measured, rules: tuple[QcRule, ...]) -> set[str]:
    judged = decide(people, measured, policy=QcPolicy(rules), consent=CODES)
    return set(decisions(people, judged).filter(pl.col("counted"))["sample"])


@pytest.mark.parametrize("seed", range(5))
def test_every_line_is_what_the_gate_does_under_that_policy(seed: int) -> None:
    people, measured = node(seed, 150)
    details = decide(people, measured, policy=QcPolicy(RULES), consent=CODES).with_columns(policy=pl.lit("x"))
    now = counted(people, measured, RULES)
    table = try_thresholds(details, [])
    assert set(table["metric"]) == {"mean_autosome_coverage", "call_rate", "het_hom_ratio"}
    assert len(table) > 15
    for metric, bound, before, then, number, gained, lost in table.iter_rows():
        rules = tuple(QcRule(**{**vars(rule), bound: then}) if rule.metric == metric else rule for rule in RULES)
        assert getattr(next(rule for rule in RULES if rule.metric == metric), bound) == before
        after = counted(people, measured, rules)
        assert (number, gained, lost) == (len(after), len(after - now), len(now - after))


def test_bounds_move_until_one_two_and_five_people_move() -> None:
    values = [10.0, 12.0, 13.0, 14.0, 20.0, 21.0, 22.0, 23.0]
    details = pl.DataFrame(
        {
            "sample": [f"p{at}" for at in range(8)],
            "rule": ["qc:mean_autosome_coverage"] * 8,
            "value": [str(value) for value in values],
            "threshold": [">= 15"] * 8,
            "passed": [value >= 15 for value in values],
            "policy": ["x"] * 8,
        }
    )
    table = try_thresholds(details, [])
    assert table.select("then", "counted", "gained", "lost").rows() == [
        (13.0, 6, 2, 0), (14.0, 5, 1, 0), (15.0, 4, 0, 0), (21.0, 3, 0, 1), (22.0, 2, 0, 2),
    ]  # fmt: skip


@pytest.fixture
def details(tmp_path: Path) -> Path:
    people, measured = node(1, 150)
    judged = decide(people, measured, policy=QcPolicy(RULES), consent=CODES).with_columns(policy=pl.lit("x"))
    path = tmp_path / "decisions.details.tsv"
    judged.write_csv(path, separator="\t", quote_style="never")
    return path


def test_given_bounds_are_tried_one_by_one(tessera: Tessera, details: Path) -> None:
    people, measured = node(1, 150)
    done = tessera(
        "try-thresholds", details, "--bound", "call_rate", "min", "0.9", "--bound", "het_hom_ratio", "max", "5"
    )
    assert done.code == 0, done.err
    header, *rows = (line.split("\t") for line in done.text.splitlines())
    assert header == ["metric", "bound", "now", "then", "counted", "gained", "lost"]
    assert [row[:4] for row in rows] == [["call_rate", "min", "0.95", "0.9"], ["het_hom_ratio", "max", "2.2", "5.0"]]
    looser = (RULES[0], QcRule("call_rate", min=0.9), *RULES[2:])
    assert int(rows[0][4]) == len(counted(people, measured, looser)) > len(counted(people, measured, RULES))


@pytest.mark.parametrize("bound", [("call_rate", "max"), ("yield_bp_q30", "min"), ("sex_karyotype", "min")])
def test_a_bound_that_the_policy_does_not_have_is_refused(
    tessera: Tessera, details: Path, bound: tuple[str, str]
) -> None:
    done = tessera("try-thresholds", details, "--bound", *bound, "1")
    assert done.code == 2
    assert f"--bound: {bound[0]} {bound[1]}; expected one of mean_autosome_coverage min, call_rate min" in done.err


def test_a_table_of_another_kind_is_refused(tessera: Tessera, tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("sample\tcounted\treason\na\ttrue\t\n")
    done = tessera("try-thresholds", tmp_path / "x.tsv")
    assert done.code == 2
    assert "x.tsv line 1: the columns sample, counted, reason" in done.err


def test_a_value_that_is_no_number_is_refused(tessera: Tessera, details: Path) -> None:
    details.write_text(details.read_text().replace("qc:call_rate\t0.9", "qc:call_rate\thigh0.9", 1))
    done = tessera("try-thresholds", details)
    assert done.code == 2
    assert "qc:call_rate of 'high0.9" in done.err
