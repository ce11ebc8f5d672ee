"""The allele-frequency Parquet of GDI's nodes: which file a variant is in, and its rows."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from tessera.errors import InputError, Problem
from tessera.federation.groups import Group
from tessera.schemas.exports import GDI_ALLELE_FREQUENCIES
from tessera.summary.cells import Cells, distinct
from tessera.summary.columns import Bools
from tessera.summary.manifest import Manifest

#: bases of a contig in one file
FILE_BASES = 10_000_000
#: rows that are made at once
ROWS_AT_ONCE = 65_536
CHROMOSOME = re.compile(r"(?:chr)?([1-9]|1[0-9]|2[0-2]|X|Y|MT?)")
SNP, INDEL, SEVERAL = "SNP", "INDEL", "UNKNOWN"


def chromosomes(manifest: Manifest) -> dict[str, str]:
    """Contig -> its name in files: 1 to 22, X, Y, M. Raises InputError for contigs that have none."""
    names = [contig["name"] for contig in manifest.rules["build"]["contigs"]]
    found = {name: match[1].replace("MT", "M") for name in names if (match := CHROMOSOME.fullmatch(name))}
    problems = [
        Problem(
            f"contig {name} of the summary", "a name that GDI's nodes do not know", "chr1 to chr22, chrX, chrY, chrM"
        )
        for name in names
        if name not in found
    ]
    if problems:
        raise InputError(problems)
    return found


def file_name(chromosome: str, index: int) -> str:
    """The name of the file of bases [index, index + 1) * FILE_BASES."""
    return f"allele-freq-chr{chromosome}.{index}.parquet"


def tables(cells: Cells, groups: Sequence[Group]) -> Iterator[tuple[int, pl.DataFrame]]:
    """Rows with the columns of GDI_ALLELE_FREQUENCIES, by the file they belong to, sorted by position.

    One row for each variant that somebody carries and group in which somebody is called: a reader of this format takes
    no row without a frequency. Everybody has no name in it, and is the sum of the populations.
    """
    carried = cells.carried()
    number = (carried.pos - 1) // FILE_BASES
    number = number * len(carried) + np.arange(len(carried)) // max(1, ROWS_AT_ONCE // max(1, len(groups)))
    for here in np.unique(number):
        some: Bools = number == here
        yield int(here) // len(carried), _rows(carried.take(some), groups)


def variant_types(ref: pl.Series, alt: pl.Series) -> pl.Series:
    """SNP, INDEL, or SEVERAL bases by as many, of n variants."""
    of = pl.DataFrame({"ref": ref, "alt": alt})
    lengths = pl.col("ref").str.len_bytes(), pl.col("alt").str.len_bytes()
    alike = pl.when(lengths[0] == 1).then(pl.lit(SNP))
    found = of.select(pl.when(lengths[0] == lengths[1]).then(alike).otherwise(pl.lit(INDEL))).to_series().alias("VT")
    several = found.is_null().arg_true()
    return found.scatter(several, [_of_alike(*pair) for pair in of[several].iter_rows()]) if len(several) else found


def _of_alike(ref: str, alt: str) -> str:
    """The type of alleles of one length, which may have flanks in common where they were taken as written."""
    return SNP if sum(a != b for a, b in zip(ref, alt, strict=True)) == 1 else SEVERAL


def _rows(cells: Cells, groups: Sequence[Group]) -> pl.DataFrame:
    of_variant = pl.DataFrame({"POS": cells.pos - 1, "REF": cells.ref, "ALT": cells.alt})
    of_variant = of_variant.with_row_index("variant").with_columns(variant_types(cells.ref, cells.alt))
    counts = [
        pl.col("AF"), pl.col("AC"), pl.col("n_het").alias("AC_HET"), (2 * pl.col("n_homalt")).alias("AC_HOM"),
        pl.col("n_hemi").alias("AC_HEMI"), pl.col("AN"),
    ]  # fmt: skip
    parts = []
    for group in groups:
        found = distinct(cells.of(group.strata))
        told = found.frame.select(counts)[found.which]
        parts.append(
            pl.concat([of_variant, told], how="horizontal").with_columns(pl.lit(group.name).alias("POPULATION"))
        )
    schema = GDI_ALLELE_FREQUENCIES.schema
    rows = pl.concat(parts).filter(pl.col("AN") > 0).sort("variant", maintain_order=True)
    return rows.select(schema.names()).cast(schema)
