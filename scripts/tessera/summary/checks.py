"""What must hold inside a summary: shape, order, canonical form, and numbers that are possible.

Every row that is read is judged, so the columns are compared as arrays, many blocks at a time.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any

import numpy as np

from tessera.schemas.histograms import EDGES, HISTOGRAMS
from tessera.summary.algebra import COUNTS, KEY
from tessera.summary.an_track import CALLED
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.columns import Array, Bools, Columns, joined, narrowed
from tessera.summary.manifest import Manifest

RUN = ["contig", "start", "stratum"]
BIN = HISTOGRAMS.names[:-1]
#: bases, IUPAC's codes among them
ALLELE = re.compile(r"[A-Z]+")
#: of numbers between this and its negative, no sum of a few runs over 32 bits
SMALL = 2**28
#: metric -> its bins, and one more for what is beyond the highest edge
BINS = {metric: EDGES[metric][2] + 1 for metric in EDGES}

#: what is wrong with a row, as a verb and its object, and with which rows: (n,), or (1,) where all are alike
Wrong = Iterator[tuple[str, Bools]]


def check_manifest(manifest: Manifest, fingerprint: str) -> Iterator[str]:
    """Sentences about what is wrong in a manifest; none when all is well."""
    if fingerprint != manifest.fingerprint:
        yield "manifest: the fingerprint is not that of its rules"
    counts = {"people": manifest.people, "an_basis": manifest.an_basis, "consent": manifest.consent}
    totals = {name: sum(counted.values()) for name, counted in counts.items()}
    if len(set(totals.values())) > 1:
        yield f"manifest: people counted differ: {totals}"
    ledger = manifest.ledger
    dropped = sum(n for name, n in ledger.items() if name.startswith("carriers_dropped:"))
    if ledger.get("carriers_in", 0) != ledger.get("carriers_counted", 0) + dropped:
        yield "manifest: the ledger does not balance: carriers in are not carriers counted and dropped"


class Judge:
    """Judges the rows of one table of one contig, read from first to last in batches."""

    def __init__(self, manifest: Manifest, contig: Mapping[str, Any], table: str) -> None:
        self._manifest, self._contig, self._rules = manifest, contig, _RULES[table]
        self._before: tuple[Columns, Array] | None = None

    def wrong(self, columns: Columns, blocks: Array, groups: Sequence[int] = ()) -> Iterator[str]:
        """Sentences about what is wrong in these rows; none when all is well.

        `blocks` (n,) they are stored in; of an AN track, `groups` are the sizes of the row groups that they are.
        """
        before = 0
        if self._before is not None:
            before = len(self._before[1])
            groups = [before, *groups]
            columns = joined([self._before[0], columns])
            blocks = np.concatenate([self._before[1], blocks])
        rows = _Rows(columns, blocks, self._contig, self._manifest.people, groups, before)
        rules = self._rules(rows) if columns.empty is None else iter([("has an empty cell", columns.empty)])
        for sentence, found in rules:
            if found.any():
                found = np.broadcast_to(found, len(blocks))
                first = int(found.argmax())
                where = f"{self._contig['name']} block {blocks[first]}: {columns.table.name}"
                yield f"{where} {sentence}: {tuple(columns.row(first).values())} ({np.count_nonzero(found):,} rows)"
        latest = _last_of_each(columns["stratum"])
        self._before = (columns.take(latest).trimmed(), blocks[latest])


def _last_of_each(stratum: Array) -> Array:
    """The last row of each stratum, in order: with it a run or a key that comes later is compared."""
    last = np.full(int(stratum.max(initial=0)) + 1, -1)
    last[stratum] = np.arange(len(stratum))
    return np.sort(last[last >= 0])


@dataclass(frozen=True)
class _Rows:
    """n rows, column by column as arrays of n, and what bounds them."""

    columns: Columns
    blocks: Array
    contig: Mapping[str, Any]
    people: Mapping[str, int]
    #: sizes of the row groups; the first are rows that were read before
    groups: Sequence[int]
    before: int
    _numbers: dict[str, Array] = field(default_factory=dict)

    def numbers(self, name: str) -> Array:
        """(n,) as `_summable`, or (1,) where all rows hold the same."""
        if name not in self._numbers:
            self._numbers[name] = _summable(self.columns[name])
        return self._numbers[name]

    def by_word(self, name: str, judge: Callable[[str], int]) -> Array:
        """(n,) a number that depends on the word in a column, or (1,) where it is the same for all its words."""
        judged = _summable(np.fromiter(map(judge, self.columns.words[name]), np.int64))
        return judged if len(judged) == 1 else judged.take(self.columns[name])

    @cached_property
    def size(self) -> Array:
        """People counted in each row's stratum; none in one that is unknown."""
        return self.by_word("stratum", lambda stratum: self.people.get(stratum, 0))

    @property
    def elsewhere(self) -> Bools:
        """Which rows are of another contig."""
        return self.by_word("contig", lambda contig: contig != self.contig["name"]) > 0

    @cached_property
    def start(self) -> Array:
        """First base of each row's block, 0-based."""
        return _summable(self.blocks.astype(np.int64) * BLOCK_SIZE)

    @property
    def end(self) -> Array:
        """Base after the last of each row's block."""
        return _summable(np.minimum(self.start.astype(np.int64) + BLOCK_SIZE, self.contig["length"]))

    def negative(self, names: Sequence[str]) -> Bools:
        """Which rows hold a number below zero."""
        return _any(self.numbers(name) < 0 for name in names)

    def order(self, names: Sequence[str]) -> Wrong:
        """Rows that should stand before the row above them, or are the same; by `names` within the contig."""
        before, equal = np.zeros(len(self.blocks) - 1, np.bool_), np.ones(len(self.blocks) - 1, np.bool_)
        for column in (self.columns[name] for name in names[1:]):
            before |= equal & (column[1:] < column[:-1])
            equal &= column[1:] == column[:-1]
        yield f"is not sorted by {', '.join(names)}", np.append(False, before)
        yield f"has the same {', '.join(names)} twice", np.append(False, equal)

    def called(self) -> Wrong:
        """What holds of called people in both tables; of sex chromosomes only who has none on Y is known here."""
        dip, hap, unknown = (self.numbers(name) for name in CALLED)
        kind = self.contig["kind"]
        nobody = {"autosome": hap, "mt": dip, "y": dip}.get(kind, np.zeros(1, np.int64))
        yield "has more people called than counted in the stratum", dip + hap > self.size
        yield "has more alleles unknown than of people not called", unknown > 2 * (self.size - dip - hap)
        yield f"has people called with copies that nobody has on {kind}", nobody > 0


def _variants(rows: _Rows) -> Wrong:
    pos = rows.numbers("pos")
    listed, dip, hap, het, homalt, hemi = (rows.numbers(name) for name in COUNTS[:-1])
    diploid, haploid = (homalt, hemi + het) if rows.contig["kind"] == "mt" else (het + homalt, hemi)
    yield from rows.order(KEY)
    outside = rows.elsewhere | (pos - 1 < rows.start) | (pos > rows.end)
    yield "has another contig, or a position outside the block", outside
    yield "has alleles beyond the end of the contig", pos - 1 + rows.by_word("ref", len) > rows.contig["length"]
    is_allele = [rows.by_word(name, lambda word: ALLELE.fullmatch(word) is not None) > 0 for name in ("ref", "alt")]
    alt_of_ref = {word: place for place, word in enumerate(rows.columns.words["alt"])}
    same = rows.by_word("ref", lambda word: alt_of_ref.get(word, -1)) == rows.columns["alt"]
    yield "has an allele that is not written in bases", ~is_allele[0] | ~is_allele[1] | same
    yield "has a negative count", rows.negative(COUNTS)
    yield "has a row that nobody lists", listed < 1
    yield "has more people listed than counted in the stratum", listed > rows.size
    yield "has more carriers than people listed", het + homalt + hemi > listed
    yield "has more diploid carriers than called", diploid > dip
    yield "has more haploid carriers than called", haploid > hap
    yield from rows.called()


def _an_track(rows: _Rows) -> Wrong:
    start, end = rows.numbers("start"), rows.numbers("end")
    counts = [rows.numbers(name) for name in CALLED]
    yield from _run_order(rows)
    yield "has another contig, or a run outside the block", rows.elsewhere | (start < rows.start) | (end > rows.end)
    yield "has an empty or reversed run", start >= end
    yield "has a negative count", rows.negative(CALLED)
    yield "has a run of zeros", ~_any(column != 0 for column in counts)
    overlap, touch = _neighbours(rows, counts)
    yield "has runs that overlap", overlap
    yield "has equal runs that touch", touch
    yield from rows.called()


def _run_order(rows: _Rows) -> Wrong:
    """Runs that stand neither by start and stratum nor, within a row group, by stratum and start."""
    starts, strata = rows.columns["start"], rows.columns["stratum"]
    key = starts.astype(np.int64) * (int(strata.max()) + 1) + strata
    firsts = np.cumsum([0, *rows.groups[:-1]])
    highest, lowest = np.maximum.reduceat(key, firsts), np.minimum.reduceat(key, firsts)
    by_start, by_stratum = np.zeros((2, len(key)), np.bool_)
    by_start[1:] = key[1:] < key[:-1]
    by_stratum[1:] = (strata[1:] < strata[:-1]) | ((strata[1:] == strata[:-1]) & (starts[1:] < starts[:-1]))
    by_stratum[firsts[1:]] = lowest[1:] < np.maximum.accumulate(highest)[:-1]
    if rows.before:
        # the last of each stratum: in no order, but all before what comes
        by_start[: rows.before] = by_stratum[: rows.before] = False
        by_start[rows.before] = key[rows.before] < highest[0]
    found = by_start if not by_start.any() else by_stratum
    yield f"is not sorted by {', '.join(RUN)}", found
    yield f"has the same {', '.join(RUN)} twice", np.append(False, key[1:] == key[:-1])


def _neighbours(rows: _Rows, counts: Sequence[Array]) -> tuple[Bools, Bools]:
    """Which runs overlap the run before them in their stratum and block, and which are one with it."""
    # within a stratum, rows are sorted by start: neighbours after a stable sort by stratum are neighbours on the contig
    by_stratum = np.argsort(narrowed(rows.columns["stratum"]), kind="stable")

    def pairs(column: Array) -> tuple[Array, Array]:
        ordered = column if len(column) == 1 else column.take(by_stratum)
        return (ordered, ordered) if len(column) == 1 else (ordered[:-1], ordered[1:])

    def both(*columns: Array) -> Bools:
        return reduce(np.logical_and, (np.equal(*pairs(column)) for column in columns))

    (_, start), (end, _) = pairs(rows.numbers("start")), pairs(rows.numbers("end"))
    together = both(rows.numbers("stratum"), rows.start)
    overlap, touch = np.zeros((2, len(by_stratum)), np.bool_)
    overlap[by_stratum[1:]] = together & (start < end)
    touch[by_stratum[1:]] = together & (start == end) & both(*counts)
    return overlap, touch


def _histograms(rows: _Rows) -> Wrong:
    yield from rows.order(BIN)
    yield "has another contig or block", rows.elsewhere | (rows.numbers("start") != rows.start)
    number = rows.columns["bin"]
    beyond = number >= rows.by_word("metric", lambda metric: BINS.get(metric, 0))
    yield "has an unknown metric or bin", (number < 0) | beyond
    yield "has a count below one", rows.columns["count"] < 1
    yield "has a stratum nobody is counted in", rows.size == 0


def _summable(numbers: Array) -> Array:
    """(n,) the numbers in so many bits that no sum of a few runs over, or (1,) of them where all are the same."""
    lowest, highest = int(numbers.min()), int(numbers.max())
    narrow = np.int32 if lowest > -SMALL and highest < SMALL else np.int64
    return np.array([lowest], narrow) if lowest == highest else numbers.astype(narrow, copy=False)


def _any(found: Iterable[Bools]) -> Bools:
    """Which rows any of these have."""
    return reduce(np.logical_or, found)


_RULES: Mapping[str, Callable[[_Rows], Wrong]] = {
    "variants": _variants, "an_track": _an_track, "histograms": _histograms
}  # fmt: skip
