"""Each person's tallies of a count, as a table."""

import numpy as np
import polars as pl

from tessera.cohort.tally import CLASSES, TALLIES, ZYGOSITIES, IntArray, Membership
from tessera.schemas.sample_counts import SAMPLE_COUNTS
from tessera.summary.people import People


def sample_counts(people: People, members: Membership, tallies: IntArray | int) -> pl.DataFrame:
    """SAMPLE_COUNTS of n people; `tallies` (columns of the file, TALLIES), or 0 when no record was counted."""
    table = np.broadcast_to(tallies, (members.width, len(TALLIES)))[members.columns]
    genotypes = table[:, : len(CLASSES) * len(ZYGOSITIES)].reshape(-1, len(CLASSES), len(ZYGOSITIES))
    by_class = dict(zip(CLASSES, genotypes.sum(axis=2).T, strict=True))
    sums = {name: table[:, at] for at, name in enumerate(TALLIES)}
    columns = {
        "sample": list(people.names),
        "n_snv": by_class["transition"] + by_class["transversion"],
        **{f"n_{name}": counts for name, counts in by_class.items()},
        **dict(zip((f"n_{zygosity}" for zygosity in ZYGOSITIES), genotypes.sum(axis=1).T, strict=True)),
        "n_asked": sums["n_asked"],
        "n_called": sums["n_called"],
        "call_rate": _ratio(sums["n_called"], sums["n_asked"]),
        "mean_gq": _ratio(sums["sum_gq"], sums["n_gq"]),
        "mean_dp": _ratio(sums["sum_dp"], sums["n_dp"]),
    }
    return pl.DataFrame(columns, schema_overrides=SAMPLE_COUNTS.schema).select(SAMPLE_COUNTS.names)


def _ratio(above: IntArray, below: IntArray) -> pl.Series:
    """Null where there is nothing below."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return pl.Series(above / below).fill_nan(None)
