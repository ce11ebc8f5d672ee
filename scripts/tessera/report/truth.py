"""A summary against a table of expected counts, number by number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from tessera.summary.blocks import Block
from tessera.summary.frequencies import leaf_counts

VARIANT = ["contig", "pos", "ref", "alt", "stratum"]
PEOPLE = ["n_dip", "n_hap", "n_het", "n_homalt", "n_hemi"]
CALLED = ["n_dip", "n_hap"]
BIN = ["contig", "stratum", "metric", "bin"]


@dataclass(frozen=True)
class Comparison:
    """How many numbers were compared, and a sentence for each difference."""

    numbers: int
    differences: list[str]


def compare_variants(blocks: Iterable[Block], strata: Sequence[str], expected: pl.DataFrame) -> Comparison:
    """Every variant of the summary must be expected, with equal counts in every stratum, and every expected
    carrier must be in the summary."""
    found = pl.concat([leaf_counts(block, strata).select(*VARIANT, *PEOPLE) for block in blocks])
    missing = expected.join(found, on=VARIANT, how="anti")
    missing = missing.filter(pl.any_horizontal(pl.col("n_het", "n_homalt", "n_hemi") > 0))
    differences = [f"not in the summary: {row}" for row in missing.iter_rows()]
    return _compare(found, expected, VARIANT, PEOPLE, differences, numbers=len(PEOPLE) * len(missing))


def compare_tracks(tracks: Iterable[pl.DataFrame], expected: pl.DataFrame, regions: pl.DataFrame) -> Comparison:
    """The AN track and the expected one must agree at every base of `regions`."""
    found = pl.concat(list(tracks)).select("contig", "start", "end", "stratum", *CALLED)
    numbers, differences = 0, []
    for contig, start, end in regions.select("contig", "start", "end").iter_rows():
        mine, other = (_runs(frame, contig, start, end) for frame in (found, expected))
        numbers += (end - start) * len(CALLED) * expected["stratum"].n_unique()
        for frame, others, what in ((mine, other, "found"), (other, mine, "expected")):
            odd = frame.join(others, on=frame.columns, how="anti")
            differences += [f"AN track, {what} alone: {row}" for row in odd.iter_rows()]
    return Comparison(numbers, differences)


def compare_histograms(histograms: Iterable[pl.DataFrame], expected: pl.DataFrame) -> Comparison:
    """Bins, summed over the blocks of a contig; only contigs, strata and metrics that are expected."""
    summed = pl.concat(list(histograms)).group_by(BIN).agg(pl.col("count").sum())
    asked = summed.join(expected.select("contig", "stratum", "metric").unique(), on=BIN[:3], how="semi")
    differences = [f"not in the summary: {row}" for row in expected.join(asked, on=BIN, how="anti").iter_rows()]
    return _compare(asked, expected, BIN, ["count"], differences, numbers=len(differences))


def compare_people(decisions: pl.DataFrame, expected: pl.DataFrame) -> Comparison:
    """Everybody must be counted, or left out for the expected reason."""
    ready = [f.select("sample", "counted", pl.col("reason").fill_null("")) for f in (decisions, expected)]
    return _compare(ready[0], ready[1], ["sample"], ["counted", "reason"], [], numbers=0)


def _compare(
    found: pl.DataFrame, expected: pl.DataFrame, key: list[str], values: list[str], differences: list[str], numbers: int
) -> Comparison:
    joined = found.join(expected, on=key, how="left", suffix="_expected", maintain_order="left")
    equal = pl.all_horizontal(pl.col(v).eq_missing(pl.col(f"{v}_expected")) for v in values)
    for row in joined.filter(~equal).iter_rows(named=True):
        what = {v: row[v] for v in values}, {v: row[f"{v}_expected"] for v in values}
        differences.append(f"{' '.join(str(row[k]) for k in key)}: found {what[0]}, expected {what[1]}")
    return Comparison(numbers + len(values) * len(joined), differences)


def _runs(track: pl.DataFrame, contig: str, start: int, end: int) -> pl.DataFrame:
    """Runs clipped to [start, end), neighbours joined, so that equal tracks are equal tables."""
    clipped = track.filter((pl.col("contig") == contig) & (pl.col("end") > start) & (pl.col("start") < end))
    clipped = clipped.with_columns(pl.col("start").clip(start, end), pl.col("end").clip(start, end))
    ordered = clipped.filter(pl.any_horizontal(pl.col(CALLED) > 0)).sort("stratum", "start")
    same = pl.all_horizontal(
        pl.col("start") == pl.col("end").shift(1), *(pl.col(c) == pl.col(c).shift(1) for c in ["stratum", *CALLED])
    )
    run = (~same.fill_null(value=False)).cum_sum().alias("run")
    return (
        ordered.with_columns(run).group_by("run", maintain_order=True)
        .agg(pl.col("start").first(), pl.col("end").last(), pl.col("stratum", *CALLED).first())
        .drop("run")
    )  # fmt: skip
