"""A block: what a summary holds of one fixed window of a contig; the unit of storage."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.variants import VARIANTS

if TYPE_CHECKING:
    import polars as pl

#: Bases per block. Part of the format: the same people give the same files however the work was cut.
BLOCK_SIZE = 1_000_000
#: Rows of a table in a row group. A block of more has several, all but the last of so many. Part of the format, too.
GROUP_ROWS = 131_072

TABLES = {table.name: table for table in (VARIANTS, AN_TRACK, HISTOGRAMS)}
#: table -> the column that says in which block a row lies, and its first base's number there
POSITIONS = {"variants": ("pos", 1), "an_track": ("start", 0), "histograms": ("start", 0)}


@dataclass(frozen=True, order=True)
class BlockKey:
    """Which block: `index` counts windows of BLOCK_SIZE bases from the contig's start."""

    contig: str
    index: int

    @property
    def start(self) -> int:
        """First base, 0-based."""
        return self.index * BLOCK_SIZE

    @property
    def end(self) -> int:
        """Base after the last, 0-based; it may lie beyond the contig's end."""
        return self.start + BLOCK_SIZE


@dataclass(frozen=True)
class Block:
    """Leaf table, AN track and histograms of one window, each in the order of its schema."""

    variants: "pl.DataFrame"
    an_track: "pl.DataFrame"
    histograms: "pl.DataFrame"

    @classmethod
    def empty(cls) -> "Block":
        """The block of nobody."""
        return cls(VARIANTS.empty, AN_TRACK.empty, HISTOGRAMS.empty)

    def is_empty(self) -> bool:
        """True when nothing is stored in any of the three tables."""
        return self.variants.is_empty() and self.an_track.is_empty() and self.histograms.is_empty()
