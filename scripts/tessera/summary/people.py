"""The people of a file who are counted: their karyotype and leaf stratum, in the file's order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tessera.genome.build import RegionKind, ploidy


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
        return np.array([ploidy(kind, karyotype) for karyotype in self.karyotypes], dtype=np.int8)
