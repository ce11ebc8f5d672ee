"""QC sums as a table to read: mean, standard deviation and histogram of each metric, derived and never stored."""

from collections.abc import Sequence

import polars as pl

from tessera.schemas.qc_sums import unit_of, width_of
from tessera.schemas.wgs_qc import METRICS
from tessera.summary.frequencies import group_label
from tessera.summary.qc_sums import QcSum, QcSums, grouped, mean, standard_deviation

COLUMNS = {
    "stratum": pl.String,
    "metric": pl.String,
    "unit": pl.String,
    "n": pl.Int64,
    "mean": pl.Float64,
    "sd": pl.Float64,
    "histogram": pl.String,
}


def qc_table(sums: QcSums, by: Sequence[str] = ()) -> pl.DataFrame:
    """One row per group and metric, for leaf strata that `by` does not keep apart (as in `frequencies.pooled`).

    `n` people were measured; `sd` is that of a sample, null of one person. `histogram` has the lower edge of each bin
    that holds somebody, and how many.
    """
    strata = pl.DataFrame({"leaf": sorted({stratum for stratum, _ in sums})}, schema={"leaf": pl.String})
    labels = strata.select("leaf", pl.col("leaf").alias("stratum")).select("leaf", group_label(by))
    of_groups = grouped(sums, dict(labels.iter_rows()))
    rows = [
        (group, metric, METRICS[metric].unit, one.n, mean(metric, one), standard_deviation(metric, one),
         _histogram(metric, one))
        for group in sorted({group for group, _ in of_groups})
        for metric in METRICS
        if (one := of_groups.get((group, metric))) is not None
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=COLUMNS, orient="row")


def _histogram(metric: str, one: QcSum) -> str:
    edges = ((number * width_of(metric) / unit_of(metric), count) for number, count in sorted(one.bins.items()))
    return " ".join(f"{edge:.{METRICS[metric].decimals}f}:{count}" for edge, count in edges)
