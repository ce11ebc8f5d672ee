"""A part of a contig, as it is worked on: several blocks that hold little, or some bases of one that holds much."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.table import Table
from tessera.summary.an_track import join_runs
from tessera.summary.blocks import BLOCK_SIZE, GROUP_ROWS, POSITIONS, TABLES, Block
from tessera.summary.columns import Array, Columns, joined

#: beyond every base that a table can hold
NO_CUT = 2**31 - 1


@dataclass(frozen=True)
class Part:
    """The three tables of a stretch of one contig."""

    variants: Columns
    an_track: Columns
    histograms: Columns

    @classmethod
    def of_block(cls, block: Block) -> "Part":
        """A block as arrays."""
        return cls(*(Columns.of_frame(table, getattr(block, name)) for name, table in TABLES.items()))

    @property
    def block(self) -> Block:
        """A part that lies in one block, as frames."""
        return Block(self.variants.frame, self.an_track.frame, self.histograms.frame)


class Cursor:
    """Takes the rows of one table of a contig in order, up to any base."""

    def __init__(self, table: Table, batches: Iterator[Columns], rows: int) -> None:
        self._batches, self._rows = batches, rows
        self._here, self._all_here = Columns.none(table), False

    def read_on(self) -> int:
        """Read until `rows` rows, of two bases at least, are here, or all are; return how many."""
        # else all the words that ever occurred would be carried on
        found, number = [self._here.trimmed()], len(self._here)
        while not self._all_here and (number < self._rows or not _bases_differ(found)):
            batch = next(self._batches, None)
            self._all_here = batch is None
            if batch is not None:
                found.append(batch)
                number += len(batch)
        self._here = joined(found)
        return number

    @property
    def complete_to(self) -> int:
        """The base before which no row can come any more."""
        return NO_CUT if self._all_here else int(_bases(self._here)[-1])

    def before(self, cut: int) -> Columns:
        """Take the rows before base `cut`; a run that goes on there is cut, its rest stays."""
        number = int(np.searchsorted(_bases(self._here), cut))
        rows, self._here = self._here.take(slice(number)), self._here.take(slice(number, None))
        if rows.table is AN_TRACK and (rows["end"] > cut).any():
            rest = rows.take(rows["end"] > cut)
            self._here = joined([rest.having(start=np.full(len(rest), cut, np.int32)), self._here])
            rows = rows.having(end=np.minimum(rows["end"], cut))
        return rows


class RowGroups:
    """Puts the row groups of one table together, out of parts that come in order."""

    def __init__(self, rows: int = GROUP_ROWS) -> None:
        self._rows = self._enough = rows
        self._parts: list[Columns] = []
        self._cuts: list[int] = []

    def take(self, rows: Columns, cut: int) -> Iterator[Columns]:
        """Yield the row groups that rows up to base `cut` complete."""
        for part in _by_block(rows):
            if self._parts and _block_of(self._parts[0]) != _block_of(part):
                yield from self.rest()
            self._parts.append(part)
        self._cuts.append(cut)
        if sum(len(part) for part in self._parts) >= self._enough:
            block = self._joined()
            full = _final(block, cut) // self._rows * self._rows
            yield from row_groups(block.take(slice(full)), self._rows)
            rest = block.take(slice(full, None))
            self._parts, self._cuts = [rest] if len(rest) else [], [cut]
            # a run that goes on holds back all that comes after it: do not look again at every part
            self._enough = max(self._rows, 2 * len(rest))

    def rest(self) -> Iterator[Columns]:
        """Yield the rest of the block that is begun, if one is."""
        if self._parts:
            yield from row_groups(self._joined(), self._rows)
        self._parts, self._cuts, self._enough = [], [], self._rows

    def _joined(self) -> Columns:
        block = joined(self._parts)
        return join_runs(block, self._cuts) if block.table is AN_TRACK and len(self._parts) > 1 else block


def row_groups(block: Columns, rows: int = GROUP_ROWS) -> Iterator[Columns]:
    """The rows of a block as they are stored together."""
    if 0 < len(block) <= rows:
        return iter((block,))
    return (block.take(slice(first, first + rows)) for first in range(0, len(block), rows))


def _final(block: Columns, cut: int) -> int:
    """How many rows at the head stay as they are, whatever comes after `cut`."""
    goes_on = block["end"] == cut if block.table is AN_TRACK else np.zeros(1, np.bool_)
    return int(goes_on.argmax()) if goes_on.any() else len(block)


def _bases(rows: Columns) -> Array:
    """(n,) the 0-based base by which a row lies in its block."""
    column, first = POSITIONS[rows.table.name]
    return rows[column] - first


def _block_of(rows: Columns) -> int:
    return int(_bases(rows)[0]) // BLOCK_SIZE


def _bases_differ(parts: list[Columns]) -> bool:
    bases = [base for part in parts if len(part) for base in _bases(part)[[0, -1]]]
    return len(bases) > 0 and bases[0] != bases[-1]


def _by_block(rows: Columns) -> Iterator[Columns]:
    blocks = _bases(rows) // BLOCK_SIZE
    edges = [0, *(np.flatnonzero(blocks[1:] != blocks[:-1]) + 1).tolist(), len(rows)]
    return (rows.take(slice(first, end)) for first, end in pairwise(edges) if first < end)
