"""Groups of people that exports tell of: everybody, each sex, each population, and each population by sex."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from tessera.summary.cells import Cells, Distinct, distinct


@dataclass(frozen=True)
class Group:
    """A population, a sex (F, M or U), both, or neither for everybody; `strata` are its leaf strata."""

    population: str | None
    sex: str | None
    strata: tuple[str, ...]
    people: int

    @property
    def name(self) -> str:
        """`EE`, `F`, `EE_F`; empty for everybody."""
        return "_".join(part for part in (self.population, self.sex) if part)

    @property
    def suffix(self) -> str:
        """`_EE`, `_F`, `_EE_F`; empty for everybody."""
        return f"_{self.name}" if self.name else ""


class Counted:
    """The counts of groups in some cells, with the columns that `more` adds; once for groups of the same people."""

    def __init__(self, cells: Cells, more: Callable[[pl.DataFrame], pl.DataFrame] = lambda table: table) -> None:
        self.cells, self._more = cells, more
        self._known: dict[tuple[str, ...], Distinct] = {}

    def of(self, group: Group) -> Distinct:
        """The distinct counts of a group."""
        if group.strata not in self._known:
            found = distinct(self.cells.of(group.strata))
            self._known[group.strata] = replace(found, frame=self._more(found.frame))
        return self._known[group.strata]


def populations(people: Mapping[str, int]) -> list[str]:
    """The populations of leaf strata, sorted."""
    return sorted({stratum.rpartition("_")[0] for stratum in people})


def groups(people: Mapping[str, int], sexes: Sequence[str] = ("F", "M")) -> list[Group]:
    """Everybody, then by sex, by population and by both, of leaf strata -> people; those without anybody left out.

    People of a sex that is not among `sexes` are in the groups that keep sexes together.
    """
    found = [
        Group(population, sex, strata, sum(people[stratum] for stratum in strata))
        for population in (None, *populations(people))
        for sex in (None, *sexes)
        if (strata := tuple(s for s in sorted(people) if _is_in(s, population, sex)))
    ]
    return found or [Group(None, None, (), 0)]


def _is_in(stratum: str, population: str | None, sex: str | None) -> bool:
    of, _, its_sex = stratum.rpartition("_")
    return population in (None, of) and sex in (None, its_sex)
