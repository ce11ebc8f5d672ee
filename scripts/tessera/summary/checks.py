"""What must hold inside a summary: shape, order, canonical form, and numbers that are possible."""

from collections.abc import Iterator, Mapping

import polars as pl

from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import EDGES, HISTOGRAMS
from tessera.schemas.table import Table
from tessera.schemas.variants import VARIANTS
from tessera.summary.algebra import COUNTS, KEY
from tessera.summary.an_track import CALLED
from tessera.summary.blocks import Block, BlockKey
from tessera.summary.manifest import Manifest

RUN = ["contig", "start", "stratum"]
BIN = HISTOGRAMS.names[:-1]


def check_manifest(manifest: Manifest, fingerprint: str) -> Iterator[str]:
    """Sentences about what is wrong in a manifest; none when all is well."""
    if fingerprint != manifest.fingerprint:
        yield "manifest: the fingerprint is not that of its rules"
    counts = {"people": manifest.people, "an_basis": manifest.an_basis, "consent": manifest.consent}
    totals = {name: sum(counted.values()) for name, counted in counts.items()}
    if len(set(totals.values())) > 1:
        yield f"manifest: people counted differ: {totals}"
    ledger = manifest.ledger
    dropped = sum(n for name, n in ledger.items() if name.startswith("carriers_dropped:"))
    if ledger.get("carriers_in", 0) != ledger.get("carriers_counted", 0) + dropped:
        yield "manifest: the ledger does not balance: carriers in are not carriers counted and dropped"


def check_block(key: BlockKey, block: Block, manifest: Manifest) -> Iterator[str]:
    """Sentences about what is wrong in a block; none when all is well."""
    where = f"{key.contig} block {key.index}"
    tables = ((VARIANTS, block.variants, KEY), (AN_TRACK, block.an_track, RUN), (HISTOGRAMS, block.histograms, BIN))
    for table, frame, order in tables:
        if frame.schema != table.schema:
            yield f"{where}: {table.name} has columns {dict(frame.schema)}, not those of schema {table.version}"
            return
        yield from _order(where, table, frame, order)
    contig = next(c for c in manifest.rules["build"]["contigs"] if c["name"] == key.contig)
    end = min(key.end, contig["length"])
    variants = _variant_rules(key, end, contig["kind"], manifest.people)
    yield from _impossible(where, "variants", block.variants, variants)
    yield from _impossible(where, "an_track", block.an_track, _track_rules(key, end, manifest.people))
    yield from _impossible(where, "histograms", block.histograms, _histogram_rules(key, manifest.people))


def _order(where: str, table: Table, frame: pl.DataFrame, order: list[str]) -> Iterator[str]:
    keys = frame.select(order)
    if not keys.equals(keys.sort(order)):
        yield f"{where}: {table.name} is not sorted by {', '.join(order)}"
    if keys.is_duplicated().any():
        yield f"{where}: {table.name} has the same {', '.join(order)} twice"


def _variant_rules(key: BlockKey, end: int, kind: str, people: Mapping[str, int]) -> dict[str, pl.Expr]:
    size = pl.col("stratum").replace_strict(dict(people), default=0, return_dtype=pl.Int64)
    diploid = pl.col("n_homalt") if kind == "mt" else pl.col("n_het") + pl.col("n_homalt")
    haploid = pl.col("n_hemi") + pl.col("n_het") if kind == "mt" else pl.col("n_hemi")
    return {
        "another contig, or a position outside the block": (pl.col("contig") != key.contig)
        | ~(pl.col("pos") - 1).is_between(key.start, end, closed="left"),
        "a negative count": pl.any_horizontal(pl.col(COUNTS) < 0),
        "a row that nobody lists": pl.col("n_listed") < 1,
        "more people listed than counted in the stratum": pl.col("n_listed") > size,
        "more people called than counted in the stratum": pl.col("n_dip") + pl.col("n_hap") > size,
        "more diploid carriers than called": diploid > pl.col("n_dip"),
        "more haploid carriers than called": haploid > pl.col("n_hap"),
    }


def _track_rules(key: BlockKey, end: int, people: Mapping[str, int]) -> dict[str, pl.Expr]:
    size = pl.col("stratum").replace_strict(dict(people), default=0, return_dtype=pl.Int64)
    before = pl.col("end").shift(1).over("stratum")
    same = pl.all_horizontal(pl.col(c) == pl.col(c).shift(1).over("stratum") for c in CALLED)
    return {
        "another contig, or a run outside the block": (pl.col("contig") != key.contig)
        | (pl.col("start") < key.start) | (pl.col("end") > end),
        "an empty or reversed run": pl.col("start") >= pl.col("end"),
        "a negative count": pl.any_horizontal(pl.col(CALLED) < 0),
        "a run of zeros": pl.all_horizontal(pl.col(CALLED) == 0),
        "runs that overlap": pl.col("start") < before,
        "equal runs that touch": (pl.col("start") == before) & same,
        "more people called than counted in the stratum": pl.col("n_dip") + pl.col("n_hap") > size,
    }  # fmt: skip


def _histogram_rules(key: BlockKey, people: Mapping[str, int]) -> dict[str, pl.Expr]:
    bins = {metric: int(edges[2]) + 1 for metric, edges in EDGES.items()}
    known = pl.col("metric").replace_strict(bins, default=0, return_dtype=pl.Int64)
    return {
        "another contig or block": (pl.col("contig") != key.contig) | (pl.col("start") != key.start),
        "an unknown metric or bin": ~pl.col("bin").is_between(0, known, closed="left"),
        "a count below one": pl.col("count") < 1,
        "a stratum nobody is counted in": ~pl.col("stratum").is_in(list(people)),
    }


def _impossible(where: str, table: str, frame: pl.DataFrame, rules: Mapping[str, pl.Expr]) -> Iterator[str]:
    for sentence, broken in {"an empty cell": pl.any_horizontal(pl.all().is_null()), **rules}.items():
        rows = frame.filter(broken)
        if not rows.is_empty():
            yield f"{where}: {table} has {sentence}: {rows.row(0)} ({len(rows):,} rows)"
