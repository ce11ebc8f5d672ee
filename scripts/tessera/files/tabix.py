"""The index .tbi of a VCF, gathered while its lines are written, so that nobody has to read them again.

The tabix specification ("the index file format") and, for bins, section 5.1.1 of the SAM specification.
"""

import struct
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tessera.errors import refuse
from tessera.files.vcf_index import TBI_META_BIN, WINDOW_BITS

#: bases of a contig that a .tbi can tell apart
LONGEST = 1 << 29
#: bits of a base that a bin does not know -> the first bin of that size; the smallest first
BINS = {14: 4681, 17: 585, 20: 73, 23: 9, 26: 1}
#: of a VCF: its kind, columns of contig, begin and end (none), the letter of comments, lines to skip
COLUMNS = struct.pack("<6i", 2, 1, 2, 0, ord("#"), 0)
Ints = npt.NDArray[np.int64]


class TabixIndex:
    """Where the records of each contig are, by offsets into the text before it is cut into blocks of `block` bytes."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._contigs: dict[str, _Contig] = {}

    def add(self, contig: str, start: Ints, end: Ints, offsets: Ints) -> None:
        """Take in n records on [start, end), 0-based, sorted; `offsets` (n + 1,) are their begins and the last's end.

        Raises InputError for bases that no .tbi reaches.
        """
        if not len(start):
            return
        if int(end.max()) > LONGEST:
            expected = f"contigs of at most {LONGEST:,} bases, as a .tbi has them"
            raise refuse(f"{contig}:{int(end.max()):,}", "a variant behind what the index can hold", expected)
        self._contigs.setdefault(contig, _Contig(self._block)).add(start, end, offsets)

    def packed(self, blocks: Sequence[int]) -> bytes:
        """The index, not compressed; `blocks` are the places in the file of each block and of the end behind them."""
        names = b"".join(name.encode() + b"\0" for name in self._contigs)
        head = struct.pack("<4si", b"TBI\1", len(self._contigs)) + COLUMNS + struct.pack("<i", len(names)) + names
        return head + b"".join(contig.packed(np.array(blocks, np.int64)) for contig in self._contigs.values())


class _Contig:
    """Chunks of each bin, and the first record that touches each window of 16 kb."""

    def __init__(self, block: int) -> None:
        self._block = block
        self._chunks: dict[int, list[tuple[int, int]]] = {}
        self._windows: dict[int, int] = {}
        self._records, self._begin, self._end = 0, -1, -1

    def add(self, start: Ints, end: Ints, offsets: Ints) -> None:
        bins = _bins(start, end)
        edges = [0, *(np.flatnonzero(np.diff(bins)) + 1).tolist(), len(bins)]
        for first, behind in pairwise(edges):
            self._put(int(bins[first]), int(offsets[first]), int(offsets[behind]))
        windows, firsts = np.unique(start >> WINDOW_BITS, return_index=True)
        for window, first in zip(windows.tolist(), firsts.tolist(), strict=True):
            self._windows.setdefault(window, int(offsets[first]))
        for row in np.flatnonzero(start >> WINDOW_BITS != (end - 1) >> WINDOW_BITS).tolist():
            for window in range(int(start[row]) >> WINDOW_BITS, (int(end[row] - 1) >> WINDOW_BITS) + 1):
                self._windows[window] = min(int(offsets[row]), self._windows.get(window, int(offsets[row])))
        self._records += len(start)
        self._begin = self._begin if self._begin >= 0 else int(offsets[0])
        self._end = int(offsets[-1])

    def _put(self, number: int, begin: int, end: int) -> None:
        """A chunk of a bin; one with the chunk before where a block holds the end of that and the begin of this."""
        chunks = self._chunks.setdefault(number, [])
        if chunks and chunks[-1][1] // self._block >= begin // self._block:
            begin, _ = chunks.pop()
        chunks.append((begin, end))

    def packed(self, blocks: Ints) -> bytes:
        def places(offsets: Ints | Sequence[int]) -> bytes:
            block, within = np.divmod(np.asarray(offsets, np.int64), self._block)
            return (blocks[block] << 16 | within).astype("<i8").tobytes()

        parts = [struct.pack("<i", len(self._chunks) + 1)]
        for number, chunks in sorted(self._chunks.items()):
            parts += [struct.pack("<Ii", number, len(chunks)), places([offset for chunk in chunks for offset in chunk])]
        # what htslib calls the pseudo-bin: where the records of the contig are, and how many
        parts += [struct.pack("<Ii", TBI_META_BIN, 2), places([self._begin, self._end])]
        parts.append(struct.pack("<2q", self._records, 0))
        windows = sorted(self._windows)
        # what no record touches has the record after it
        touched = np.searchsorted(windows, np.arange(windows[-1] + 1))
        linear = np.array([self._windows[window] for window in windows], np.int64)[touched]
        return b"".join([*parts, struct.pack("<i", len(linear)), places(linear)])


def _bins(start: Ints, end: Ints) -> Ints:
    """The smallest bin that holds each of the intervals; 0 holds them all."""
    found = np.zeros(len(start), np.int64)
    for bits, first in reversed(BINS.items()):
        inside = start >> bits == (end - 1) >> bits
        found[inside] = first + (start[inside] >> bits)
    return found
