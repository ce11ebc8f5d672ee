"""The compiled engine's AN track: runs of all strata to those of each; see kernel_track.h."""

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tessera.cohort.coverage import Runs
from tessera.cohort.kernel import NO_VALUE, TRACK_COUNTS, TrackStruct, kernel


def track_rows(parts: Sequence[Runs], strata: int) -> dict[str, npt.NDArray[np.int32]]:
    """`start`, `end`, number of the `stratum` and TRACK_COUNTS of its runs; as `tables.track_rows` gives them."""
    most = strata * sum(len(runs.starts) for runs in parts)
    rows = {name: np.empty(most, np.int32) for name in ("start", "end", "stratum", *TRACK_COUNTS)}
    open_rows, here = np.full(strata, NO_VALUE, np.int64), np.zeros((strata, len(TRACK_COUNTS)), np.int32)
    pointers = [*(column.ctypes.data for column in rows.values()), open_rows.ctypes.data, here.ctypes.data]
    track = TrackStruct(strata, 0, 0, *pointers)
    for runs in parts:
        starts, ends = (np.ascontiguousarray(edges, np.int64) for edges in (runs.starts, runs.ends))
        counts = [np.ascontiguousarray(getattr(runs, name), np.int32) for name in TRACK_COUNTS]
        kernel().tessera_track(
            ctypes.c_void_p(starts.ctypes.data), ctypes.c_void_p(ends.ctypes.data), ctypes.c_int64(len(starts)),
            (ctypes.c_void_p * len(TRACK_COUNTS))(*(column.ctypes.data for column in counts)), ctypes.byref(track),
        )  # fmt: skip
    kernel().tessera_track_ends(ctypes.byref(track))
    return {name: column[: track.rows] for name, column in rows.items()}
