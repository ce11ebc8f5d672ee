"""`tessera show` prints the counts of a summary; every number here is counted by hand from five genotypes a line."""

import io
from pathlib import Path

import polars as pl
import pytest

from commands import Done, Tessera
from handmade import sheet, vcf, write

LENGTHS = {"chr1": 2_500_000, "chrX": 300}
BUILD = """\
name: long
contigs:
  - {name: chr1, kind: autosome, length: 2500000}
  - {name: chrX, kind: x, length: 300}
  - {name: chrY, kind: y, length: 300}
"""
PEOPLE = {"ann": "XX EE", "ben": "XY EE", "cai": "XY EE", "dot": "XX FI", "eli": "X0 FI"}
LINES = [
    "chr1 500 A C,G . . GT 0/1 1/2 0/0 ./. 1/1",
    "chr1 700 AT A . . GT 0/0 0/1 ./1 1/1 0/0",
    "chr1 1500000 A T . . GT 0/1 0/0 0/0 0/0 0/0",
    "chrX 70 C T . . GT 0/1 1 0/1 1/1 1",
]
COLUMNS = ["contig", "pos", "ref", "alt", "stratum", "AC", "AN", "AF", "n_dip", "n_hap", "n_het", "n_homalt", "n_hemi",
           "n_listed", "AN_unknown"]  # fmt: skip


@pytest.fixture
def summary(tmp_path: Path, tessera: Tessera) -> Path:
    done = tessera(
        "count", "--input", write(tmp_path / "cohort.vcf", vcf(list(PEOPLE), LINES, LENGTHS)), "--assume-normalised",
        "--samples", write(tmp_path / "samples.tsv", sheet(PEOPLE)), "--build",
        write(tmp_path / "build.yaml", BUILD), "--mask", "none", "--out", tmp_path / "summary",
    )  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "summary"


def rows(done: Done) -> list[dict[str, str]]:
    """The lines of a TSV as they are written."""
    assert (done.code, done.err) == (0, "")
    header, *lines = [line.split("\t") for line in done.text.splitlines()]
    assert header[: len(COLUMNS)] == COLUMNS
    return [dict(zip(header, line, strict=True)) for line in lines]


def keys(done: Done) -> list[tuple[str, str, str]]:
    return [(row["contig"], row["pos"], row["alt"]) for row in rows(done)]


STATISTICS = ["n_people", "call_rate", "HWE", "ExcHet", "inbreeding_coeff", "faf95", "faf99"]
OVER_POPULATIONS = ["grpmax", "AC_grpmax", "AN_grpmax", "AF_grpmax", "nhomalt_grpmax", "fafmax_faf95_max",
                    "fafmax_faf95_max_gen_anc", "fafmax_faf99_max", "fafmax_faf99_max_gen_anc"]  # fmt: skip
ALL = [("chr1", "500", "C"), ("chr1", "500", "G"), ("chr1", "700", "A"), ("chr1", "1500000", "T"), ("chrX", "70", "T")]


def test_without_options_each_variant_is_one_row_for_everybody(tessera: Tessera, summary: Path) -> None:
    found = rows(tessera("show", summary))
    assert [(r["stratum"], r["AC"], r["AN"]) for r in found] == [
        ("Total", "4", "8"),  # C: ann 1, ben 1, eli 2; dot is missing
        ("Total", "1", "8"),  # G: ben
        ("Total", "3", "8"),  # the deletion: ben 1, dot 2; cai's half-call is missing
        ("Total", "1", "10"),
        ("Total", "4", "5"),  # X: ann 1 of 2, ben 1 of 1, dot 2 of 2; cai's het and eli (X0) are not called
    ]
    first = {name: found[0][name] for name in COLUMNS[7:]}
    assert first == {
        "AF": "0.5", "n_dip": "4", "n_hap": "0", "n_het": "2", "n_homalt": "1", "n_hemi": "0", "n_listed": "5",
        "AN_unknown": "0",
    }  # fmt: skip
    assert (found[4]["n_dip"], found[4]["n_hap"], found[4]["n_hemi"]) == ("2", "1", "1")


def test_without_statistics_there_are_counts_and_af_alone(tessera: Tessera, summary: Path) -> None:
    assert list(rows(tessera("show", summary))[0]) == COLUMNS


@pytest.mark.parametrize(
    ("by", "more"),
    [("", OVER_POPULATIONS), ("sex", OVER_POPULATIONS), ("population", []), ("population,sex", [])],
)
def test_statistics_follow_the_counts_and_grpmax_where_populations_are_pooled(
    tessera: Tessera, summary: Path, by: str, more: list[str]
) -> None:
    plain, found = (
        rows(tessera("show", summary, "--by", by)),
        rows(tessera("show", summary, "--by", by, "--statistics")),
    )
    assert list(found[0]) == [*COLUMNS, *STATISTICS, *more]
    assert [{name: row[name] for name in COLUMNS} for row in found] == plain


def test_statistics_are_those_of_the_five_genotypes(tessera: Tessera, summary: Path) -> None:
    found = rows(tessera("show", summary, "--statistics"))
    # C: ann and ben het, cai none, eli two. Of 4 alleles among 4 people 0, 2 or 4 hets: 6, 48 and 16 of 70
    first = found[0]
    assert (first["n_people"], first["call_rate"]) == ("5", "0.8")
    assert [float(first[name]) for name in ("HWE", "ExcHet")] == pytest.approx([1, 64 / 70])
    assert float(first["inbreeding_coeff"]) == 0  # 2 of 4 het, half expected
    # EE has 2 of 6, FI (eli alone) 2 of 2
    assert [first[name] for name in OVER_POPULATIONS[:5]] == ["FI", "2", "2", "1.0", "1"]
    assert float(first["faf95"]) == pytest.approx(1.366318 / 8, rel=1e-6)  # chi2 of 8 degrees at 5 %: 2.732637
    x = found[4]
    # ann het, dot two; ben one of one; cai's het is missing; eli (X0) has no copy that is counted
    assert (x["n_people"], x["call_rate"]) == ("4", "0.75")
    assert [float(x[name]) for name in ("HWE", "ExcHet")] == [1, 1]


def test_a_population_may_be_left_out_of_grpmax(tessera: Tessera, summary: Path) -> None:
    found = rows(tessera("show", summary, "--statistics", "--not-in-grpmax", "FI"))
    assert [found[0][name] for name in OVER_POPULATIONS[:5]] == ["EE", "2", "6", "0.3333333333333333", "0"]
    both = rows(tessera("show", summary, "--statistics", "--not-in-grpmax", "FI", "--not-in-grpmax", "EE"))
    assert [both[0][name] for name in OVER_POPULATIONS] == [""] * len(OVER_POPULATIONS)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--statistics", "--not-in-grpmax", "SE"], "'SE'; expected a population of the summary (EE, FI)"),
        (["--not-in-grpmax", "FI"], "no grpmax is asked for; expected --statistics"),
        (["--statistics", "--by", "population", "--not-in-grpmax", "FI"], "no grpmax is asked for"),
    ],
)
def test_a_population_that_cannot_be_left_out_is_refused(
    tessera: Tessera, summary: Path, options: list[str], said: str
) -> None:
    done = tessera("show", summary, *options)
    assert (done.code, done.out) == (2, b"")
    assert f"--not-in-grpmax: {said}" in done.err


@pytest.mark.parametrize(
    ("by", "strata"),
    [
        ("population", [("EE", "2", "3"), ("FI", "2", "2")]),
        ("sex", [("F", "3", "4"), ("M", "1", "1"), ("U", "0", "0")]),
        ("population,sex", [("EE_F", "1", "2"), ("EE_M", "1", "1"), ("FI_F", "2", "2"), ("FI_U", "0", "0")]),
        ("sex,population", [("EE_F", "1", "2"), ("EE_M", "1", "1"), ("FI_F", "2", "2"), ("FI_U", "0", "0")]),
    ],
)
def test_by_keeps_strata_apart(tessera: Tessera, summary: Path, by: str, strata: list[tuple[str, str, str]]) -> None:
    found = rows(tessera("show", summary, "--region", "chrX", "--by", by))
    assert [(row["stratum"], row["AC"], row["AN"]) for row in found] == strata


def test_af_is_empty_where_nobody_is_called(tessera: Tessera, summary: Path) -> None:
    assert [r["AF"] for r in rows(tessera("show", summary, "--region", "chrX", "--by", "sex"))] == ["0.75", "1.0", ""]


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("chr1", ALL[:4]),
        ("chrX", ALL[4:]),
        ("chr1:500", ALL[:2]),
        ("chr1:500-700", ALL[:3]),
        ("chr1:501-700", ALL[2:3]),
        ("chr1:501-699", []),
        ("chr1:1,500,000", ALL[3:4]),
        ("chr1:700-1,500,000", ALL[2:4]),
        ("chr1:2000000-2400000", []),
        ("chr1:9000000", []),
        ("chrY", []),
    ],
)
def test_a_region_holds_both_its_ends_and_an_empty_one_is_a_header(
    tessera: Tessera, summary: Path, region: str, expected: list[tuple[str, str, str]]
) -> None:
    assert keys(tessera("show", summary, "--region", region)) == expected


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("chr7", "'chr7'; expected CONTIG or CONTIG:START-END with a contig of the build (chr1, chrX, chrY)"),
        ("chr1:", "expected CONTIG or"),
        ("chr1:5-", "expected CONTIG or"),
        ("chr1:-5", "expected CONTIG or"),
        ("chr1:a-b", "expected CONTIG or"),
        ("", "expected CONTIG or"),
        ("chr1:,", "expected CONTIG or"),
        ("chr1:5-4", "expected 1 <= START <= END"),
        ("chr1:0-4", "expected 1 <= START <= END"),
    ],
)
def test_a_region_that_is_none_is_refused(tessera: Tessera, summary: Path, region: str, said: str) -> None:
    done = tessera("show", summary, "--region", region)
    assert (done.code, done.out) == (2, b"")
    assert f"--region: {region!r}" in done.err
    assert said in done.err


@pytest.mark.parametrize("by", ["age", "sex,sex", "sex;population"])
def test_other_strata_are_refused(tessera: Tessera, summary: Path, by: str) -> None:
    done = tessera("show", summary, "--by", by)
    assert (done.code, done.out) == (2, b"")
    assert f"--by: {by!r}; expected population, sex, or population,sex" in done.err


@pytest.mark.parametrize("region", ["chr1", "chrY"])
def test_parquet_holds_what_tsv_holds(tessera: Tessera, summary: Path, region: str) -> None:
    options = (summary, "--region", region, "--by", "population,sex")
    table = pl.read_parquet(io.BytesIO(tessera("show", *options, "--format", "parquet").out))
    text = tessera("show", *options).out
    assert table.columns == COLUMNS
    assert table.equals(pl.read_csv(io.BytesIO(text), separator="\t", schema=table.schema))


def test_a_format_that_there_is_not_is_refused(tessera: Tessera, summary: Path) -> None:
    done = tessera("show", summary, "--format", "xlsx")
    assert done.code == 2
    assert "'xlsx' is not one of 'tsv', 'parquet'" in done.err
