"""The AN track: how many people are called at each base, run by run, whether anybody has a variant there or not."""

from collections.abc import Sequence

import polars as pl

from tessera.schemas.an_track import AN_TRACK

#: what the track and the leaf table both say of a place
CALLED = ["n_dip", "n_hap", "an_unknown"]


def sum_tracks(terms: Sequence[tuple[pl.DataFrame, int]]) -> pl.DataFrame:
    """Add (sign 1) and subtract (sign -1) tracks of one contig, base by base.

    Each run becomes two events, +n at its start and -n at its end; the running sum over sorted events is the
    total. Runs of zeros are not stored and adjacent equal runs are one, so the result is canonical.
    """
    events = [
        track.lazy().select(
            "contig", "stratum", pl.col(edge).alias("at"), *(pl.col(c).cast(pl.Int64) * change for c in CALLED)
        )
        for track, sign in terms
        for edge, change in (("start", sign), ("end", -sign))
    ]
    return (
        pl.concat(events)
        .group_by("contig", "stratum", "at")
        .agg(pl.col(CALLED).sum())
        .filter(pl.any_horizontal(pl.col(CALLED) != 0))
        .sort("contig", "stratum", "at")
        .with_columns(
            pl.col(CALLED).cum_sum().over("contig", "stratum"),
            pl.col("at").shift(-1).over("contig", "stratum").alias("end"),
        )
        .filter(pl.any_horizontal(pl.col(CALLED) != 0))
        .rename({"at": "start"})
        .select(AN_TRACK.names)
        .sort("contig", "start", "stratum")
        .cast(AN_TRACK.schema)
        .collect()
    )


def called_at(track: pl.DataFrame, places: pl.DataFrame, columns: Sequence[str] = CALLED) -> pl.DataFrame:
    """What the track of one contig says at `pos` (1-based) of each row of `places` (with pos and stratum).

    Returns `places` sorted by pos, with the track's `columns`; zeros where the track says nothing.
    """
    runs = track.lazy().select("stratum", "start", "end", *columns).sort("start")
    base, end = pl.col("_base"), pl.col("end")
    return (
        places.lazy()
        .with_columns((pl.col("pos") - 1).alias("_base"))
        .sort("_base", maintain_order=True)
        .join_asof(runs, left_on="_base", right_on="start", by="stratum", strategy="backward", check_sortedness=False)
        .with_columns(pl.when(base < end).then(pl.col(c)).otherwise(0).fill_null(0).alias(c) for c in columns)
        .drop("_base", "start", "end")
        .collect()
    )
