"""What was counted in a block, as the tables of a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.coverage import Runs
from tessera.cohort.keys import texts_in_order
from tessera.cohort.tally import METRICS, IntArray
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.table import Table
from tessera.schemas.variants import VARIANTS

Values = pl.Series | npt.NDArray[np.int32] | npt.NDArray[np.int64]
#: columns of the leaf table that are counted record by record
COUNTED_COLUMNS = ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")


@dataclass(frozen=True)
class Rows:
    """k variants: `counts` (k, strata, 5) are COUNTED_COLUMNS."""

    pos: IntArray
    refs: list[str]
    alts: list[str]
    counts: npt.NDArray[np.int32]

    def at(self, chosen: npt.NDArray[np.intp]) -> "Rows":
        """Some of the variants, in this order."""
        picked = chosen.tolist()
        refs, alts = ([texts[i] for i in picked] for texts in (self.refs, self.alts))
        return Rows(self.pos[chosen], refs, alts, self.counts[chosen])


def split_rows(parts: Sequence[Rows], end: int) -> tuple[Rows, Rows]:
    """The variants up to `end` (1-based) by position, REF and ALT, and those beyond."""
    held = Rows(
        np.concatenate([rows.pos for rows in parts]),
        [ref for rows in parts for ref in rows.refs],
        [alt for rows in parts for alt in rows.alts],
        np.concatenate([rows.counts for rows in parts]),
    )
    order = texts_in_order(held.pos, held.refs, held.alts)
    ready = int(np.searchsorted(held.pos[order], end, side="right"))
    return held.at(order[:ready]), held.at(order[ready:])


def leaf_table(contig: str, rows: Rows, listed: npt.NDArray[np.int32], labels: Sequence[str]) -> pl.DataFrame:
    """VARIANTS of these rows; `listed` (strata,) people list every one of them."""
    strata, variants = len(labels), len(rows.pos)
    if not variants:
        return VARIANTS.empty
    of_row = np.repeat(np.arange(variants), strata)
    flat = rows.counts.reshape(-1, len(COUNTED_COLUMNS))
    columns: dict[str, Values] = {
        "contig": _all_alike(contig, variants * strata),
        "pos": rows.pos.astype(np.int32)[of_row],
        "ref": pl.Series(rows.refs)[of_row],
        "alt": pl.Series(rows.alts)[of_row],
        "stratum": pl.Series(labels)[np.tile(np.arange(strata), variants)],
        "n_listed": np.tile(listed, variants),
        **{name: np.ascontiguousarray(flat[:, at]) for at, name in enumerate(COUNTED_COLUMNS)},
        "an_unknown": np.zeros(variants * strata, np.int32),
    }
    return _frame(columns, VARIANTS)


def _all_alike(text: str, rows: int) -> pl.Series:
    return pl.Series([text]).new_from_index(0, rows)


def _frame(columns: Mapping[str, Values], table: Table) -> pl.DataFrame:
    """Columns of the table's types as a frame; a schema would have polars plan a query for every block."""
    frame = pl.DataFrame([pl.Series(name, values) for name, values in columns.items()])
    assert frame.schema == table.schema, frame.schema
    return frame


def track_table(contig: str, parts: Sequence[Runs], labels: Sequence[str]) -> pl.DataFrame:
    """AN_TRACK of consecutive runs, per stratum; equal neighbours joined, zeros left out."""
    starts = np.concatenate([runs.starts for runs in parts]).astype(np.int32)
    ends = np.concatenate([runs.ends for runs in parts]).astype(np.int32)
    counts = [
        np.concatenate([getattr(runs, name) for runs in parts]).astype(np.int32)
        for name in ("n_dip", "n_hap", "an_unknown")
    ]
    if not any(column.any() for column in counts):
        return AN_TRACK.empty
    changes = np.ones(counts[0].shape, dtype=np.bool_)
    changes[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in counts])
    # a run ends where the next change of its stratum begins
    stratum, first = np.nonzero(changes.T)
    last = np.r_[first[1:], len(starts)] - 1
    last[np.flatnonzero(np.diff(stratum))] = len(starts) - 1
    known = np.logical_or.reduce([column[first, stratum] != 0 for column in counts])
    stratum, first, last = stratum[known], first[known], last[known]
    order = np.argsort(first, kind="stable")
    stratum, first, last = stratum[order], first[order], last[order]
    columns: dict[str, Values] = {
        "contig": _all_alike(contig, len(first)),
        "start": starts[first],
        "end": ends[last],
        "stratum": pl.Series(labels)[stratum],
        **{name: column[first, stratum] for name, column in zip(AN_TRACK.names[4:], counts, strict=True)},
    }
    return _frame(columns, AN_TRACK)


def histogram_table(
    contig: str, start: int, counts: IntArray | None, labels: Sequence[str], *, mitochondrial: bool
) -> pl.DataFrame:
    """HISTOGRAMS of the block that starts at `start`; `counts` (strata, METRICS, bins)."""
    if counts is None:
        return HISTOGRAMS.empty
    share = "heteroplasmy" if mitochondrial else "ab_alt"
    names = [share if name == "share_alt" else name for name in METRICS]
    by_stratum, by_metric = (sorted(range(len(texts)), key=texts.__getitem__) for texts in (labels, names))
    in_order = counts[np.ix_(by_stratum, by_metric)]
    stratum, metric, found = np.nonzero(in_order)
    if not len(found):
        return HISTOGRAMS.empty
    columns: dict[str, Values] = {
        "contig": _all_alike(contig, len(found)), "start": np.full(len(found), start, np.int32),
        "stratum": pl.Series([labels[i] for i in by_stratum])[stratum],
        "metric": pl.Series([names[i] for i in by_metric])[metric],
        "bin": found.astype(np.int32), "count": in_order[stratum, metric, found],
    }  # fmt: skip
    return _frame(columns, HISTOGRAMS)
