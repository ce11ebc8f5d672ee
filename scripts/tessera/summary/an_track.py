"""The AN track: how many people are called at each base, run by run, whether anybody has a variant there or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tessera.schemas.an_track import AN_TRACK
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.columns import Array, Columns, narrowed

if TYPE_CHECKING:
    import polars as pl

#: what the track and the leaf table both say of a place
CALLED = ["n_dip", "n_hap", "an_unknown"]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Steps:
    """What is called in each stratum of each block of a contig, from one step to the next.

    `places` (m,) ascend, by block, stratum and base; `said` (CALLED, m) holds from each place to the next. Before the
    first step of a block and stratum, and after the last, nobody is called.
    """

    places: IntArray
    said: IntArray

    @classmethod
    def of(cls, track: Columns) -> "Steps":
        """The steps of runs that are sorted by start, do not overlap in a stratum and lie in one block each."""
        strata = len(track.words["stratum"])
        group = track["start"] // BLOCK_SIZE * strata + track["stratum"]
        order = np.argsort(narrowed(group), kind="stable")
        start = track["start"][order].astype(np.int64)
        starts = place(start, track["stratum"][order], strata)
        ends = starts + (track["end"][order] - start)
        closes = np.ones(len(starts), np.bool_)
        closes[:-1] = ends[:-1] != starts[1:]
        at = np.arange(len(starts)) + np.cumsum(closes) - closes
        places = np.empty(len(starts) + np.count_nonzero(closes), np.int64)
        said = np.zeros((len(CALLED), len(places)), np.int64)
        places[at], places[at[closes] + 1] = starts, ends[closes]
        for row, name in zip(said, CALLED, strict=True):
            row[at] = track[name][order]
        return cls(places, said)

    def at(self, places: IntArray) -> IntArray:
        """(CALLED, n) what is said at places."""
        if not len(self.places):
            return np.zeros((len(CALLED), len(places)), np.int64)
        # before the first step is -1: the last, at which nobody is called any more
        return self.said[:, np.searchsorted(self.places, places, side="right") - 1]

    def runs(self, contig: str, strata: Sequence[str]) -> Columns:
        """The runs in which somebody is called, or unknown, sorted by start and stratum."""
        first = np.flatnonzero(self.said.any(axis=0))
        group, offset = np.divmod(self.places[first], BLOCK_SIZE + 1)
        block, stratum = np.divmod(group, len(strata))
        start = block * BLOCK_SIZE + offset
        order = np.argsort(start * len(strata) + stratum, kind="stable")
        first = first[order]
        columns: dict[str, Array] = {
            "contig": np.zeros(len(first), np.int32),
            "start": start[order],
            "end": start[order] + (self.places[first + 1] - self.places[first]),
            "stratum": stratum[order],
            **{name: row[first] for name, row in zip(CALLED, self.said, strict=True)},
        }
        arrays = {name: column.astype(np.int32) for name, column in columns.items()}
        return Columns(AN_TRACK, arrays, {"contig": [contig], "stratum": strata})


def place(bases: Array, stratum: Array, strata: int) -> IntArray:
    """One number for the base (0-based) and stratum, sorted by block, stratum and base."""
    block, offset = np.divmod(bases.astype(np.int64), BLOCK_SIZE)
    return (block * strata + stratum.astype(np.int64)) * (BLOCK_SIZE + 1) + offset


def sum_steps(terms: Sequence[tuple[Steps, int]]) -> Steps:
    """Add (sign 1) and subtract (sign -1), base by base; only steps at which the sum changes are left.

    Stable sorts, here and elsewhere, are the fast ones: what is sorted is some sorted arrays, one after the other.
    """
    places = np.concatenate([steps.places for steps, _ in terms])
    order = np.argsort(places, kind="stable")
    places = places[order]
    last = np.ones(len(places), np.bool_)
    last[:-1] = places[1:] != places[:-1]
    said = np.empty((len(CALLED), np.count_nonzero(last)), np.int64)
    for row, number in zip(said, range(len(CALLED)), strict=True):
        changes = np.concatenate([sign * np.diff(steps.said[number], prepend=0) for steps, sign in terms])
        row[:] = np.cumsum(changes[order])[last]
    changed = np.diff(said, axis=1, prepend=0).any(axis=0)
    return Steps(places[last][changed], said[:, changed])


def join_runs(track: Columns, cuts: Sequence[int]) -> Columns:
    """The track with runs that were cut apart at the bases `cuts` made one again where they are equal."""
    touching = np.flatnonzero(np.isin(track["start"], cuts) | np.isin(track["end"], cuts))
    if not len(touching):
        return track
    touching = touching[np.argsort(track["stratum"][touching], kind="stable")]
    before, after = touching[:-1], touching[1:]
    goes_on = np.zeros(len(touching), np.bool_)
    goes_on[1:] = (track["end"][before] == track["start"][after]) & np.logical_and.reduce(
        [track[name][before] == track[name][after] for name in ("stratum", *CALLED)]
    )
    heads = np.flatnonzero(~goes_on)
    tails = np.append(heads[1:], len(touching)) - 1
    ends = track["end"].copy()
    ends[touching[heads]] = track["end"][touching[tails]]
    kept = np.ones(len(track), np.bool_)
    kept[touching[goes_on]] = False
    return track.having(end=ends).take(kept)


def called_at(track: "pl.DataFrame", places: "pl.DataFrame", columns: Sequence[str] = CALLED) -> "pl.DataFrame":
    """What the track of one contig says at `pos` (1-based) of each row of `places` (with pos and stratum).

    Returns `places` sorted by pos, with the track's `columns`; zeros where the track says nothing.
    """
    import polars as pl

    runs = track.lazy().select("stratum", "start", "end", *columns).sort("start")
    base, end = pl.col("_base"), pl.col("end")
    return (
        places.lazy()
        .with_columns((pl.col("pos") - 1).alias("_base"))
        .sort("_base", maintain_order=True)
        .join_asof(runs, left_on="_base", right_on="start", by="stratum", strategy="backward", check_sortedness=False)
        .with_columns(pl.when(base < end).then(pl.col(c)).otherwise(0).fill_null(0).alias(c) for c in columns)
        .drop("_base", "start", "end")
        .collect()
    )
