"""The AN track as somebody reads it who has its Parquet file and docs/data-model.md, and none of our code."""

from pathlib import Path

import polars as pl


def called_runs(path: Path) -> pl.DataFrame:
    """The runs of a contig with all their ends, sorted by start and stratum."""
    next_start = pl.col("start").shift(-1).over("stratum", order_by="start")
    return pl.read_parquet(path).with_columns(pl.col("end").fill_null(next_start)).sort("start", "stratum")
