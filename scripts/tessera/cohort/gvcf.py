"""Reference blocks of one person's gVCF, taken apart and joined by kernel_gvcf.h before anything else looks at them."""

import ctypes
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tessera.cohort.kernel import (
    BLOCKS,
    NO_VALUE,
    RECORDS,
    RUNS,
    BlockRulesStruct,
    BlockRunsStruct,
    BlocksStruct,
    kernel,
)
from tessera.cohort.sites import Asked, Bytes, IntArray
from tessera.files.inflated import PADDING
from tessera.genome.build import Region

#: lines of a batch
LINES = 32768
#: FORMAT fields whose declaration is asked for, as bits
DECLARED = ("GQ", "DP", "MIN_DP", "AD")


@dataclass(frozen=True)
class JoinedBlocks:
    """m runs of reference blocks: bases [start, end) that a block speaks of which itself starts at `since`; `copies`
    is as how many alleles the person is called there, 0 when not."""

    start: IntArray
    end: IntArray
    since: IntArray
    copies: Bytes


class Room:
    """Memory for the lines of a batch, used again for the next: new pages cost more than what is written to them."""

    def __init__(self) -> None:
        self.arrays = {name: np.empty(LINES, kind) for name, kind in BLOCKS}
        self._other = np.empty(0, np.uint8)

    def other(self, length: int) -> Bytes:
        """Room for a text of `length`, and the padding behind it."""
        if len(self._other) < length + PADDING:
            self._other = np.empty(length + PADDING, np.uint8)
        return self._other


class Blocks:
    """Consecutive lines of one contig: plain reference blocks, and the `other` lines as text of their own.

    `pos` (L,) and `end` (L,) are of every line once `complete` has told those of the others; `numbers` says which
    lines the others are. They lie in `room`, so a batch ends where the next begins.
    """

    def __init__(self, held: Bytes, length: int, contig: bytes, formats: Container[str], room: Room) -> None:
        self._arrays, self._other = room.arrays, room.other(length)
        self._blocks = BlocksStruct(LINES, RECORDS, **{name: array.ctypes.data for name, array in self._arrays.items()})
        self._blocks.other = self._other.ctypes.data
        declared = sum(1 << bit for bit, name in enumerate(DECLARED) if name in formats)
        kernel().tessera_scan_blocks(
            ctypes.c_void_p(held.ctypes.data), ctypes.c_int64(length), contig, ctypes.c_int64(len(contig)),
            ctypes.c_int32(declared), ctypes.byref(self._blocks),
        )  # fmt: skip
        self.lines: int = self._blocks.lines
        self.consumed: int = self._blocks.consumed
        self.numbers = np.flatnonzero(self._arrays["kind"][: self.lines] == 0)

    @property
    def other(self) -> tuple[Bytes, int]:
        """The text of the other lines, and its length; PADDING bytes follow."""
        return self._other, self._blocks.other_length

    def complete(self, pos: IntArray, end: IntArray) -> None:
        """Take POS and last base of the other lines; lines from the first untold one on are left to the next batch."""
        if len(pos) < len(self.numbers):
            self.lines = int(self.numbers[len(pos)])
            self.consumed = int(self._arrays["line"][self.lines])
            self._blocks.lines, self.numbers = self.lines, self.numbers[: len(pos)]
        self._arrays["pos"][self.numbers] = pos
        self._arrays["end"][self.numbers] = end

    def offset(self, line: int) -> int:
        """Where a line begins in the buffer."""
        return int(self._arrays["line"][line])

    @property
    def pos(self) -> IntArray:
        """(L,) POS of every line."""
        return self._arrays["pos"][: self.lines].astype(np.int64)

    @property
    def end(self) -> IntArray:
        """(L,) last base of every line."""
        return self._arrays["end"][: self.lines]

    def refs(self, single: Bytes, ref_of_other: Callable[[int], str]) -> tuple[Bytes, Callable[[int], str]]:
        """(L,) REF of every line where it is one base, upper case, else 0; and REF of any line, by its number.

        Given the same of the other lines, by their own numbers.
        """
        refs = self._arrays["ref"][: self.lines]
        refs[self.numbers] = single

        def ref_of(line: int) -> str:
            other = int(np.searchsorted(self.numbers, line))
            return ref_of_other(other) if line in self.numbers[other : other + 1] else chr(refs[line])

        return refs, ref_of

    def joined(
        self, left_out: npt.NDArray[np.bool_], span: tuple[int, int], regions: Sequence[Region], asked: Sequence[Asked],
        ended: int,
    ) -> tuple[JoinedBlocks, int]:  # fmt: skip
        """The blocks but those `left_out` (L,), within the bases `span`, as runs; and where all lines so far end, given
        where those before the batch `ended`."""
        borders = np.array([region.end for region in regions], np.int64)
        copies = np.array([of.copies[0] for of in asked], np.uint8)
        mask = asked[0].mask
        asks_depth = mask.min_dp is not None and mask.min_dp_haploid is not None
        rules = BlockRulesStruct(
            *span, len(regions), borders.ctypes.data, copies.ctypes.data,
            NO_VALUE if mask.min_gq is None else mask.min_gq, asks_depth, mask.min_dp or 0, mask.min_dp_haploid or 0,
        )  # fmt: skip
        runs = {name: np.empty((self.lines + 1) * len(regions), kind) for name, kind in RUNS}
        into = BlockRunsStruct(**{name: array.ctypes.data for name, array in runs.items()})
        skipped = left_out.astype(np.uint8)
        reached = kernel().tessera_join_blocks(
            ctypes.byref(self._blocks), ctypes.c_void_p(skipped.ctypes.data), ctypes.byref(rules),
            ctypes.c_int64(ended), ctypes.byref(into),
        )  # fmt: skip
        return JoinedBlocks(*(array[: into.runs] for array in runs.values())), int(reached)
