"""Reading `samtools depth`: three thousand million lines for a human genome, so in blocks, not in lines."""

import io
from collections.abc import Iterator
from typing import IO

import polars as pl

from tessera.errors import refuse
from tessera.schemas.document import quoted

#: far above what any base of a genome is read; a tally of depths takes memory for each
DEEPEST = 10_000_000
SCHEMA = {"contig": pl.String, "pos": pl.Int64, "depth": pl.Int64}


def read_depth(stream: IO[bytes], where: str, *, block_bytes: int = 1 << 22) -> Iterator[pl.DataFrame]:
    """Yield frames of (contig, pos, depth), pos 1-based, each of about `block_bytes` of text.

    Raises InputError when a line has another shape, or a depth no base has.
    """
    rest = b""
    while block := stream.read(block_bytes):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if newline:
            yield _frame(whole, where)
    if rest:
        raise refuse(where, "its last line has no end", "whole lines", "The file or the pipe was cut short.")


def _frame(lines: bytes, where: str) -> pl.DataFrame:
    expected = "contig, position and depth, tab-separated"
    try:
        frame = pl.read_csv(io.BytesIO(lines), has_header=False, separator="\t", schema=SCHEMA, quote_char=None)
    except pl.exceptions.PolarsError as error:
        first = lines[:80].split(b"\n")[0].decode(errors="replace")
        raise refuse(where, f"lines of another shape, after {quoted(first)}", expected) from error
    if any(frame.null_count().row(0)):
        raise refuse(where, "an empty field", expected)
    odd = frame.filter(~pl.col("depth").is_between(0, DEEPEST))
    if len(odd):
        contig, pos, depth = odd.row(0)
        raise refuse(where, f"depth {depth} at {contig}:{pos}", f"a depth from 0 to {DEEPEST:,}")
    return frame
