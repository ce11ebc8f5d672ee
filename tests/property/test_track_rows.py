"""Runs of all strata to those of each, by the kernel and by numpy, against a walk over single bases."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.cohort.coverage import Runs
from tessera.cohort.kernel import TRACK_COUNTS, library
from tessera.cohort.kernel_track import track_rows as by_kernel
from tessera.cohort.tables import track_rows as by_numpy

Cell = tuple[int, int, int]
Run = tuple[int, list[Cell]]

FEW = st.integers(0, 2)


@st.composite
def consecutive(draw: st.DrawFn) -> tuple[int, list[list[Run]]]:
    """Strata, and parts of runs: the length of each and what it counts in each stratum."""
    strata = draw(st.integers(1, 3))
    run = st.tuples(st.integers(1, 4), st.lists(st.tuples(FEW, FEW, FEW), min_size=strata, max_size=strata))
    return strata, draw(st.lists(st.lists(run, max_size=5), min_size=1, max_size=4))


def as_runs(start: int, part: list[Run], strata: int) -> Runs:
    edges = start + np.cumsum([0, *(length for length, _ in part)])
    counts = np.array([cells for _, cells in part], np.int32).reshape(-1, strata, len(TRACK_COUNTS))
    return Runs(edges[:-1], edges[1:], *(np.ascontiguousarray(counts[:, :, k]) for k in range(len(TRACK_COUNTS))))


def walked(start: int, bases: list[list[Cell]], strata: int) -> list[tuple[int, ...]]:
    """Rows of start, end, stratum and counts, by start and stratum, found base by base."""
    rows = []
    for stratum in range(strata):
        at = 0
        while at < len(bases):
            stop = at
            while stop < len(bases) and bases[stop][stratum] == bases[at][stratum]:
                stop += 1
            if any(bases[at][stratum]):
                rows.append((start + at, start + stop, stratum, *bases[at][stratum]))
            at = stop
    return sorted(rows, key=lambda row: (row[0], row[2]))


@given(consecutive(), st.integers(0, 1000))
def test_each_stratum_has_a_row_wherever_its_counts_change(made: tuple[int, list[list[Run]]], start: int) -> None:
    strata, parts = made
    if not any(parts):
        return
    runs, at = [], start
    for part in parts:
        runs.append(as_runs(at, part, strata))
        at += sum(length for length, _ in part)
    expected = walked(start, [cells for part in parts for length, cells in part for _ in range(length)], strata)
    for rows_of in (by_numpy, by_kernel) if library() else (by_numpy,):
        found = rows_of(runs, strata)
        columns = [found[name].tolist() for name in ("start", "end", "stratum", *TRACK_COUNTS)]
        assert list(zip(*columns, strict=True)) == expected
        assert {column.dtype for column in found.values()} == {np.dtype(np.int32)}
