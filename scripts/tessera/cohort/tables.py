"""What was counted in a block, as the tables of a summary."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.coverage import Runs
from tessera.cohort.keys import texts_in_order
from tessera.cohort.tally import METRICS, IntArray
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.variants import VARIANTS

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
    of_row = pl.Series(np.repeat(np.arange(variants, dtype=np.uint32), strata))
    flat = rows.counts.reshape(-1, len(COUNTED_COLUMNS))
    columns = {
        "contig": pl.repeat(contig, variants * strata, eager=True),
        "pos": np.repeat(rows.pos.astype(np.int32), strata),
        "ref": pl.Series(rows.refs).gather(of_row),
        "alt": pl.Series(rows.alts).gather(of_row),
        "stratum": pl.Series(labels).gather(np.tile(np.arange(strata, dtype=np.uint32), variants)),
        "n_listed": np.tile(listed, variants),
        **{name: np.ascontiguousarray(flat[:, at]) for at, name in enumerate(COUNTED_COLUMNS)},
        "an_unknown": np.zeros(variants * strata, np.int32),
    }
    return pl.DataFrame(columns, schema=VARIANTS.schema)


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
    columns = {
        "contig": pl.repeat(contig, len(first), eager=True),
        "start": starts[first],
        "end": ends[last],
        "stratum": pl.Series(labels).gather(stratum.astype(np.uint32)),
        **{name: column[first, stratum] for name, column in zip(AN_TRACK.names[4:], counts, strict=True)},
    }
    return pl.DataFrame(columns, schema=AN_TRACK.schema)


def histogram_table(
    contig: str, start: int, counts: IntArray | None, labels: Sequence[str], *, mitochondrial: bool
) -> pl.DataFrame:
    """HISTOGRAMS of the block that starts at `start`; `counts` (strata, METRICS, bins)."""
    if counts is None:
        return HISTOGRAMS.empty
    share = "heteroplasmy" if mitochondrial else "ab_alt"
    names = [share if name == "share_alt" else name for name in METRICS]
    stratum, metric, found = np.nonzero(counts)
    columns = {
        "contig": [contig] * len(found), "start": np.full(len(found), start, np.int32),
        "stratum": [labels[i] for i in stratum.tolist()], "metric": [names[i] for i in metric.tolist()],
        "bin": found.astype(np.int32), "count": counts[stratum, metric, found],
    }  # fmt: skip
    return pl.DataFrame(columns, schema=HISTOGRAMS.schema).sort(HISTOGRAMS.names[:-1])
