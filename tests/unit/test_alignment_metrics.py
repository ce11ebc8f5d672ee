"""Metrics out of samtools stats and depth, with numbers worked out by hand."""

import io

import numpy as np
import polars as pl
import pytest

from tessera.alignments.metrics import (
    DepthTally,
    count_gaps,
    infer_karyotype,
    mad_autosome_coverage,
    mean_depth,
    measure,
    parse_stats,
    pct_autosomes_15x,
    tally_depth,
)
from tessera.errors import InputError
from tessera.files.depth import read_depth
from tessera.genome.build import Build, Contig, Par

BUILD = Build(
    "small",
    (Contig("chr1", "autosome", 4), Contig("chrX", "x", 4), Contig("chrY", "y", 3), Contig("chrM", "mt", 2)),
    (Par("PAR1", (0, 1), (0, 1)),),
)
STATS = "\n".join(
    [
        "# a comment",
        "SN\tsequences:\t200\t# excluding supplementary and secondary reads",
        "SN\treads mapped:\t199",
        "SN\treads properly paired:\t190\t# proper-pair bit set",
        "SN\tinsert size average:\t350.3",
        "SN\tinsert size standard deviation:\t49.96",
        "FFQ\t1\t" + "\t".join(["0"] * 29 + ["7", "5", "3"]),
        "LFQ\t1\t" + "\t".join(["9"] * 30 + ["2", "1"]),
    ]
)


def depth_lines(**depths: list[int]) -> bytes:
    """The text of samtools depth -aa."""
    rows = [f"{contig}\t{i + 1}\t{d}\n" for contig, column in depths.items() for i, d in enumerate(column)]
    return "".join(rows).encode()


WHOLE = depth_lines(chr1=[30, 30, 10, 0], chrX=[99, 20, 15, 0], chrY=[0, 9, 1], chrM=[500, 700], decoy=[8])


def test_stats_give_reads_and_bases_of_q30() -> None:
    stats = parse_stats(STATS, "x")
    assert stats["reads mapped"] == 199
    assert stats["bases q30"] == 5 + 3 + 2 + 1


@pytest.mark.parametrize("text", ["", STATS.replace("insert size average", "something else")])
def test_stats_without_a_number_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="insert size average"):
        parse_stats(text, "stats.txt")


def test_reads_without_qualities_are_not_of_q30() -> None:
    """samtools stats counts the missing quality, 255, as a column of its own."""
    assert parse_stats(STATS + "\nLFQ\t2\t" + "\t".join(["0"] * 93 + ["4", *["0"] * 161, "50"]), "x")["bases q30"] == 15


def test_stats_without_reads_are_refused() -> None:
    with pytest.raises(InputError, match="no reads"):
        parse_stats(STATS.replace("\t200\t", "\t0\t"), "stats.txt")


@pytest.mark.parametrize("block_bytes", [5, 16, 1 << 20])
def test_depth_is_tallied_by_region_whatever_the_block(block_bytes: int) -> None:
    blocks = read_depth(io.BytesIO(WHOLE), "depth", block_bytes=block_bytes)
    tally = tally_depth(blocks, BUILD, "depth")
    assert {kind: int(np.arange(len(n)) @ n) for kind, n in tally.bases.items()} == {
        "autosome": 70,
        "x_par": 99,
        "x": 35,
        "y_par": 0,
        "y": 10,
        "mt": 1200,
    }
    assert sum(n.sum() for n in tally.bases.values()) == 13


def test_depth_of_a_contig_cut_short_is_refused() -> None:
    cut = depth_lines(chr1=[1, 2, 3, 4], chrX=[1, 2, 3], chrY=[1, 2, 3], chrM=[1, 2])
    with pytest.raises(InputError, match="3 bases of chrX; expected 4"):
        tally_depth(read_depth(io.BytesIO(cut), "depth"), BUILD, "depth")


@pytest.mark.parametrize("text", [b"chr1\t1\t3\nchr1\t2", b"chr1\tone\t3\n", b"chr1\t1\n"])
def test_depth_of_another_shape_is_refused(text: bytes) -> None:
    with pytest.raises(InputError):
        list(read_depth(io.BytesIO(text), "depth"))


def test_gaps_of_the_reference_are_not_bases() -> None:
    sequences = {"chr1": "ANCN", "chrX": "NACG", "chrY": "ACG", "chrM": "AC"}
    gaps = count_gaps(lambda contig, start, end: sequences[contig][start:end], BUILD)
    assert gaps["autosome"] == 2
    assert gaps["x_par"] == 1
    tally = DepthTally({"autosome": np.array([3, 0, 1])})
    tally.drop_gaps("autosome", 2)
    assert mean_depth(tally.bases["autosome"]) == 1.0


def test_histograms_of_depth() -> None:
    bases = np.bincount([10, 20, 20, 30])
    assert mean_depth(bases) == 20
    assert mad_autosome_coverage(bases) == 0
    assert pct_autosomes_15x(bases) == 75
    assert mean_depth(np.zeros(3, np.int64)) is None


@pytest.mark.parametrize(
    ("ratio_x", "ratio_y", "karyotype"),
    [
        (1.02, 0.01, "XX"),
        (0.49, 0.47, "XY"),
        (0.5, 0.3, "XY"),
        (0.51, 0.0, "X0"),
        (0.98, 0.5, "XXY"),
        (0.5, 1.0, "XYY"),
        (1.5, 0.02, "XXX"),
        (0.75, 0.2, "ambiguous"),
        (None, 0.2, None),
    ],
)
def test_karyotype_from_depth(ratio_x: float | None, ratio_y: float | None, karyotype: str | None) -> None:
    assert infer_karyotype(ratio_x, ratio_y) == karyotype


def test_a_sample_has_the_standards_names() -> None:
    tally = tally_depth(read_depth(io.BytesIO(WHOLE), "depth"), BUILD, "depth")
    document = measure("s", parse_stats(STATS, "x"), tally)
    assert document["biosample"] == {"id": "s"}
    assert document["wgs_qc_metrics"]["aln_metrics"] == {
        "yield_bp_q30": 11,
        "mean_insert_size": 350.3,
        "insert_size_std_deviation": 50.0,
        "pct_reads_mapped": 99.5,
        "pct_reads_properly_paired": 95.0,
        "mean_autosome_coverage": 17.5,
        "mad_autosome_coverage": 10,
        "pct_autosomes_15x": 50.0,
        "cross_contamination_rate": None,
    }
    assert document["tessera"] == {
        "depth_ratio_x": round(35 / 3 / 17.5, 4),
        "depth_ratio_y": round(5 / 17.5, 4),
        "depth_ratio_mt": round(600 / 17.5, 4),
        "sex_karyotype": "ambiguous",
    }


def test_a_build_without_sex_chromosomes_tells_no_karyotype() -> None:
    build = Build("autosomes", (Contig("chr1", "autosome", 4),))
    tally = tally_depth([pl.DataFrame({"contig": ["chr1"] * 4, "pos": [1, 2, 3, 4], "depth": [5] * 4})], build, "d")
    assert measure("s", parse_stats(STATS, "x"), tally)["tessera"]["sex_karyotype"] is None
