"""The AN track as a row group holds it: stratum by stratum, an end only where the next run does not begin there.

Runs tile what is called, so an end mostly says what the next start says again; and within a stratum starts are near
each other, and counts like those before. In memory runs stand by start and stratum, each with its end.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tessera.schemas.an_track import AN_TRACK
from tessera.summary.columns import Bools, Columns, narrowed, one_batch

END = AN_TRACK.names.index("end")


def stored_batch(runs: Columns) -> pa.RecordBatch:
    """The rows of a row group, of runs that are sorted by start and stratum."""
    if len(runs.words["stratum"]) > 1:
        runs = runs.take(np.argsort(narrowed(runs["stratum"]), kind="stable"))
    batch = runs.to_batch()
    goes_on = (runs["stratum"][:-1] == runs["stratum"][1:]) & (runs["end"][:-1] == runs["start"][1:])
    said = pa.py_buffer(np.packbits(np.append(~goes_on, True), bitorder="little"))
    ends = pa.Array.from_buffers(pa.int32(), len(runs), [said, batch.column(END).buffers()[1]])
    return batch.set_column(END, "end", ends)


def stored_runs(groups: Iterable[pa.RecordBatch], rows: int) -> Iterator[tuple[Columns, Sequence[int]]]:
    """The runs of row groups, each with its end, as they stand there; and their row groups' sizes.

    As many row groups at once as hold `rows`.
    """
    waiting: list[pa.RecordBatch] = []
    for group in groups:
        waiting.append(group)
        if sum(map(len, waiting)) >= rows:
            yield _runs_of(waiting)
            waiting = []
    if waiting:
        yield _runs_of(waiting)


def by_start(runs: Columns) -> Columns:
    """The runs of row groups that are sorted as they should be, by start and stratum."""
    starts = runs["start"]
    return runs if (starts[1:] >= starts[:-1]).all() else runs.take(np.argsort(starts, kind="stable"))


def _runs_of(groups: Sequence[pa.RecordBatch]) -> tuple[Columns, Sequence[int]]:
    """The runs of whole row groups; an end that nothing tells stays empty, for who judges them."""
    batch, sizes = one_batch(groups), [len(group) for group in groups]
    column = batch.column(END)
    unsaid = _nulls(column)
    values = pa.Array.from_buffers(column.type, len(column), [None, column.buffers()[1]], offset=column.offset)
    runs = Columns.of_batch(AN_TRACK, batch.set_column(END, "end", values))
    if not unsaid.any():
        return runs, sizes
    strata, starts = runs["stratum"], runs["start"]
    # (n - 1,) whether a row and the next are of one row group, and of one stratum
    inside = np.ones(max(0, len(runs) - 1), np.bool_)
    inside[np.cumsum(sizes)[:-1] - 1] = False
    together = inside & (strata[1:] == strata[:-1])
    in_order = bool((~inside | (strata[1:] > strata[:-1]) | (together & (starts[1:] > starts[:-1]))).all())
    told = unsaid & np.append(together, False) if in_order else np.zeros(len(runs), np.bool_)
    ends = np.where(told, np.append(starts[1:], 0), np.where(unsaid, 0, runs["end"]))
    return replace(runs.having(end=ends), empty=_either(runs.empty, unsaid & ~told)), sizes


def _nulls(column: pa.Array) -> Bools:
    # not is_null().to_numpy(): it imports pandas, which takes longer than a small merge
    if not column.null_count:
        return np.zeros(len(column), np.bool_)
    bits: npt.NDArray[np.uint8] = np.frombuffer(column.buffers()[0], np.uint8)
    said = np.unpackbits(bits, count=column.offset + len(column), bitorder="little")
    nulls: Bools = said[column.offset :] == 0
    return nulls


def _either(empty: Bools | None, more: Bools) -> Bools | None:
    both = more if empty is None else empty | more
    return both if both.any() else None
