"""`+` and `-` on summaries: sums of integers per key, commutative, associative, and exactly invertible.

A leaf-table row is stored where somebody's own record lists the variant; everybody else is answered for by the
AN track. So the difference between a row and the track at its position is a sum over people, and adding
summaries is: add the tracks, add the differences, read the total track back at every variant.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tessera.errors import InputError, refuse
from tessera.schemas.histograms import HISTOGRAMS
from tessera.summary.an_track import CALLED, IntArray, Steps, place, sum_steps
from tessera.summary.blocks import GROUP_ROWS, TABLES
from tessera.summary.columns import Bools, Columns, joined, with_common_words
from tessera.summary.parts import Cursor, Part, RowGroups

KEY = ["contig", "pos", "ref", "alt", "stratum"]
COUNTS = ["n_listed", "n_dip", "n_hap", "n_het", "n_homalt", "n_hemi", "an_unknown"]
CARRIERS = ["n_het", "n_homalt", "n_hemi"]
VARIANT = "variant {contig}:{pos} {ref}>{alt} {stratum}"
_CALLED = [COUNTS.index(name) for name in CALLED]
_NOT_NEGATIVE = [COUNTS.index(name) for name in ("n_listed", *CARRIERS)]
_NOTHING_LEFT = [COUNTS.index(name) for name in (*CARRIERS, *CALLED)]


def add_counts(terms: Sequence[Mapping[str, int]], signs: Sequence[int], what: str) -> dict[str, int]:
    """Sum mappings of named integers; zeros vanish, so that subtraction is exact."""
    total: dict[str, int] = {}
    for term, sign in zip(terms, signs, strict=True):
        for name, count in term.items():
            total[name] = total.get(name, 0) + sign * count
    for name, count in total.items():
        if count < 0:
            raise not_contained(f"{what} {name}", count)
    return {name: total[name] for name in sorted(total) if total[name]}


def add(terms: Sequence[tuple[Part, int]]) -> Part:
    """The signed sum of one part of a contig, 1 adds and -1 subtracts; the track's runs lie in the part, and in blocks.

    Raises InputError when what is subtracted is not contained in what is added.
    """
    signs = [sign for _, sign in terms]
    tracks = with_common_words([part.an_track for part, _ in terms], _strata([part.variants for part, _ in terms]))
    variants = with_common_words([part.variants for part, _ in terms], _strata(tracks))
    steps = [Steps.of(track) for track in tracks]
    total = sum_steps(list(zip(steps, signs, strict=True)))
    strata = tracks[0].words["stratum"]
    contig = next((name for column in (*tracks, *variants) for name in column.words["contig"]), "")
    _refuse_negative_track(total, contig, strata)
    histograms = [part.histograms for part, _ in terms]
    rows = _sum_of_variants(variants, steps, signs, total)
    return Part(rows, total.runs(contig, strata), _sum_of_bins(histograms, signs))


def add_up(terms: Sequence[Sequence[Cursor]], signs: Sequence[int], group_rows: int = GROUP_ROWS) -> Iterator[Columns]:
    """The signed sum of what terms hold of a contig, each as a cursor for every table; yields what is stored together.

    Several blocks that hold little are added at once, and one that holds much in parts: memory depends on how much the
    cursors read at a time. Raises InputError as `add`.
    """
    tables = [RowGroups(group_rows) for _ in TABLES]
    while sum(cursor.read_on() for term in terms for cursor in term):
        cut = min(cursor.complete_to for term in terms for cursor in term)
        yield from _add_before(cut, terms, signs, tables)
    for table in tables:
        yield from table.rest()


def _add_before(
    cut: int, terms: Sequence[Sequence[Cursor]], signs: Sequence[int], tables: Sequence[RowGroups]
) -> Iterator[Columns]:
    parts = [Part(*(cursor.before(cut) for cursor in term)) for term in terms]
    total = add(list(zip(parts, signs, strict=True)))
    for table, rows in zip(tables, (total.variants, total.an_track, total.histograms), strict=True):
        yield from table.take(rows, cut)


def _strata(parts: Sequence[Columns]) -> dict[str, list[str]]:
    return {"stratum": sorted({stratum for part in parts for stratum in part.words["stratum"]})}


def _sum_of_variants(parts: Sequence[Columns], steps: Sequence[Steps], signs: Sequence[int], track: Steps) -> Columns:
    """Add what rows have more (or less) than their own track says, and add the total track."""
    rows = joined(parts)
    strata = len(rows.words["stratum"])
    places = place(rows["pos"] - 1, rows["stratum"], strata)
    counts = np.stack([rows[name] for name in COUNTS]).astype(np.int64)
    edges = np.cumsum([0, *(len(part) for part in parts)])
    for mine, sign, first, end in zip(steps, signs, edges[:-1], edges[1:], strict=True):
        counts[_CALLED, first:end] -= mine.at(places[first:end])
        counts[:, first:end] *= sign
    order, starts = key_order(rows)
    rows, places = rows.take(order[starts]), places[order[starts]]
    sums = np.stack([np.add.reduceat(row[order], starts) if len(starts) else row for row in counts])
    _refuse_below(sums[_NOT_NEGATIVE], rows, VARIANT)
    listed = sums[0] > 0
    # a row nobody lists any more must hold nothing: else the part was not of this whole
    _refuse_left(~listed & sums[_NOTHING_LEFT].any(axis=0), sums, rows)
    rows, sums = rows.take(listed), sums[:, listed]
    sums[_CALLED] += track.at(places[listed])
    _refuse_below(sums[_CALLED], rows, VARIANT)
    return rows.having(**dict(zip(COUNTS, sums.astype(np.int32), strict=True)))


def key_order(rows: Columns, *, by_stratum: bool = True) -> tuple[IntArray, IntArray]:
    """The order of rows by position, alleles and, unless not asked for, stratum; and where in it each key begins."""
    if not len(rows):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = np.logical_or.reduce([rows[name][1:] != rows[name][:-1] for name in ("pos", "ref", "alt")])
    first = np.flatnonzero(begins)
    alleles = rows["ref"][first].astype(np.int64) * len(rows.words["alt"]) + rows["alt"][first]
    distinct, rank = np.unique(alleles, return_inverse=True)
    variant = (rows["pos"][first] - rows["pos"].min()).astype(np.int64) * len(distinct) + rank
    key = variant[np.cumsum(begins) - 1]
    if by_stratum:
        key = key * len(rows.words["stratum"]) + rows["stratum"]
    order = np.argsort(key, kind="stable")
    key = key[order]
    return order, np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))


def _sum_of_bins(parts: Sequence[Columns], signs: Sequence[int]) -> Columns:
    rows = joined(parts)
    counts = rows["count"] * np.repeat(signs, [len(part) for part in parts])
    bins = [rows[name] for name in HISTOGRAMS.names[-2:0:-1]]
    order = np.lexsort(bins)
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = np.logical_or.reduce([column[order][1:] != column[order][:-1] for column in bins])
    starts = np.flatnonzero(begins)
    rows = rows.take(order[starts])
    sums = np.add.reduceat(counts[order], starts) if len(starts) else counts
    _refuse_below(sums[None], rows, "histogram {contig} {stratum} {metric} bin {bin}")
    return rows.having(count=sums).take(sums != 0)


def _refuse_negative_track(track: Steps, contig: str, strata: Sequence[str]) -> None:
    if (track.said < 0).any():
        runs = track.runs(contig, strata)
        _refuse_below(np.stack([runs[name] for name in CALLED]), runs, "AN track {contig}:{start}-{end} {stratum}")


def _refuse_below(sums: IntArray, rows: Columns, what: str) -> None:
    lowest = sums.min(axis=0)
    if (lowest < 0).any():
        first = int((lowest < 0).argmax())
        raise not_contained(what.format(**rows.row(first)), int(lowest[first]))


def _refuse_left(left: Bools, sums: IntArray, rows: Columns) -> None:
    if left.any():
        first = int(left.argmax())
        carriers = sum(int(sums[COUNTS.index(name), first]) for name in CARRIERS)
        raise not_contained(VARIANT.format(**rows.row(first)), carriers)


def not_contained(where: str, count: int) -> InputError:
    """What to raise where more is subtracted than there was: `count` is what would be left."""
    return refuse(
        where,
        f"{count:,} people left after the subtraction",
        "none below zero, and none where nobody lists it",
        "The second summary must be a part of the first: subtract only what was added.",
    )
