"""Who is called at each base: the records that cover it, resolved to runs per leaf stratum."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tessera.genome.build import Region
from tessera.summary.people import People

BoolArray = npt.NDArray[np.bool_]
CountArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one record says of [start, end), 0-based: `called` is (n,) people.

    `since` is where the record itself starts, when that is before `start`: a record across a border of ploidy
    is evidence for each side.
    """

    is_variant: bool
    start: int
    end: int
    called: BoolArray
    since: int | None = None

    @property
    def rank(self) -> tuple[bool, int, int]:
        """The higher decides: variants before references, then the later start; equal ranks decide together."""
        return self.is_variant, self.start if self.since is None else self.since, self.start


@dataclass(frozen=True)
class Runs:
    """m consecutive runs of bases; counts are (m, strata)."""

    starts: CountArray
    ends: CountArray
    n_dip: CountArray
    n_hap: CountArray
    an_unknown: CountArray

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
        callable_spans: Sequence[tuple[int, int]] = (),
        *,
        unknown_outside: bool = False,
    ) -> None:
        self._regions = regions
        self._borders = np.array([region.start for region in regions] + [regions[-1].end])
        self._spans = np.array(sorted(callable_spans), dtype=np.int64).reshape(-1, 2)
        self._unknown_outside = unknown_outside
        self._pending: list[Evidence] = []
        self._everybody = np.ones(len(people.names), dtype=np.bool_)
        self._columns = [_strata_columns(people, region) for region in regions]
        self.done = 0

    def add(self, evidence: Evidence) -> None:
        """Take one record's evidence; it must not start before `done`."""
        self._pending.append(evidence)

    def resolve(self, end: int, cuts: Sequence[int] = ()) -> Runs:
        """The runs of [done, end), cut also at `cuts`; `done` becomes `end`."""
        edges = self._edges(end, cuts)
        owner, rows = self._owners(edges)
        called = np.array(rows, dtype=np.float64).reshape(len(rows), -1)
        n_dip, n_hap, most = (np.zeros((len(edges) - 1, self._columns[0][0].shape[1]), np.int64) for _ in range(3))
        kind = np.searchsorted(self._borders, edges[:-1], side="right") - 1
        for index, (dip, hap) in enumerate(self._columns):
            here = np.flatnonzero(kind == index)
            decided = here[owner[here] >= 0]
            n_dip[decided] = np.rint(called @ dip).astype(np.int64)[owner[decided]]
            n_hap[decided] = np.rint(called @ hap).astype(np.int64)[owner[decided]]
            if self._unknown_outside:
                most[here[owner[here] < 0]] = (2 * dip + hap).sum(axis=0).astype(np.int64)
        self.done = end
        self._pending = [evidence for evidence in self._pending if evidence.end > end]
        return Runs(edges[:-1], edges[1:], n_dip, n_hap, most)

    def _edges(self, end: int, cuts: Sequence[int]) -> CountArray:
        found = [self.done, end, *cuts, *self._borders.tolist(), *self._spans_within(end).ravel().tolist()]
        for evidence in self._pending:
            found += (evidence.start, evidence.end)
        edges = np.unique(np.array(found, dtype=np.int64))
        return edges[(edges >= self.done) & (edges <= end)]

    def _spans_within(self, end: int) -> CountArray:
        first = bisect_left(self._spans[:, 1], self.done + 1)
        return self._spans[first : bisect_left(self._spans[:, 0], end)]

    def _owners(self, edges: CountArray) -> tuple[npt.NDArray[np.int64], list[BoolArray]]:
        """For each run the row of `rows` that decides it (row 0 is everybody), or -1."""
        owner = np.full(len(edges) - 1, -1, dtype=np.int64)
        rows = [self._everybody]
        for start, stop in self._spans_within(int(edges[-1])):
            owner[np.searchsorted(edges, start) : np.searchsorted(edges, stop)] = 0
        ranked = sorted(self._pending, key=lambda e: (e.rank, -e.end))
        firsts = np.searchsorted(edges, [evidence.start for evidence in ranked])
        lasts = np.searchsorted(edges, [evidence.end for evidence in ranked])
        before: Evidence | None = None
        for evidence, first, last in zip(ranked, firsts, lasts, strict=True):
            together = before is not None and before.rank == evidence.rank
            rows.append(rows[-1] & evidence.called if together else evidence.called)
            owner[first:last] = len(rows) - 1
            before = evidence
        return owner, rows


def _strata_columns(people: People, region: Region) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Two (n, strata) matrices of 0 and 1: who is diploid, and who haploid, in this region, by stratum."""
    copies = people.expected_ploidy(region.kind)
    member = np.zeros((len(people.names), len(people.labels)))
    member[np.arange(len(people.names)), people.stratum_index()] = 1
    return member * (copies == 2)[:, None], member * (copies == 1)[:, None]
