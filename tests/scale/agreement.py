"""Whether the counts are the same numbers: of tessera, of the makers of the file, of bcftools and of plink2.

A half-call (./1) is missing to tessera and to plink2 as it is run here; bcftools counts its called allele. Those
cells are compared after adding the half-called alleles, which the makers of the file know.
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pysam.bcftools

from cohorts import STRATA

KEY = ["pos", "ref", "alt", "stratum"]
COUNTS = ["n_dip", "n_het", "n_homalt"]
BCFTOOLS = ["AC", "AN", "AC_Het", "AC_Hom", "AC_Hemi"]
#: relative difference of two p-values that is none: bcftools prints six digits
PRECISION = 1e-5
#: bcftools stores p-values as float32, which ends near here
SMALLEST = 1e-30


@dataclass(frozen=True)
class Agreement:
    """Numbers compared, those in cells with half-calls among them, and those that differ."""

    numbers: int
    half_call_numbers: int
    different: int


def summary(folder: Path) -> pl.DataFrame:
    """The leaf table of a summary."""
    return pl.read_parquet(folder / "variants" / "*.parquet").with_columns(pl.col("ref", "alt", "stratum").cast(str))


def with_truth(counts: pl.DataFrame, truth: pl.DataFrame) -> Agreement:
    """Compare a leaf table with what the makers of the file know."""
    return _compare(counts.select(*KEY, *COUNTS), truth, COUNTS)


def with_bcftools(counts: pl.DataFrame, truth: pl.DataFrame, theirs: pl.DataFrame) -> Agreement:
    """Compare a leaf table with what `bcftools_info` read."""
    halves = truth.select(*KEY, "half_alleles", "half_alt")
    expected = counts.join(halves, on=KEY, how="left").select(
        *KEY,
        "half_alleles",
        AC=pl.col("n_het") + 2 * pl.col("n_homalt") + pl.col("half_alt"),
        AN=2 * pl.col("n_dip") + pl.col("half_alleles"),
        AC_Het="n_het",
        AC_Hom=2 * pl.col("n_homalt"),
        AC_Hemi="half_alt",
    )
    return _compare(theirs.select(*KEY, *BCFTOOLS), expected, BCFTOOLS)


def hwe_with_bcftools(shown: pl.DataFrame, truth: pl.DataFrame, theirs: pl.DataFrame) -> Agreement:
    """Compare HWE of `tessera show --statistics`, where there is one ALT: with more, the two test other things."""
    halves = truth.select(*KEY, "half_alleles", "n_dip").filter(pl.len().over("pos", "stratum") == 1)
    ours = shown.with_columns(pl.col("ref", "alt", "stratum").cast(str), pl.col("pos").cast(pl.Int32))
    both = halves.join(ours.select(*KEY, "HWE"), on=KEY, how="left").join(
        theirs.select(*KEY, "HWE"), on=KEY, how="left", suffix="_theirs"
    )
    tested = both.filter(pl.col("n_dip") > 0).with_columns(pl.col("HWE_theirs").cast(pl.Float64, strict=False))
    near = ((pl.col("HWE") - pl.col("HWE_theirs")).abs() <= PRECISION * pl.col("HWE_theirs")) | (
        pl.max_horizontal("HWE", "HWE_theirs") < SMALLEST
    )
    different = tested.height - tested.select(near.fill_null(value=False).sum()).item()
    return Agreement(tested.height, tested.filter(pl.col("half_alleles") > 0).height, different)


def with_table(counts: pl.DataFrame, truth: pl.DataFrame, path: Path) -> Agreement:
    """Compare a leaf table with a table of KEY and COUNTS with tabs, to which half-calls are missing as well."""
    theirs = pl.read_csv(path, separator="\t", schema_overrides={"pos": pl.Int32})
    halves = truth.select(*KEY, "half_alleles")
    return _compare(theirs, counts.select(*KEY, *COUNTS).join(halves, on=KEY, how="left"), COUNTS)


def with_plink2(counts: pl.DataFrame, truth: pl.DataFrame, prefix: Path) -> Agreement:
    """Compare a leaf table with the genotype counts of plink2, of every ALT."""
    halves = truth.select(*KEY, "half_alleles")
    parts = [_plink2_counts(Path(f"{prefix}.{stratum}.gcount"), stratum) for stratum in STRATA]
    return _compare(pl.concat(parts), counts.select(*KEY, *COUNTS).join(halves, on=KEY, how="left"), COUNTS)


def snvs(counts: pl.DataFrame) -> pl.DataFrame:
    """Only what left-alignment cannot move."""
    return counts.filter((pl.col("ref").str.len_bytes() == 1) & (pl.col("alt").str.len_bytes() == 1))


def _compare(found: pl.DataFrame, expected: pl.DataFrame, columns: list[str]) -> Agreement:
    """A row that only one side has is different in every number."""
    both = found.join(expected, on=KEY, how="full", suffix="_expected", coalesce=True)
    same = [pl.col(name).cast(pl.Int64).eq_missing(pl.col(f"{name}_expected").cast(pl.Int64)) for name in columns]
    absent = pl.any_horizontal(pl.col(name).is_null() | pl.col(f"{name}_expected").is_null() for name in columns)
    different = both.select((~(equal & ~absent)).sum().alias(n) for n, equal in zip(columns, same, strict=True))
    half = both.filter(pl.col("half_alleles") > 0).height if "half_alleles" in both.columns else 0
    return Agreement(both.height * len(columns), half * len(columns), sum(different.row(0)))


def bcftools_info(sites: Path) -> pl.DataFrame:
    """KEY, BCFTOOLS and HWE (text) of the sites that +fill-tags wrote, one row per ALT and stratum."""
    fields = [*BCFTOOLS, "HWE"]
    tags = [f"{name}_{stratum}" for stratum in STRATA for name in fields]
    text = sites.with_suffix(".tsv")
    layout = "\\t".join(["%POS", "%REF", "%ALT", *(f"%INFO/{tag}" for tag in tags)]) + "\\n"
    pysam.bcftools.query("-f", layout, "-o", str(text), str(sites), catch_stdout=False)
    names = ["pos", "ref", "alt", *tags]
    table = pl.read_csv(text, separator="\t", has_header=False, new_columns=names, infer_schema=False)
    parts = []
    for stratum in STRATA:
        columns = {name: f"{name}_{stratum}" for name in fields}
        lists = ["alt", *(name for name in fields if name != "AN")]
        part = table.select("pos", "ref", "alt", stratum=pl.lit(stratum), **{k: pl.col(v) for k, v in columns.items()})
        alts = pl.col("alt").str.count_matches(",") + 1
        # where nobody is called, bcftools leaves one dot for all ALT alleles
        filled = [
            pl.when(pl.col(name) == ".").then(pl.lit("0").repeat_by(alts)).otherwise(pl.col(name).str.split(","))
            .alias(name) for name in lists[1:]
        ]  # fmt: skip
        parts.append(part.with_columns(*filled, pl.col("alt").str.split(",")).explode(lists))
    return pl.concat(parts).with_columns(pl.col("pos").cast(pl.Int32), pl.col(BCFTOOLS).cast(pl.Int64))


def _plink2_counts(path: Path, stratum: str) -> pl.DataFrame:
    """KEY and COUNTS of a .gcount file: n_het counts every genotype with one copy beside another allele."""
    table = pl.read_csv(path, separator="\t", infer_schema=False)
    rows = [
        (int(pos), ref, alt, stratum, *counts)
        for pos, ref, alts, hom_ref, hets, others in table.select(
            "POS", "REF", "ALT", "HOM_REF_CT", "HET_REF_ALT_CTS", "TWO_ALT_GENO_CTS"
        ).iter_rows()
        for alt, counts in _plink2_alts(alts, hom_ref, hets, others)
    ]
    return pl.DataFrame(rows, schema=[*KEY, *COUNTS], orient="row").with_columns(pl.col("pos").cast(pl.Int32))


def _plink2_alts(alts: str, hom_ref: str, hets: str, others: str) -> list[tuple[str, tuple[int, int, int]]]:
    """ALT -> people called, with one copy, with two; two-ALT genotypes come in the order of PL: 1/1, 1/2, 2/2, ..."""
    with_ref, without = [int(n) for n in hets.split(",")], [int(n) for n in others.split(",")]
    pairs = [(a, b) for b in range(len(with_ref)) for a in range(b + 1)]
    called = int(hom_ref) + sum(with_ref) + sum(without)
    found = []
    for index, alt in enumerate(alts.split(",")):
        two = sum(n for pair, n in zip(pairs, without, strict=True) if pair == (index, index))
        mixed = sum(n for pair, n in zip(pairs, without, strict=True) if index in pair and pair[0] != pair[1])
        found.append((alt, (called, with_ref[index] + mixed, two)))
    return found


def same_bytes(one: Path, other: Path) -> Agreement:
    """Whether two summaries are the same files; a manifest names the digest of each."""
    differ = (one / "manifest.json").read_bytes() != (other / "manifest.json").read_bytes()
    return Agreement(numbers=1, half_call_numbers=0, different=int(differ))
