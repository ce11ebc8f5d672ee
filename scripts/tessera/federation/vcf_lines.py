"""Lines of a VCF of sites: what the VCFs that leave a node have in common."""

from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from tessera.federation.pieces import Piece, joined, pieces, separated
from tessera.summary.cells import Cells
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


def lines(cells: Cells, infos: Iterable[Piece]) -> Iterator[bytes]:
    """The lines of the variants, with line ends, some at a time; INFO is all of `infos`."""
    columns = [pl.lit(cells.contig), "pos", pl.lit("."), "ref", "alt", pl.lit("."), pl.lit("PASS"), pl.lit("")]
    table = pl.DataFrame({"pos": cells.pos, "ref": cells.ref, "alt": cells.alt})
    before_info = pieces(table.select(pl.concat_str(columns, separator="\t")).to_series())
    return joined(len(cells), [before_info, *separated(infos, b";"), b"\n"])
