"""Which population has the highest frequency of a variant, for all variants of some cells at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.federation.groups import groups
from tessera.summary.an_track import IntArray
from tessera.summary.cells import COUNTED, Cells
from tessera.summary.columns import Bools
from tessera.summary.statistics import FILTERING, filtering_frequency


def highest(cells: Cells, not_in_grpmax: Sequence[str] = ()) -> pl.DataFrame:
    """n rows of grpmax, its AC, AN, AF and nhomalt, and of the highest filtering frequencies and their populations.

    Named as in gnomAD 4. Over all populations but `not_in_grpmax`; null where none of them is above 0. Of equals the
    first by name.
    """
    everybody = dict.fromkeys(cells.strata, 1)
    taking_part = [g for g in groups(everybody, ()) if g.population and g.population not in not_in_grpmax]
    names = pl.Series([group.population for group in taking_part], dtype=pl.String)
    shape = (len(taking_part), len(COUNTED), len(cells))
    counts = np.array([cells.of(group.strata) for group in taking_part], np.int64).reshape(shape)
    dip, hap, het, homalt, hemi, _ = counts.swapaxes(0, 1)
    ac, an = het + 2 * homalt + hemi, 2 * dip + hap
    with np.errstate(divide="ignore", invalid="ignore"):
        af = np.where(an > 0, ac / an, 0.0)
    best = _Best.of(af)
    columns = {"grpmax": best.named(names)}
    for name, values in {"AC": ac, "AN": an, "AF": af, "nhomalt": homalt}.items():
        columns[f"{name}_grpmax"] = best.picked(values)
    for level, name in FILTERING.items():
        bound = np.where(an > 0, filtering_frequency(ac.ravel(), an.ravel(), level).reshape(ac.shape), 0.0)
        best = _Best.of(bound)
        columns |= {f"fafmax_{name}_max": best.picked(bound), f"fafmax_{name}_max_gen_anc": best.named(names)}
    return pl.DataFrame(columns)


@dataclass(frozen=True)
class _Best:
    """Of n variants the row (n,) in which a value is highest, and whether it is above 0."""

    row: IntArray
    above: Bools

    @classmethod
    def of(cls, values: npt.NDArray[np.float64]) -> "_Best":
        if not len(values):
            return cls(np.zeros(values.shape[1], np.int64), np.zeros(values.shape[1], np.bool_))
        return cls(values.argmax(axis=0), values.max(axis=0) > 0)

    def named(self, names: pl.Series) -> pl.Series:
        return names.gather(pl.select(pl.when(pl.Series(self.above)).then(pl.Series(self.row))).to_series())

    def picked(self, values: npt.NDArray[np.generic]) -> pl.Series:
        if not len(values):
            return pl.Series([None] * len(self.row), dtype=pl.Float64)
        found = pl.Series(np.take_along_axis(values, self.row[None], axis=0)[0])
        return pl.select(pl.when(pl.Series(self.above)).then(found)).to_series()
