"""What was counted in a block, as the tables of a summary."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tessera.cohort.coverage import Runs
from tessera.cohort.kernel import TRACK_COUNTS, library
from tessera.cohort.kernel_track import track_rows as kernel_track_rows
from tessera.cohort.keys import Numbers, Words, in_groups
from tessera.cohort.tally import METRICS, IntArray
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.table import Table
from tessera.schemas.variants import VARIANTS
from tessera.summary.columns import Array, Columns

#: columns of the leaf table that are counted record by record
COUNTED_COLUMNS = ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")


@dataclass(frozen=True)
class Rows:
    """k variants: `refs` and `alts` (k,) are numbers of Words, `counts` (5, k, strata) COUNTED_COLUMNS; `in_order` when
    they are known to stand by position, REF and ALT."""

    pos: IntArray
    refs: Numbers
    alts: Numbers
    counts: npt.NDArray[np.int32]
    in_order: bool = False

    def at(self, chosen: npt.NDArray[np.intp] | slice, *, in_order: bool) -> "Rows":
        """Some of the variants, in this order."""
        return Rows(self.pos[chosen], self.refs[chosen], self.alts[chosen], self.counts[:, chosen], in_order)


@cache
def no_rows(table: Table) -> Columns:
    """A table of a block in which it has nothing."""
    return Columns.none(table)


def split_rows(parts: list[Rows], end: int, words: Words) -> tuple[Rows, Rows]:
    """The variants up to `end` (1-based) by position, REF and ALT, and those beyond; `parts` are then empty."""
    held = parts.pop() if len(parts) == 1 and parts[0].in_order else _in_order(parts, words)
    ready = int(np.searchsorted(held.pos, end, side="right"))
    return held.at(slice(ready), in_order=True), held.at(slice(ready, None), in_order=True)


def _in_order(parts: list[Rows], words: Words) -> Rows:
    pos, refs, alts = (np.concatenate([getattr(rows, name) for rows in parts]) for name in ("pos", "refs", "alts"))
    held = Rows(pos, refs, alts, np.concatenate([rows.counts for rows in parts], axis=1))
    parts.clear()
    order = np.argsort(pos, kind="stable")
    # few share their position: only these are compared by their texts
    slots = np.flatnonzero(in_groups(pos[order]))
    some = order[slots]
    by_text = np.lexsort((words.in_order(alts[some])[1], words.in_order(refs[some])[1], pos[some]))
    order[slots] = some[by_text]
    return held.at(order, in_order=True)


def leaf_table(contig: str, rows: Rows, words: Words, listed: npt.NDArray[np.int32], labels: Sequence[str]) -> Columns:
    """VARIANTS of these rows; `listed` (strata,) people list every one of them."""
    strata, variants = len(labels), len(rows.pos)
    of_row = np.repeat(np.arange(variants), strata)
    refs, ref = words.in_order(rows.refs)
    alts, alt = words.in_order(rows.alts)
    names, stratum = _places(labels)
    arrays = {
        "contig": np.zeros(len(of_row), np.int32),
        "pos": rows.pos.astype(np.int32)[of_row],
        "ref": ref[of_row],
        "alt": alt[of_row],
        "stratum": np.tile(stratum, variants),
        "n_listed": np.tile(listed, variants),
        **{name: counts.ravel() for name, counts in zip(COUNTED_COLUMNS, rows.counts, strict=True)},
        "an_unknown": np.zeros(len(of_row), np.int32),
    }
    return Columns(VARIANTS, arrays, {"contig": [contig], "ref": refs, "alt": alts, "stratum": names})


def _places(texts: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words among these texts, sorted, and the place of each text among them."""
    words = sorted(set(texts))
    place_of = {word: place for place, word in enumerate(words)}
    return words or [""], np.array([place_of[text] for text in texts], np.int32)


def track_table(contig: str, parts: Sequence[Runs], labels: Sequence[str]) -> Columns:
    """AN_TRACK of consecutive runs, per stratum; equal neighbours joined, zeros left out."""
    rows = dict((kernel_track_rows if library() else track_rows)(parts, len(labels)))
    words, place = _places(labels)
    arrays = {"contig": np.zeros(len(rows["start"]), np.int32), **rows, "stratum": place[rows["stratum"]]}
    return Columns(AN_TRACK, arrays, {"contig": [contig], "stratum": words})


def track_rows(parts: Sequence[Runs], strata: int) -> dict[str, npt.NDArray[np.int32]]:
    """`start`, `end`, number of the `stratum` and TRACK_COUNTS of the runs of each stratum, by start and stratum."""
    starts = np.concatenate([runs.starts for runs in parts]).astype(np.int32)
    ends = np.concatenate([runs.ends for runs in parts]).astype(np.int32)
    counts = [np.concatenate([getattr(runs, name) for runs in parts]) for name in TRACK_COUNTS]
    changes, known = np.zeros((2, len(starts), strata), np.bool_)
    for column in counts:
        changes[1:] |= column[1:] != column[:-1]
        known |= column != 0
    changes[:1] = True
    # a run ends where the next change of its stratum begins, and begins by a change
    first, stratum = np.nonzero(changes)
    by_stratum = np.argsort(stratum, kind="stable")
    last = np.empty(len(first), np.int64)
    last[by_stratum[:-1]] = first[by_stratum[1:]] - 1
    last[by_stratum[np.cumsum(np.bincount(stratum, minlength=strata)) - 1]] = len(starts) - 1
    kept = known[first, stratum]
    first, last, stratum = first[kept], last[kept], stratum[kept]
    return {
        "start": starts[first], "end": ends[last], "stratum": stratum.astype(np.int32),
        **{name: column[first, stratum] for name, column in zip(TRACK_COUNTS, counts, strict=True)},
    }  # fmt: skip


def histogram_table(
    contig: str, start: int, counts: IntArray | None, labels: Sequence[str], *, mitochondrial: bool
) -> Columns:
    """HISTOGRAMS of the block that starts at `start`; `counts` (strata, METRICS, bins)."""
    if counts is None:
        return no_rows(HISTOGRAMS)
    share = "heteroplasmy" if mitochondrial else "ab_alt"
    names = [share if name == "share_alt" else name for name in METRICS]
    by_stratum, by_metric = (sorted(range(len(texts)), key=texts.__getitem__) for texts in (labels, names))
    in_order = counts[np.ix_(by_stratum, by_metric)]
    stratum, metric, found = (places.astype(np.int32) for places in np.nonzero(in_order))
    arrays: dict[str, Array] = {
        "contig": np.zeros(len(found), np.int32), "start": np.full(len(found), start, np.int32),
        "stratum": stratum, "metric": metric, "bin": found, "count": in_order[stratum, metric, found],
    }  # fmt: skip
    words = {"contig": [contig], "stratum": sorted(labels), "metric": sorted(names)}
    return Columns(HISTOGRAMS, arrays, words)
