"""`+` and `-` on summaries: sums of integers per key, commutative, associative, and exactly invertible.

A leaf-table row is stored where somebody's own record lists the variant; everybody else is answered for by the
AN track. So the difference between a row and the track at its position is a sum over people, and adding
summaries is: add the tracks, add the differences, read the total track back at every variant.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from tessera.errors import refuse
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.variants import VARIANTS
from tessera.summary.an_track import CALLED, called_at, sum_tracks
from tessera.summary.blocks import Block

KEY = ["contig", "pos", "ref", "alt", "stratum"]
COUNTS = ["n_listed", "n_dip", "n_hap", "n_het", "n_homalt", "n_hemi", "an_unknown"]


def add_counts(terms: Sequence[Mapping[str, int]], signs: Sequence[int], what: str) -> dict[str, int]:
    """Sum mappings of named integers; zeros vanish, so that subtraction is exact."""
    total: dict[str, int] = {}
    for term, sign in zip(terms, signs, strict=True):
        for name, count in term.items():
            total[name] = total.get(name, 0) + sign * count
    for name, count in total.items():
        if count < 0:
            raise _not_contained(f"{what} {name}", count)
    return {name: total[name] for name in sorted(total) if total[name]}


def combine(terms: Sequence[tuple[Block, int]]) -> Block:
    """The signed sum of blocks of one window: sign 1 adds, -1 subtracts; the sum of none is the empty block.

    Raises InputError when what is subtracted is not contained in what is added.
    """
    terms = [(block, sign) for block, sign in terms if not block.is_empty()]
    if [sign for _, sign in terms] == [1]:
        return terms[0][0]
    track = _sum_of_tracks([(block.an_track, sign) for block, sign in terms if not block.an_track.is_empty()])
    variants = _sum_of_variants([(block, sign) for block, sign in terms if not block.variants.is_empty()], track)
    histograms = [(block.histograms, sign) for block, sign in terms if not block.histograms.is_empty()]
    return Block(variants, track, _sum_of_histograms(histograms))


def _sum_of_tracks(terms: Sequence[tuple[pl.DataFrame, int]]) -> pl.DataFrame:
    if not terms:
        return AN_TRACK.empty
    track = sum_tracks(terms)
    _refuse_negative(track, CALLED, "AN track {contig}:{start}-{end} {stratum}")
    return track


def _sum_of_variants(terms: Sequence[tuple[Block, int]], track: pl.DataFrame) -> pl.DataFrame:
    if not terms:
        return VARIANTS.empty
    differences = [_signed(_differences(block), COUNTS, sign) for block, sign in terms]
    rows = pl.concat(differences).group_by(KEY).agg(pl.col(COUNTS).sum())
    _refuse_negative(rows, ["n_listed", "n_het", "n_homalt", "n_hemi"], "variant {contig}:{pos} {ref}>{alt} {stratum}")
    _refuse_leftover(rows)
    return _with_track(rows.filter(pl.col("n_listed") > 0), track)


def _sum_of_histograms(terms: Sequence[tuple[pl.DataFrame, int]]) -> pl.DataFrame:
    if not terms:
        return HISTOGRAMS.empty
    bins = HISTOGRAMS.names[:-1]
    summed = pl.concat([_signed(frame, ["count"], sign) for frame, sign in terms]).group_by(bins).agg(pl.sum("count"))
    _refuse_negative(summed, ["count"], "histogram {contig} {stratum} {metric} bin {bin}")
    return summed.filter(pl.col("count") != 0).select(HISTOGRAMS.names).sort(bins).cast(HISTOGRAMS.schema)


def _signed(frame: pl.DataFrame, columns: Sequence[str], sign: int) -> pl.DataFrame:
    return frame.with_columns(pl.col(c).cast(pl.Int64) * sign for c in columns)


def _differences(block: Block) -> pl.DataFrame:
    """Rows whose called counts are what they have more (or less) than the track at their position."""
    return _beside_track(block.variants.select(*KEY, pl.col(COUNTS).cast(pl.Int64)), block.an_track, -1)


def _with_track(differences: pl.DataFrame, track: pl.DataFrame) -> pl.DataFrame:
    """The opposite of `_differences`, in the order of the schema."""
    rows = _beside_track(differences, track, 1)
    return rows.select(VARIANTS.names).sort(KEY).cast(VARIANTS.schema)


def _beside_track(rows: pl.DataFrame, track: pl.DataFrame, sign: int) -> pl.DataFrame:
    """Rows with what the track says at their position added to (sign 1) or taken from (-1) their called counts."""
    said = {c: f"{c}_track" for c in CALLED}
    found = called_at(track.rename(said), rows, list(said.values()))
    return found.with_columns(pl.col(c) + sign * pl.col(t) for c, t in said.items()).drop(said.values())


def _refuse_negative(frame: pl.DataFrame, columns: Sequence[str], what: str) -> None:
    below = frame.filter(pl.any_horizontal(pl.col(columns) < 0))
    if not below.is_empty():
        row = below.row(0, named=True)
        raise _not_contained(what.format(**row), min(row[c] for c in columns))


def _refuse_leftover(rows: pl.DataFrame) -> None:
    """A row nobody lists any more must hold nothing: else the part was not of this whole."""
    carriers = ["n_het", "n_homalt", "n_hemi"]
    left = rows.filter((pl.col("n_listed") == 0) & pl.any_horizontal(pl.col([*carriers, *CALLED]) != 0))
    if not left.is_empty():
        row = left.row(0, named=True)
        raise _not_contained(
            "variant {contig}:{pos} {ref}>{alt} {stratum}".format(**row), sum(row[c] for c in carriers)
        )


def _not_contained(where: str, count: int) -> Exception:
    return refuse(
        where,
        f"{count:,} people left after the subtraction",
        "none below zero, and none where nobody lists it",
        "The second summary must be a part of the first: subtract only what was added.",
    )
