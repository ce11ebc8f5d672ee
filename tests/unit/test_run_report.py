"""The run's report: its sums, its sentences, its look."""

from dataclasses import replace

import polars as pl

from tessera.report.run_report import Comparison, Scope, build_report, count_variants, reasons, report_text

NODES = [Scope("alder", 8, {"consent": 1, "qc:call_rate": 2}, 1200), Scope("birch", 5, {}, 900)]
MERGED = Scope("merged", 13, {"consent": 1, "qc:call_rate": 2}, 1500)


def leaf(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    """A leaf table of SNVs by pos, n_het, n_homalt, n_hemi; a variant may have several strata."""
    table = pl.DataFrame(rows, schema=["pos", "n_het", "n_homalt", "n_hemi"], orient="row")
    return table.with_columns(contig=pl.lit("chr1"), ref=pl.lit("A"), alt=pl.lit("C"))


def test_a_variant_is_counted_once_whatever_its_strata_and_only_when_carried() -> None:
    assert count_variants([leaf((1, 1, 0, 0), (1, 0, 2, 0), (2, 0, 0, 0)), leaf((9, 0, 0, 1))]) == 2
    assert count_variants([]) == 0


def test_reasons_are_people_by_code() -> None:
    decisions = pl.DataFrame(
        {
            "sample": ["a", "b", "c"],
            "counted": [True, False, False],
            "reason": ["", "consent;qc:call_rate", "withdrawn"],
        }
    )
    assert reasons(decisions) == {"consent;qc:call_rate": 1, "withdrawn": 1}


def test_the_text_says_who_was_counted_and_that_the_sum_is_right() -> None:
    report = build_report(NODES, MERGED, [Comparison("federation", 1234), Comparison("alder", 50)])
    text = report_text(report, {"merged summary": "results/federation/summary"})
    assert "  alder         8            3     1,200\n" in text
    assert "  merged       13            3     1,500\n" in text
    assert "alder: qc:call_rate  2\n" in text
    assert "merged == pooled: yes (1,234 numbers compared)\n" in text
    assert "each node == its expected counts: yes (50 numbers compared)\n" in text
    assert "not screened" in text
    assert text.endswith("  merged summary  results/federation/summary\n")


def test_without_true_numbers_nothing_is_claimed() -> None:
    text = report_text(build_report(NODES, MERGED, []), {"here": "there"})
    assert "merged == pooled: not checked" in text
    assert "each node" not in text


def test_an_an_that_is_an_interval_is_said() -> None:
    merged = Scope("merged", 13, {}, 1500, exact=False)
    assert "AN is an interval" in report_text(build_report(NODES, merged, []), {"here": "there"})


def test_metrics_are_told_by_node_with_n_mean_and_sd() -> None:
    coverage = {"mean_autosome_coverage": {"n": 8, "mean": 30.5, "sd": None}}
    report = build_report([replace(NODES[0], metrics=coverage), NODES[1]], MERGED, [])
    assert report["nodes"]["alder"]["metrics"] == coverage
    assert report["nodes"]["birch"]["metrics"] == report["merged"]["metrics"] == {}


def test_pairs_to_review_are_told_by_node_and_degree() -> None:
    nodes = [replace(NODES[0], related={"duplicate": 1, "first": 12}), replace(NODES[1], related={})]
    report = build_report(nodes, MERGED, [])
    assert report["nodes"]["alder"]["related_pairs"] == {"duplicate": 1, "first": 12}
    assert report["nodes"]["birch"]["related_pairs"] == {}
    text = report_text(report, {"here": "there"})
    assert "by degree\n  alder: duplicate   1\n  alder: first      12\n" in text
    assert "To review" not in report_text(build_report(NODES, MERGED, []), {"here": "there"})
