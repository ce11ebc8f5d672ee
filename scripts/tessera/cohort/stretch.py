"""The count of one stretch of a contig, to the blocks of a summary."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tessera.cohort.coverage import Coverage, Evidence, Runs
from tessera.cohort.genotypes import BoolArray, Reason, judge
from tessera.cohort.gvcf import Blocks
from tessera.cohort.keys import LOOKBACK, BatchKeys, Keys, ReferenceBases
from tessera.cohort.ledger import MISMATCHES_READ, Ledger, wrong_reference
from tessera.cohort.sites import Asked, Bytes, IntArray, Sites
from tessera.cohort.tables import (
    COUNTED_COLUMNS,
    Rows,
    histogram_table,
    leaf_table,
    no_rows,
    split_rows,
    track_table,
)
from tessera.cohort.tally import (
    COUNTED,
    NON_REF_ALLELE,
    Counts,
    Membership,
    tally_alt,
    tally_asked,
    tally_called,
)
from tessera.errors import refuse
from tessera.files.fasta import UPPER
from tessera.genome.alleles import concrete, cut
from tessera.genome.build import Build, Contig
from tessera.schemas.mask import Mask
from tessera.schemas.variants import VARIANTS
from tessera.summary.blocks import BLOCK_SIZE, BlockKey
from tessera.summary.parts import Part
from tessera.summary.people import People

#: bases resolved at a time; bounds memory, does not change results; and so many times as many of one person
STEP, OF_ONE = BLOCK_SIZE, 16
#: bases of the reference that are looked at together: what stays in the processor's cache
LOOKED_AT = 1 << 18


@dataclass(frozen=True)
class Stretch:
    """Bases [start, end) of a contig, 0-based: whole blocks, or up to the contig's end.

    A variant is counted by the stretch in which its normal form begins, a record told of by that of its POS, and a base
    of the AN track by its own.
    """

    contig: Contig
    start: int
    end: int

    @classmethod
    def whole(cls, contig: Contig) -> "Stretch":
        """All of a contig."""
        return cls(contig, 0, contig.length)

    def holds(self, pos: IntArray) -> BoolArray:
        """Whether these positions (1-based) lie in it."""
        return np.asarray((pos > self.start) & (pos <= self.end), np.bool_)


@dataclass(frozen=True)
class CountRules:
    """How a file is counted; `callable_spans` (contig -> 0-based spans) and `unknown_outside` say what bases
    without a record mean; `letters` are `bases` in either case, where they can be had faster."""

    build: Build
    mask: Mask
    bases: ReferenceBases
    callable_spans: Mapping[str, Sequence[tuple[int, int]]]
    unknown_outside: bool
    letters: Callable[[str, int, int], Bytes] | None = None


class StretchCount:
    """The count of one stretch; blocks come out as soon as no later record can touch them.

    Takes every record that reaches into the stretch, and those up to LOOKBACK behind it: they may be aligned into it.
    """

    def __init__(
        self,
        stretch: Stretch,
        people: People,
        members: Membership,
        rules: CountRules,
        ledger: Ledger,
        step: int = STEP,
    ) -> None:
        self._stretch, self._rules, self._ledger, self._members = stretch, rules, ledger, members
        self._step = step if members.width > 1 else OF_ONE * step
        self.contig = contig = stretch.contig
        self._regions = rules.build.regions(contig)
        self._borders = np.array([region.end for region in self._regions])
        self._mitochondrial = contig.kind == "mt"
        self._asked = [
            Asked(people.expected_ploidy(region.kind), rules.mask, mitochondrial=self._mitochondrial)
            for region in self._regions
        ]
        self._coverage = Coverage(
            people, self._regions, members, rules.callable_spans.get(contig.name, ()),
            unknown_outside=rules.unknown_outside, done=stretch.start,
        )  # fmt: skip
        self._labels = people.labels
        self._sizes = np.bincount(members.strata, minlength=len(self._labels)).astype(np.int32)
        self._keys = Keys(contig.name, rules.bases)
        self._rows: list[Rows] = []
        self._runs: list[Runs] = []
        self._histograms: dict[int, IntArray] = {}
        self._next_block = stretch.start // BLOCK_SIZE
        #: where the last of the plain reference blocks and the records between them ends
        self._ended = 0

    def take(self, sites: Sites) -> Iterator[tuple[BlockKey, Part]]:
        """Count a batch; yield the blocks that are complete."""
        self._check_ends(sites.contig, sites.positions, sites.ends)
        single = np.where(sites.ref_length == 1, sites.ref_base, 0).astype(np.uint8)

        def ref_of(record: int) -> str:
            return sites.refs(np.array([record]))[0]

        if sites.blocks is None:
            placed = self._right_reference(sites.pos, single, ref_of)
        else:
            right = self._right_reference(sites.positions, *sites.blocks.refs(single, ref_of))
            placed = right[sites.blocks.numbers]
            self._take_blocks(sites.blocks, right)
        for start, stop in _steps(sites.pos, self._step):
            self._take_some(sites, start, stop, placed[start:stop])
            yield from self._resolve_before(int(sites.pos[stop - 1]))
        yield from self._resolve_before(int(sites.positions[-1]))

    def _resolve_before(self, pos: int) -> Iterator[tuple[BlockKey, Part]]:
        """Resolve what no record from `pos` on can touch, when that is a step or more, or much waits."""
        complete = min(pos - 1 - LOOKBACK, self._stretch.end)
        step = LOOKBACK if self._coverage.is_full else self._step
        if complete - self._coverage.done >= step:
            yield from self._resolve(complete)

    def finish(self) -> Iterator[tuple[BlockKey, Part]]:
        """Yield the blocks that remain."""
        yield from self._resolve(self._stretch.end)
        if self._next_block * BLOCK_SIZE < self._stretch.end:
            yield from self._block()

    def _check_ends(self, contig: str, pos: IntArray, end: IntArray) -> None:
        for record in np.flatnonzero(end > self.contig.length):
            raise refuse(
                f"{contig}:{pos[record]}", f"it ends at {end[record]:,}",
                f"at most {self.contig.length:,}, the end of the contig",
                "Give the build that the file was made on (--build).",
            )  # fmt: skip

    def _take_blocks(self, blocks: Blocks, right: BoolArray) -> None:
        """Count the plain reference blocks of one person, of which REF is `right` (L,): nothing but who is called."""
        span = self._stretch.start, self._stretch.end
        joined, self._ended = blocks.joined(~right, span, self._regions, self._asked, self._ended)
        n_dip, n_hap = np.zeros((2, len(joined.start), len(self._labels)), np.int32)
        n_dip[:, self._members.strata[0]] = joined.copies == 2
        n_hap[:, self._members.strata[0]] = joined.copies == 1
        variant, called = np.zeros(len(joined.start), np.bool_), (joined.copies > 0).astype(np.uint8)[:, None]
        self._coverage.add(Evidence(variant, joined.start, joined.end, joined.since, n_dip, n_hap, called))

    def _take_some(self, sites: Sites, start: int, stop: int, placed: BoolArray) -> None:
        """Count the records [start, stop), which lie within one step, those `placed` whose REF is the reference's."""
        keys = self._keys.of(sites, start, stop, placed)
        regions = np.searchsorted(self._borders, sites.pos[start:stop] - 1, side="right")
        within, touches = self._within(sites, start, stop, keys)
        alone = placed & within & self._simply_placed(sites, start, stop, regions, keys)
        slow = list(np.flatnonzero(placed & touches & ~alone) + start)
        tallies = self._ledger.tallies_of(self._members.width)
        for first, last in _stretches(alone & ~sites.odd[start:stop], regions, start):
            asked, counted = self._asked[regions[first - start]], []
            for low, high in _steps(sites.pos[first:last], BLOCK_SIZE):
                counted.append(sites.count(first + low, first + high, keys.use, keys.kind, asked, tallies))
                block = (int(sites.pos[first + low]) - 1) // BLOCK_SIZE
                self._histograms[block] = self._histograms.get(block, 0) + counted[-1].histograms
            self._add_counts(sites, Counts.joined(counted), first, last, keys)
            slow += list(np.flatnonzero(sites.odd[first:last]) + first)
        slow += list(np.flatnonzero(alone & sites.odd[start:stop]) + start)
        for record in sorted(set(slow)):
            self._take_slowly(sites, int(record), keys)

    def _right_reference(self, pos: IntArray, single: Bytes, ref_of: Callable[[int], str]) -> BoolArray:
        """Whether REF of these records is the reference's; remembers those of which it is not.

        `single` is REF where that is one base, else 0.
        """
        contig, bases, letters = self.contig.name, self._rules.bases, self._rules.letters
        right = np.ones(len(pos), np.bool_)
        if bases is None:
            return right
        for start, stop in _steps(pos, LOOKED_AT):
            low, high, some = int(pos[start]) - 1, int(pos[stop - 1]), slice(start, stop)
            if letters is None:
                window = np.frombuffer(bases(contig, low, high).encode("ascii"), np.uint8)
            else:
                window = letters(contig, low, high)
            right[some] = single[some] == window[pos[some] - 1 - low] & UPPER
            for record in (start + np.flatnonzero(~right[some])).tolist():
                ref, at = ref_of(record), int(pos[record]) - 1
                expected = bases(contig, at, at + len(ref))
                right[record] = same_bases(ref, expected)
                if not right[record] and self._stretch.start <= at < self._stretch.end:
                    self._ledger.mismatches.append(f"{contig}:{at + 1} {cut(ref)} (reference: {cut(expected)})")
                    if len(self._ledger.mismatches) >= MISMATCHES_READ:
                        raise wrong_reference(self._ledger.mismatches)
        return right

    def _within(self, sites: Sites, start: int, stop: int, keys: BatchKeys) -> tuple[BoolArray, BoolArray]:
        """Whether a record and all its variants begin in the stretch, and whether they reach into it at all."""
        pos = sites.pos[start:stop]
        first, last = np.minimum(pos, keys.low[start:stop]), np.maximum(pos, keys.high[start:stop])
        within = self._stretch.holds(first) & self._stretch.holds(last)
        touches = (first <= self._stretch.end) & (sites.end[start:stop] > self._stretch.start)
        return within, np.asarray(touches, np.bool_)

    def _simply_placed(
        self, sites: Sites, start: int, stop: int, regions: npt.NDArray[np.intp], keys: BatchKeys
    ) -> BoolArray:
        """Whether a record and all its variants lie in one region and one block."""
        low, high = keys.low[start:stop], keys.high[start:stop]
        inside = (sites.end[start:stop] <= self._borders[regions]) & (high <= self._borders[regions])
        inside &= low - 1 >= np.concatenate([[0], self._borders])[regions]
        block = (sites.pos[start:stop] - 1) // BLOCK_SIZE
        inside &= ((low - 1) // BLOCK_SIZE == block) & ((high - 1) // BLOCK_SIZE == block)
        return np.asarray(inside, np.bool_)

    def _add_counts(self, sites: Sites, counts: Counts, first: int, last: int, keys: BatchKeys) -> None:
        """Take what the engine counted of the records [first, last), which lie in one region, but histograms."""
        counted = ~sites.odd[first:last]
        # most are: no copies for the sake of a few
        rows = slice(None) if counted.all() else np.flatnonzero(counted)
        starts = np.minimum(sites.pos[first:last], keys.low[first:last])[rows] - 1
        others = np.concatenate([[0], np.cumsum(keys.use != NON_REF_ALLELE)])
        is_variant = (np.diff(others[sites.first[first : last + 1]]) > 0)[rows]
        self._coverage.add(
            Evidence(
                is_variant, starts, sites.end[first:last][rows].copy(), starts, counts.n_dip[rows],
                counts.n_hap[rows], counts.called[rows],
            )
        )  # fmt: skip
        low = sites.first[first]
        owners = np.repeat(np.arange(last - first), np.diff(sites.first[first : last + 1]))
        alts = np.flatnonzero(counted[owners])
        self._take_alts(counts, alts, owners[alts], alts + low, keys)

    def _take_alts(self, counts: Counts, rows: IntArray, owners: IntArray, alts: IntArray, keys: BatchKeys) -> None:
        """Keep the rows of counted ALTs, and tell the ledger where each carrier went.

        `rows` are the ALTs' rows of `counts`, `owners` those of their records, `alts` their numbers in `keys`.
        """
        counted = keys.use[alts] == COUNTED
        entries = self._ledger.entries
        carriers = counts.carriers[rows[counted]].sum(axis=0)
        not_keyed = {
            "duplicate_record": int(counts.carriers[rows[keys.again[alts]]].sum()),
            "symbolic_allele": int(counts.carriers[rows[keys.symbolic[alts]]].sum()),
        }
        entries["carriers_in"] += int(carriers.sum()) + sum(not_keyed.values())
        entries["carriers_counted"] += int(carriers[Reason.CALLED])
        dropped = {reason.name.lower(): int(carriers[reason]) for reason in Reason if reason != Reason.CALLED}
        for reason, number in {**dropped, **not_keyed}.items():
            if number:
                entries[f"carriers_dropped:{reason}"] += number
        if counted.any():
            row, of, chosen = rows[counted], owners[counted], alts[counted]
            taken = np.empty((len(COUNTED_COLUMNS), len(row), len(self._labels)), np.int32)
            for into, name in zip(taken, COUNTED_COLUMNS, strict=True):
                getattr(counts, name).take(of if name in ("n_dip", "n_hap") else row, axis=0, out=into, mode="clip")
            self._rows.append(Rows(keys.pos[chosen], keys.ref[chosen], keys.alt[chosen], taken))

    def _take_slowly(self, sites: Sites, number: int, keys: BatchKeys) -> None:
        """Count one record by itself: one that the engine left out, or across a border of ploidy or of a block.

        A record is judged by the ploidy of each region it lies in: ploidy belongs to the base that is asked for.
        """
        record, stretch, tallies = sites.record(number), self._stretch, self._ledger.tallies_of(self._members.width)
        start, first = min(record.pos, int(keys.low[number])) - 1, int(sites.first[number])
        alts = np.arange(first, int(sites.first[number + 1]))
        places = np.where(keys.pos[alts] > 0, keys.pos[alts], record.pos)
        at = self._region(record.pos - 1) if stretch.start < record.pos <= stretch.end else None
        for index, region in enumerate(self._regions):
            left, right = max(start, region.start, stretch.start), min(record.end, region.end)
            own = alts[stretch.holds(places) & (np.searchsorted(self._borders, places - 1, side="right") == index)]
            if left >= right and not len(own):
                continue
            counts = Counts.zeros(1, len(alts), self._members.width, len(self._labels), tallies)
            asked = self._asked[index]
            reasons = judge(record, asked.copies, asked.mask, mitochondrial=asked.mitochondrial)
            tally_called(counts, 0, reasons, asked.copies, self._members)
            if left < right:
                at_left, at_right, since = (np.array([value], np.int64) for value in (left, right, start))
                variant = np.array([not record.is_reference])
                self._coverage.add(
                    Evidence(variant, at_left, at_right, since, counts.n_dip, counts.n_hap, counts.called)
                )
            for alt in own:
                one = Counts.zeros(1, len(alts), self._members.width, len(self._labels), tallies)
                tally_alt(
                    one, alt - first, record, alt - first + 1, int(keys.kind[alt]), reasons, asked.copies,
                    self._members, use=int(keys.use[alt]), mitochondrial=asked.mitochondrial,
                )  # fmt: skip
                one.n_dip, one.n_hap = counts.n_dip, counts.n_hap
                self._take_alts(one, np.array([alt - first]), np.array([0]), np.array([alt]), keys)
                block = (int(keys.pos[alt]) - 1) // BLOCK_SIZE
                if keys.use[alt] == COUNTED:
                    self._histograms[block] = self._histograms.get(block, 0) + one.histograms
            if index == at and (keys.use[alts] == COUNTED).any():
                tally_asked(counts, record, reasons, asked.copies, self._members)

    def _region(self, base: int) -> int:
        return int(np.searchsorted(self._borders, base, side="right"))

    def _resolve(self, end: int) -> Iterator[tuple[BlockKey, Part]]:
        """Resolve the track up to `end`, cut at block borders, and yield the blocks that end before it."""
        first = self._coverage.done // BLOCK_SIZE + 1
        borders = [index * BLOCK_SIZE for index in range(first, end // BLOCK_SIZE + 1)]
        self._runs.append(self._coverage.resolve(end, borders))
        while (self._next_block + 1) * BLOCK_SIZE <= end:
            yield from self._block()

    def _block(self) -> Iterator[tuple[BlockKey, Part]]:
        """Build and yield the next block; forget what went into it."""
        key = BlockKey(self.contig.name, self._next_block)
        self._next_block += 1
        rows = no_rows(VARIANTS)
        if self._rows:
            ready, beyond = split_rows(self._rows, key.end, self._keys.words)
            rows = leaf_table(key.contig, ready, self._keys.words, self._sizes, self._labels)
            refs, alts = self._keys.forget_but(beyond.refs, beyond.alts)
            self._rows = [replace(beyond, refs=refs, alts=alts)] if len(beyond.pos) else []
        runs = [runs.between(key.start, key.end) for runs in self._runs]
        self._runs = [runs for runs in self._runs if runs.ends[-1] > key.end]
        histograms = histogram_table(
            key.contig, key.start, self._histograms.pop(key.index, None), self._labels,
            mitochondrial=self._mitochondrial,
        )  # fmt: skip
        block = Part(rows, track_table(key.contig, runs, self._labels), histograms)
        if any(map(len, (block.variants, block.an_track, block.histograms))):
            yield key, block


def _steps(pos: IntArray, size: int) -> Iterator[tuple[int, int]]:
    """The records that lie within one step of `size` bases each, as [start, stop)."""
    cuts = np.flatnonzero(np.diff((pos - 1) // size)) + 1
    return ((start, stop) for start, stop in pairwise([0, *cuts.tolist(), len(pos)]) if start < stop)


def _stretches(wanted: BoolArray, place: IntArray, start: int) -> Iterator[tuple[int, int]]:
    """Runs of records that are wanted and have one `place`, as [first, last) from `start` on."""
    label = np.where(wanted, place, -1)
    borders = np.flatnonzero(np.diff(label)) + 1
    for first, last in pairwise([0, *borders.tolist(), len(label)]):
        if label[first] >= 0:
            yield first + start, last + start


def same_bases(ref: str, expected: str) -> bool:
    """Equal; where the reference has an ambiguity code, REF may have it, its first base, or N (as GATK writes)."""
    if ref == expected:
        return True
    return len(ref) == len(expected) and all(
        a in (b, concrete(b)) or (a == "N" and b not in "ACGT") for a, b in zip(ref, expected, strict=True)
    )
