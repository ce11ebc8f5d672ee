"""What is told of the population in which a frequency of a variant is the highest, for all variants of some cells."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from tessera.federation.groups import Counted, groups
from tessera.federation.pieces import Pieces, told
from tessera.federation.vcf_lines import fields_of

#: the population, among what a field of it may tell
NAME = pl.col("population")


def highest(counted: Counted, key: str, fields: Mapping[str, pl.Expr], not_in_grpmax: Sequence[str] = ()) -> Pieces:
    """The INFO fields of the population with the highest `key`, a column of `counted`, for each of n variants.

    Of all populations but `not_in_grpmax`; of equals the first by name. Fields are `.` where it is above 0 in none.
    """
    cells = counted.cells
    found = np.full(len(cells), ";".join(f"{name}=." for name in fields).encode(), object)
    best = np.zeros(len(cells))
    for group in groups(dict.fromkeys(cells.strata, 1), ()):
        if group.population and group.population not in not_in_grpmax:
            of = counted.of(group)
            values = of.frame[key].fill_null(0).to_numpy()[of.which]
            higher = values > best
            best[higher] = values[higher]
            named = of.frame.with_columns(pl.lit(group.population).alias("population"))
            found[higher] = told(replace(of, frame=named, which=of.which[higher]), fields_of(fields))
    return found
