"""Who is called at each base: the records that cover it, resolved to runs per leaf stratum."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from tessera.cohort.tally import Membership
from tessera.genome.build import Region
from tessera.summary.people import People

CountArray = npt.NDArray[np.int64]
PeopleArray = npt.NDArray[np.int32]

#: bits of people called that wait to be resolved; more are resolved before a step is full
PENDING_BYTES = 4 << 20


@dataclass(frozen=True)
class _Records:
    """What m records say of [start, end), 0-based, each within one region.

    `n_dip`, `n_hap` (m, strata) are called. `since` is where the record itself starts, when that is before `start`: a
    record across a border of ploidy is evidence for each side.
    """

    is_variant: npt.NDArray[np.bool_]
    start: CountArray
    end: CountArray
    since: CountArray
    n_dip: PeopleArray
    n_hap: PeopleArray


@dataclass(frozen=True)
class Evidence(_Records):
    """Records, and who is called: `called` (m, bytes) as bits, lowest first, one for each column of the file."""

    called: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class _Ranked(_Records):
    """Records by rank; `number` (m,) is that by which they came. Who is called where takes most of the memory and is
    asked of few, so it stays where it is."""

    number: npt.NDArray[np.int64]

    def at(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> "_Ranked":
        """Some of the records, in this order."""
        return _Ranked(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def with_called(self, called: npt.NDArray[np.uint8]) -> Evidence:
        """The records with who is called."""
        return Evidence(self.is_variant, self.start, self.end, self.since, self.n_dip, self.n_hap, called)


@dataclass(frozen=True)
class Runs:
    """m consecutive runs of bases; counts are (m, strata)."""

    starts: CountArray
    ends: CountArray
    n_dip: PeopleArray
    n_hap: PeopleArray
    an_unknown: PeopleArray

    def between(self, start: int, end: int) -> "Runs":
        """The runs that start in [start, end)."""
        some = slice(*np.searchsorted(self.starts, (start, end)))
        return Runs(self.starts[some], self.ends[some], self.n_dip[some], self.n_hap[some], self.an_unknown[some])


class Coverage:
    """Evidence of one contig, taken in any order within a window and resolved from left to right.

    At a base, variant records decide before reference records, and among equals the one that starts last; of
    several that start together all must pass. Bases without a record are called for everybody inside
    `callable_spans`, unknown when `unknown_outside`, and not called otherwise.
    """

    def __init__(
        self,
        people: People,
        regions: Sequence[Region],
        members: Membership,
        callable_spans: Sequence[tuple[int, int]] = (),
        *,
        unknown_outside: bool = False,
        done: int = 0,
    ) -> None:
        self._members = members
        self._borders = np.array([region.start for region in regions] + [regions[-1].end])
        self._spans = np.array(sorted(callable_spans), dtype=np.int64).reshape(-1, 2)
        self._unknown_outside = unknown_outside
        self._pending: list[Evidence] = []
        self._held = 0
        self._copies = [people.expected_ploidy(region.kind) for region in regions]
        #: by region, n_dip and n_hap when everybody is called
        self._everybody = [
            np.stack([members.by_stratum(np.flatnonzero(copies == number)) for number in (2, 1)])
            for copies in self._copies
        ]
        #: bases before it are resolved, or another's to resolve
        self.done = done

    def add(self, evidence: Evidence) -> None:
        """Take the evidence of some records; none may start before `done`."""
        self._pending.append(evidence)
        self._held += evidence.called.nbytes

    @property
    def is_full(self) -> bool:
        """Whether who is called takes so much memory that bases should be resolved soon."""
        return self._held > PENDING_BYTES

    def resolve(self, end: int, cuts: Sequence[int] = ()) -> Runs:
        """The runs of [done, end), cut also at `cuts`; `done` becomes `end`."""
        ranked = self._ranked()
        edges = self._edges(ranked, end, cuts)
        kind = np.searchsorted(self._borders, edges[:-1], side="right") - 1
        n_dip, n_hap, unknown = np.zeros((3, len(kind), self._members.labels), np.int32)
        declared, decided = np.zeros((2, len(kind)), np.bool_)
        for start, stop in self._spans_within(end):
            declared[np.searchsorted(edges, start) : np.searchsorted(edges, stop)] = True
        if ranked is not None:
            owner = _owners(ranked, edges)
            decided = owner >= 0
            covered = np.flatnonzero(decided)
            for counts, of_record in zip((n_dip, n_hap), self._together(ranked), strict=True):
                counts[covered] = of_record[owner[covered]]
            left = ranked.end > end
            self._pending = [ranked.at(left).with_called(self._called(ranked.number[left]))] if left.any() else []
            self._held = sum(evidence.called.nbytes for evidence in self._pending)
        of_kind = [np.stack([both[i] for both in self._everybody]) for i in (0, 1)]
        rest = np.flatnonzero(declared & ~decided)
        n_dip[rest], n_hap[rest] = (everybody[kind[rest]] for everybody in of_kind)
        if self._unknown_outside:
            rest = np.flatnonzero(~(declared | decided))
            unknown[rest] = (2 * of_kind[0] + of_kind[1])[kind[rest]]
        self.done = end
        return Runs(edges[:-1], edges[1:], n_dip, n_hap, unknown)

    def _ranked(self) -> _Ranked | None:
        """All pending evidence; the higher decides: variants before references, then the later start."""
        if not self._pending:
            return None
        names = [field.name for field in fields(_Records)]
        columns = {name: np.concatenate([getattr(e, name) for e in self._pending]) for name in names}
        whole = _Ranked(**columns, number=np.arange(len(columns["start"])))
        if whole.is_variant.all() and (whole.since[1:] > whole.since[:-1]).all():
            return whole
        return whole.at(np.lexsort((-whole.end, whole.start, whole.since, whole.is_variant)))

    def _called(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Who is called at pending records, by the numbers by which these came."""
        firsts = np.cumsum([0, *(len(evidence.start) for evidence in self._pending)])
        parts = np.searchsorted(firsts, numbers, side="right") - 1
        found = np.empty((len(numbers), self._pending[0].called.shape[1]), np.uint8)
        for part in np.unique(parts).tolist():
            found[parts == part] = self._pending[part].called[numbers[parts == part] - firsts[part]]
        return found

    def _edges(self, ranked: _Ranked | None, end: int, cuts: Sequence[int]) -> CountArray:
        found = [np.array([self.done, end, *cuts]), self._borders, self._spans_within(end).ravel()]
        if ranked is not None:
            found += [ranked.start, ranked.end]
        # several runs in order, which a merge sort takes as they are; np.unique hashes them
        edges = np.sort(np.concatenate(found).astype(np.int64), kind="stable")
        edges = edges[np.searchsorted(edges, self.done) : np.searchsorted(edges, end, side="right")]
        return edges[np.r_[True, edges[1:] != edges[:-1]]]

    def _spans_within(self, end: int) -> CountArray:
        first = bisect_left(self._spans[:, 1], self.done + 1)
        return self._spans[first : bisect_left(self._spans[:, 0], end)]

    def _together(self, ranked: _Ranked) -> tuple[PeopleArray, PeopleArray]:
        """n_dip and n_hap of each record, those of equal rank before it passing too where they lie."""
        same = np.ones(len(ranked.start), np.bool_)
        same[:1] = False
        for values in (ranked.is_variant, ranked.since, ranked.start):
            same[1:] &= values[1:] == values[:-1]
        asked = np.flatnonzero(same | np.append(same[1:], False))
        if not len(asked):
            return ranked.n_dip, ranked.n_hap
        n_dip, n_hap, bits = ranked.n_dip.copy(), ranked.n_hap.copy(), self._called(ranked.number[asked])
        for at in np.flatnonzero(same[asked]).tolist():
            record = asked[at]
            bits[at] &= bits[at - 1]
            called = np.unpackbits(bits[at], bitorder="little")[self._members.columns].astype(np.bool_)
            copies = self._copies[int(np.searchsorted(self._borders, ranked.start[record], side="right")) - 1]
            n_dip[record] = self._members.by_stratum(np.flatnonzero(called & (copies == 2)))
            n_hap[record] = self._members.by_stratum(np.flatnonzero(called & (copies == 1)))
        return n_dip, n_hap


def _owners(ranked: _Ranked, edges: CountArray) -> npt.NDArray[np.int64]:
    """For each run between edges the highest of the records that cover it, or -1."""
    owner = np.full(len(edges) - 1, -1, dtype=np.int64)
    first, last = np.searchsorted(edges, ranked.start), np.minimum(np.searchsorted(edges, ranked.end), len(edges) - 1)
    numbers = np.arange(len(first))
    single = last - first == 1
    np.maximum.at(owner, first[single], numbers[single])
    for number in numbers[last - first > 1]:
        part = owner[first[number] : last[number]]
        np.maximum(part, number, out=part)
    return owner
