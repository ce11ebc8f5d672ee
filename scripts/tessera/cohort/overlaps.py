"""How many bases lie under no record of a file, and how many under several: what an operator learns of its blocks."""

import ctypes
from collections import Counter

import numpy as np

from tessera.cohort.kernel import OverlapStruct, library
from tessera.cohort.sites import IntArray

NO_RECORD, SEVERAL_RECORDS = "under_no_record", "under_several_records"


class Overlaps:
    """Tells `bases` of [start, end), 0-based, of a contig; records come sorted by POS and speak from POS to their end.

    Variants in a deletion lie under several records in every good file; blocks that overlap do not.
    """

    def __init__(self, start: int, end: int, bases: Counter[str]) -> None:
        self._start, self._end, self._bases = start, end, bases
        #: bases before them lie under a record, and under several, as far as records have come
        self._once = self._twice = start

    def take(self, pos: IntArray, end: IntArray) -> None:
        """Take records; `pos` (R,) is 1-based, `end` (R,) their last base."""
        if (kernel := library()) is None:
            return self._take_by_numpy(pos, end)
        state = OverlapStruct(self._start, self._end, self._once, self._twice)
        pos, end = (np.ascontiguousarray(edges, np.int64) for edges in (pos, end))
        kernel.tessera_overlaps(
            ctypes.c_void_p(pos.ctypes.data), ctypes.c_void_p(end.ctypes.data), ctypes.c_int64(len(pos)),
            ctypes.byref(state),
        )  # fmt: skip
        self._once, self._twice = state.once, state.twice
        self._bases[NO_RECORD] += state.none
        self._bases[SEVERAL_RECORDS] += state.several

    def _take_by_numpy(self, pos: IntArray, end: IntArray) -> None:
        starts, ends = (np.clip(edge, self._start, self._end) for edge in (pos - 1, end))
        once = np.maximum.accumulate(np.concatenate([[self._once], ends]))
        again = np.minimum(ends, once[:-1])
        twice = np.maximum.accumulate(np.concatenate([[self._twice], again]))
        self._bases[NO_RECORD] += int(np.maximum(starts - once[:-1], 0).sum())
        self._bases[SEVERAL_RECORDS] += int(np.maximum(again - np.maximum(starts, twice[:-1]), 0).sum())
        self._once, self._twice = int(once[-1]), int(twice[-1])

    def finish(self) -> None:
        """No more records come."""
        self._bases[NO_RECORD] += self._end - self._once
