"""Summaries of the synthetic nation, added in whatever parts and order, are what its makers know of all together."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from commands import Bcftools
from nation import Nation, files_of, run
from tessera.files.summaries import SummaryFolder
from tessera.report.truth import compare_histograms, compare_variants
from tessera.schemas.truth import TRUE_HISTOGRAMS, TRUE_VARIANTS
from tessera.summary.blocks import Block

SCOPES = {"birch": ["birch"], "cedar": ["cedar"], "both": ["birch", "cedar"]}


def blocks(summary: Path) -> list[Block]:
    """All blocks of a summary."""
    return [block for _, block in SummaryFolder(summary).blocks()]


@pytest.mark.parametrize("name", sorted(SCOPES))
def test_every_variant_in_every_stratum_has_the_true_counts(nation: Nation, name: str) -> None:
    rows = [(*key, *counts) for key, counts in nation.expected(SCOPES[name]).items()]
    expected = pl.DataFrame(rows, schema=TRUE_VARIANTS.names[1:], orient="row").cast(
        {column: dtype for column, dtype in TRUE_VARIANTS.schema.items() if column != "scope"}
    )
    strata = sorted({str(row[4]) for row in rows})
    compared = compare_variants(blocks(nation.summaries / name), strata, expected)
    assert compared.differences == []
    assert compared.numbers > 5 * 300


@pytest.mark.parametrize("name", sorted(SCOPES))
def test_every_base_has_the_true_number_of_called_people(nation: Nation, name: str) -> None:
    build = SummaryFolder(nation.summaries / name).manifest.rules["build"]
    lengths = {contig["name"]: contig["length"] for contig in build["contigs"]}
    expected: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for row in nation.truth("an_track.tsv"):
        if row["scope"] in SCOPES[name]:
            bases = expected.setdefault((row["contig"], row["stratum"]), [(0, 0)] * lengths[row["contig"]])
            for base in range(int(row["start"]), int(row["end"])):
                dip, hap = bases[base]
                bases[base] = (dip + int(row["n_dip"]), hap + int(row["n_hap"]))
    found: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for block in blocks(nation.summaries / name):
        for contig, start, end, stratum, dip, hap, unknown in block.an_track.iter_rows():
            assert unknown == 0
            found.setdefault((contig, stratum), [(0, 0)] * lengths[contig])[start:end] = [(dip, hap)] * (end - start)
    assert found == expected


@pytest.mark.parametrize("name", ["birch", "cedar"])
def test_histograms_of_carriers_are_the_true_ones(nation: Nation, name: str) -> None:
    rows = [tuple(row.values())[1:] for row in nation.truth("histograms.tsv") if row["scope"] == name]
    schema = pl.Schema((column, dtype) for column, dtype in TRUE_HISTOGRAMS.schema.items() if column != "scope")
    expected = pl.DataFrame(rows, schema=list(schema), orient="row").cast(schema)
    compared = compare_histograms([block.histograms for block in blocks(nation.summaries / name)], expected)
    assert compared.differences == []
    assert compared.numbers >= len(rows) > 10


def test_a_part_taken_away_again_leaves_the_other_byte_for_byte(nation: Nation, tmp_path: Path) -> None:
    for part, rest in (("birch", "cedar"), ("cedar", "birch")):
        run("subtract", nation.summaries / "both", nation.summaries / part, "--out", tmp_path / rest)
        assert files_of(tmp_path / rest) == files_of(nation.summaries / rest)


def test_a_person_who_withdraws_is_taken_away_as_if_never_counted(nation: Nation, tmp_path: Path) -> None:
    names = [row["sample"] for row in nation.sheet("birch")]
    run("merge", *(nation.summaries / n for n in names if n != "jon"), "--out", tmp_path / "others")
    run("subtract", nation.summaries / "birch", nation.summaries / "jon", "--out", tmp_path / "rest")
    assert files_of(tmp_path / "rest") == files_of(tmp_path / "others")


def test_three_summaries_added_in_any_order_give_the_same_bytes(nation: Nation, tmp_path: Path) -> None:
    parts = [nation.summaries / name for name in ("cedar", "jon", "liv")]
    found = []
    for number, order in enumerate(permutations(parts)):
        run("merge", *order, "--workers", 1 + number % 2, "--out", tmp_path / str(number))
        found.append(files_of(tmp_path / str(number)))
    assert len(found) == 6
    assert all(files == found[0] for files in found)


def test_sums_of_sums_are_the_sum_of_all(nation: Nation, tmp_path: Path) -> None:
    names = [row["sample"] for row in nation.sheet("birch")]
    run("merge", *(nation.summaries / n for n in names[:3]), nation.summaries / "cedar", "--out", tmp_path / "left")
    run("merge", *(nation.summaries / n for n in names[3:]), "--out", tmp_path / "right")
    run("merge", tmp_path / "right", tmp_path / "left", "--out", tmp_path / "all")
    assert files_of(tmp_path / "all") == files_of(nation.summaries / "both")


def test_a_cohort_split_by_people_and_added_equals_the_cohort(
    nation: Nation, bcftools: Bcftools, tmp_path: Path
) -> None:
    people = nation.sheet("cedar")
    for number, some in enumerate((people[:3], people[3:])):
        sheet, part = tmp_path / f"{number}.tsv", tmp_path / f"{number}.vcf.gz"
        lines = ["\t".join((p["sample"], p["sex"], p["population"], p["consent"])) for p in some]
        sheet.write_text("\n".join(["sample\tsex\tpopulation\tconsent", *lines]) + "\n")
        names = ",".join(p["sample"] for p in some)
        bcftools("view", "-I", "-s", names, "-Oz", "-o", part, nation.folder / "vcf" / "cedar.vcf.gz")
        nation.count_cedar(part, tmp_path / f"part{number}", "--samples", sheet)
    run("merge", tmp_path / "part0", tmp_path / "part1", "--out", tmp_path / "sum")
    together, added = (files_of(folder) for folder in (nation.summaries / "cedar", tmp_path / "sum"))
    assert added == together


def test_every_summary_of_the_nation_verifies(nation: Nation, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("birch", "cedar", "both", "jon", "mia"):
        run("verify", nation.summaries / name)
        assert "verified" in capsys.readouterr().out
