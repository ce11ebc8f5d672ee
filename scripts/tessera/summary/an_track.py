"""The AN track: how many people are called at each base, run by run, whether anybody has a variant there or not."""

from collections.abc import Sequence

import polars as pl

from tessera.schemas.an_track import AN_TRACK

#: what the track and the leaf table both say of a place
CALLED = ["n_dip", "n_hap", "an_unknown"]


def sum_tracks(tracks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Add tracks of one contig base by base; negative numbers subtract.

    Each run becomes two events, +n at its start and -n at its end; the running sum over sorted events is the
    total. Runs of zeros are not stored and adjacent equal runs are one, so the result is canonical.
    """
    events = pl.concat(
        [
            event
            for track in tracks
            for event in (
                track.select(
                    "contig",
                    "stratum",
                    pl.col("start").alias("at"),
                    *(pl.col(c).cast(pl.Int64) for c in CALLED),
                ),
                track.select(
                    "contig",
                    "stratum",
                    pl.col("end").alias("at"),
                    *(-pl.col(c).cast(pl.Int64) for c in CALLED),
                ),
            )
        ]
    )
    return (
        events.group_by("contig", "stratum", "at")
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
    )


def called_at(track: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """What the track of one contig says at `pos` (1-based) of each row of `places` (with pos and stratum).

    Returns `places` sorted by pos, with the columns of CALLED; zeros where the track says nothing.
    """
    runs = track.select("stratum", "start", "end", *CALLED).sort("start")
    found = (
        places.with_columns((pl.col("pos") - 1).alias("_base"))
        .sort("_base", maintain_order=True)
        .join_asof(runs, left_on="_base", right_on="start", by="stratum", strategy="backward", check_sortedness=False)
    )
    inside = pl.col("_base") < pl.col("end")
    return found.with_columns(pl.when(inside).then(pl.col(c)).otherwise(0).fill_null(0).alias(c) for c in CALLED).drop(
        "_base", "start", "end"
    )
