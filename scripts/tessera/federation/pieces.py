"""Lines put together out of pieces of text: what many variants share is written once, and copied into each line."""

from collections.abc import Iterable, Iterator
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.summary.cells import Distinct
from tessera.summary.columns import Bools

#: lines that are put together at once
LINES_AT_ONCE = 2_048
#: (n,) a text, as UTF-8, for each of n variants
Pieces = npt.NDArray[np.object_]
#: of each variant its own, or the same for all
Piece = Pieces | bytes


def pieces(texts: pl.Series) -> Pieces:
    """A column of text as pieces; nothing where it is null."""
    found = np.empty(len(texts), object)
    found[:] = texts.fill_null("").cast(pl.Binary).to_list()
    return found


def told(found: Distinct, text: pl.Expr) -> Pieces:
    """What is told of the counts of a group for each variant; nothing where the text is null."""
    return pieces(found.frame.select(text).to_series())[found.which]


def separated(parts: Iterable[Piece], by: bytes) -> Iterator[Piece]:
    """The parts with a separator between two of them."""
    for number, part in enumerate(parts):
        if number:
            yield by
        yield part


def only(part: Piece, where: Bools) -> Piece:
    """The part for some of the variants, and nothing for the others."""
    if where.all():
        return part
    found = np.full(len(where), b"", object)
    found[where] = part if isinstance(part, bytes) else part[where]
    return found


def joined(number: int, parts: Iterable[Piece]) -> Iterator[bytes]:
    """The pieces of the first of so many variants one after the other, then those of the second, and so on.

    LINES_AT_ONCE at a time, so that what is held does not grow with the length of a line.
    """
    columns = list(_merged(parts))
    for begin in range(0, number, LINES_AT_ONCE):
        here = slice(begin, min(begin + LINES_AT_ONCE, number))
        table = np.empty((here.stop - begin, len(columns)), object)
        for at, column in enumerate(columns):
            if isinstance(column, bytes):
                table[:, at].fill(column)
            else:
                table[:, at] = column[here]
        yield b"".join(table.ravel().tolist())


def _merged(parts: Iterable[Piece]) -> Iterator[Piece]:
    """The same with neighbours that are alike for all variants made one."""
    for is_same, some in groupby(parts, lambda part: isinstance(part, bytes)):
        if is_same:
            yield b"".join(part for part in some if isinstance(part, bytes))
        else:
            yield from some
