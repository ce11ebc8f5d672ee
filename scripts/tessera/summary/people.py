"""The people of a file: who is listed for it and why somebody is not counted; karyotype and stratum of the others."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from tessera.genome.build import RegionKind, ploidy

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class People:
    """n people; `karyotypes` and `strata` are per person, `names` are private and never stored in a summary."""

    names: tuple[str, ...]
    karyotypes: tuple[str, ...]
    strata: tuple[str, ...]

    @property
    def labels(self) -> list[str]:
        """The distinct leaf strata, sorted."""
        return sorted(set(self.strata))

    def stratum_index(self) -> npt.NDArray[np.intp]:
        """(n,) index of each person's stratum in `labels`."""
        order = {label: i for i, label in enumerate(self.labels)}
        return np.array([order[stratum] for stratum in self.strata], dtype=np.intp)

    def expected_ploidy(self, kind: RegionKind) -> npt.NDArray[np.int8]:
        """(n,) copies of a region of this kind that each person has: 0, 1 or 2."""
        copies = {karyotype: ploidy(kind, karyotype) for karyotype in set(self.karyotypes)}
        return np.array([copies[karyotype] for karyotype in self.karyotypes], dtype=np.int8)


@dataclass(frozen=True)
class Listed:
    """n people whom a sheet lists for a file, in the file's order; `reasons` why each is not counted (empty: counted),
    `consents` None where not stated."""

    names: Sequence[str]
    karyotypes: Sequence[str]
    strata: Sequence[str]
    consents: Sequence[str | None]
    reasons: Sequence[str]

    @classmethod
    def of_frame(cls, rows: "pl.DataFrame") -> "Listed":
        """Rows with sample, sex, stratum, consent and reason."""
        return cls(*(rows[name].to_list() for name in ("sample", "sex", "stratum", "consent", "reason")))

    @property
    def n_counted(self) -> int:
        """How many are counted."""
        return len(self.reasons) - sum(map(bool, self.reasons))

    @property
    def counted(self) -> People:
        """Those who are."""
        chosen = [not reason for reason in self.reasons]
        return People(*(tuple(compress(column, chosen)) for column in (self.names, self.karyotypes, self.strata)))
