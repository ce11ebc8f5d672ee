"""Lines of a VCF of sites: what the VCFs that leave a node have in common."""

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from tessera.federation.groups import Group
from tessera.summary.cells import Cells, distinct
from tessera.summary.manifest import Manifest

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


def header_lines(manifest: Manifest) -> list[str]:
    """The first header lines, without line ends: version, reference, contigs of the build."""
    build = manifest.rules["build"]
    return [
        "##fileformat=VCFv4.3",
        f"##reference=seqcol:{manifest.rules['reference'] or 'not checked'}",
        '##FILTER=<ID=PASS,Description="All filters passed">',
        *(f"##contig=<ID={c['name']},length={c['length']},assembly={build['name']}>" for c in build["contigs"]),
    ]


def info(name: str, number: str, kind: str, text: str) -> str:
    """The header line of an INFO field."""
    return f'##INFO=<ID={name},Number={number},Type={kind},Description="{text}">'


def fields_of(fields: Mapping[str, pl.Expr]) -> pl.Expr:
    """`NAME=value;NAME=value`; a value that there is not is `.`, and a frequency has all its digits."""
    texts = [pl.concat_str(pl.lit(f"{name}="), value.cast(pl.String).fill_null(".")) for name, value in fields.items()]
    return pl.concat_str(texts, separator=";")


def told(
    cells: Cells,
    group: Group,
    fields: Mapping[str, pl.Expr],
    more: Callable[[pl.DataFrame], pl.DataFrame] = lambda table: table,
) -> pl.Series:
    """The INFO fields of a group for each variant, of COUNTED, AC, AN and AF and what `more` adds to them."""
    found = distinct(cells.of(group.strata))
    return found.spread(more(found.frame).select(fields_of(fields)).to_series())


def lines(cells: Cells, infos: Sequence[pl.Series]) -> pl.Series:
    """The lines of the variants, with line ends; INFO is all of `infos`."""
    table = pl.DataFrame([s.alias(f"info{number}") for number, s in enumerate(infos)])
    table = table.with_columns(pos=pl.Series(cells.pos), ref=cells.ref, alt=cells.alt)
    every = pl.concat_str([f"info{number}" for number in range(len(infos))], separator=";")
    columns = [
        pl.lit(cells.contig),
        pl.col("pos"),
        pl.lit("."),
        pl.col("ref"),
        pl.col("alt"),
        pl.lit("."),
        pl.lit("PASS"),
    ]
    return table.select(pl.concat_str(pl.concat_str(*columns, every, separator="\t"), pl.lit("\n"))).to_series()
