"""Random people, each a small summary of one, and what they are together, summed by plain loops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from hypothesis import strategies as st

from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.variants import VARIANTS
from tessera.summary.blocks import BLOCK_SIZE, Block, BlockKey
from tessera.summary.manifest import Manifest
from tessera.summary.qc_sums import QcSum, QcSums

CONTIGS = ("chr1", "chr2", "chrM")
#: contig -> the bases about which something is known: across the border of two blocks, and at a contig's start
WINDOWS = {"chr1": (BLOCK_SIZE - 12, BLOCK_SIZE + 12), "chr2": (0, 16), "chrM": (0, 10)}
STRATA = ("XA_F", "XA_M", "XB_F", "XB_U")
#: metric -> the highest value drawn, width of a bin and number of the last one, all in the metric's last decimal
METRICS = {
    "yield_bp_q30": (10**12, 5 * 10**9, 100),
    "mean_autosome_coverage": (15_000, 100, 100),
    "pct_autosomes_15x": (10_000, 100, 99),
    "cross_contamination_rate": (10_000, 50, 199),
}
CHANGES = (("A", "C"), ("A", "G"), ("AT", "A"))
#: a person at a variant that the own record lists: (called, n_het, n_homalt, n_hemi)
DIPLOID = ((False, 0, 0, 0), (True, 0, 0, 0), (True, 1, 0, 0), (True, 0, 1, 0))
HAPLOID = ((False, 0, 0, 0), (True, 0, 0, 0), (True, 1, 0, 0), (True, 0, 0, 1))
RULES = {
    "build": {
        "name": "three",
        "contigs": [{"name": name, "kind": "mt" if name == "chrM" else "autosome", "length": 2 * BLOCK_SIZE}
                    for name in CONTIGS],
        "par": [],
    },
    "reference": "aaaa",
    "sequences": ["SQ.1", "SQ.2", "SQ.M"],
    "mask": {"min_gq": 20, "min_dp": 10, "min_dp_haploid": 5, "min_ab": 0.2},
    "half_call": "missing",
    "histogram_edges": {"gq_alt": [0, 5, 20], "ab_alt": [0, 0.05, 20]},
}  # fmt: skip

Variant = tuple[str, int, str, str]


@dataclass(frozen=True)
class Person:
    """One person: called bases, what the own records list, histogram cells; `basis` says what other bases mean."""

    stratum: str
    basis: str
    called: frozenset[tuple[str, int]]
    listed: dict[Variant, tuple[bool, int, int, int]]
    cells: tuple[tuple[str, int, str, int], ...]
    measured: dict[str, int] = field(default_factory=dict)

    def at(self, contig: str, base: int) -> tuple[int, int, int]:
        """n_dip, n_hap, an_unknown at a 0-based base."""
        dip_hap = (0, 1) if contig == "chrM" else (1, 0)
        if (contig, base) in self.called:
            return (*dip_hap, 0)
        return (0, 0, 2 * dip_hap[0] + dip_hap[1] if self.basis == "variant_only" else 0)

    def row(self, key: Variant) -> tuple[int, ...]:
        """n_listed and the six counts at a variant."""
        if key not in self.listed:
            dip, hap, unknown = self.at(key[0], key[1] - 1)
            return (0, dip, hap, 0, 0, 0, unknown)
        called, *carried = self.listed[key]
        haploid = key[0] == "chrM"
        return (1, int(called and not haploid), int(called and haploid), *carried, 0)


@st.composite
def people(draw: st.DrawFn, at_least: int = 0, at_most: int = 5) -> list[Person]:
    """Some people; with luck of one cohort, whose members all list the same variants."""
    cohort = draw(st.lists(variants(), max_size=3, unique=True))
    return draw(st.lists(person(cohort), min_size=at_least, max_size=at_most))


@st.composite
def variants(draw: st.DrawFn) -> Variant:
    """A variant within the windows."""
    contig = draw(st.sampled_from(CONTIGS))
    start, end = WINDOWS[contig]
    return (contig, draw(st.integers(start + 1, end - 1)), *draw(st.sampled_from(CHANGES)))


@st.composite
def person(draw: st.DrawFn, cohort: Sequence[Variant]) -> Person:
    """One person who has at least one called base, so that nobody can be taken away unnoticed."""
    called: set[tuple[str, int]] = {("chr2", 0)}
    for _ in range(draw(st.integers(0, 3))):
        contig = draw(st.sampled_from(CONTIGS))
        start, end = WINDOWS[contig]
        left = draw(st.integers(start, end - 1))
        called |= {(contig, base) for base in range(left, draw(st.integers(left + 1, end)))}
    own = cohort if draw(st.booleans()) else draw(st.lists(variants(), max_size=3, unique=True))
    listed = {key: draw(st.sampled_from(HAPLOID if key[0] == "chrM" else DIPLOID)) for key in own}
    cells = tuple(
        (key[0], (key[1] - 1) // BLOCK_SIZE * BLOCK_SIZE, metric, draw(st.integers(0, 20)))
        for key, state in listed.items()
        if any(state[1:])
        for metric in ("gq_alt", "dp_alt")
    )
    basis = draw(st.sampled_from(["gvcf", "declared", "variant_only"]))
    measured = {name: draw(st.integers(0, most)) for name, (most, *_) in METRICS.items() if draw(st.booleans())}
    return Person(draw(st.sampled_from(STRATA)), basis, frozenset(called), listed, cells, measured)


def blocks_of(group: Iterable[Person]) -> dict[BlockKey, Block]:
    """What counting these people gives; blocks in which nothing is stored are left out."""
    group = list(group)
    found = {}
    for contig, (start, end) in WINDOWS.items():
        for index in range(start // BLOCK_SIZE, (end - 1) // BLOCK_SIZE + 1):
            key = BlockKey(contig, index)
            block = Block(variant_rows(group, key), track_rows(group, key), histogram_rows(group, key))
            if not block.is_empty():
                found[key] = block
    return found


def qc_sums_of(group: Iterable[Person]) -> QcSums:
    """What the metrics of these people come to, person by person."""
    found: QcSums = {}
    for one in group:
        for metric, value in one.measured.items():
            before = found.get((one.stratum, metric), QcSum(0, 0, 0, {}))
            _, width, last = METRICS[metric]
            bins = Counter(before.bins) + Counter([min(value // width, last)])
            after = QcSum(before.n + 1, before.sum + value, before.sum_squares + value**2, dict(bins))
            found = {**found, (one.stratum, metric): after}
    return found


def variant_rows(group: Sequence[Person], block: BlockKey) -> pl.DataFrame:
    """A row for each variant and stratum in which somebody's own record lists it."""
    inside = {v for p in group for v in p.listed if v[0] == block.contig and block.start < v[1] <= block.end}
    rows = [(*v, s, *summed([p.row(v) for p in group if p.stratum == s])) for v in sorted(inside) for s in STRATA]
    return pl.DataFrame([row for row in rows if row[5]], schema=VARIANTS.schema, orient="row")


def track_rows(group: Sequence[Person], block: BlockKey) -> pl.DataFrame:
    """Runs of equal counts, base by base, without those of zeros."""
    left, right = WINDOWS[block.contig]
    rows: list[tuple[Any, ...]] = []
    for stratum in STRATA:
        run: list[Any] = []
        for base in range(max(left, block.start), min(right, block.end)):
            counts = summed([p.at(block.contig, base) for p in group if p.stratum == stratum])
            if run and run[4:] == counts:
                run[2] = base + 1
            else:
                rows.append(tuple(run))
                run = [block.contig, base, base + 1, stratum, *counts]
        rows.append(tuple(run))
    stored = sorted((row for row in rows if any(row[4:])), key=lambda row: (row[1], row[3]))
    return pl.DataFrame(stored, schema=AN_TRACK.schema, orient="row")


def histogram_rows(group: Sequence[Person], block: BlockKey) -> pl.DataFrame:
    """Cells with their number of carriers."""
    cells = Counter((contig, start, p.stratum, *place) for p in group for contig, start, *place in p.cells)
    rows = [(*cell, n) for cell, n in sorted(cells.items()) if cell[:2] == (block.contig, block.start)]
    return pl.DataFrame(rows, schema=HISTOGRAMS.schema, orient="row")


def summed(rows: Sequence[Sequence[int]]) -> list[int]:
    """Column by column."""
    return [sum(column) for column in zip(*rows, strict=True)] if rows else [0] * 7


def manifest_of(group: Iterable[Person]) -> Manifest:
    """Who they are, in numbers."""
    group = list(group)
    carriers = sum(sum(state[1:]) for p in group for state in p.listed.values())
    ledger = {"carriers_in": carriers, "carriers_counted": carriers}
    return Manifest(
        RULES,
        people=tally(p.stratum for p in group),
        an_basis=tally(p.basis for p in group),
        consent=tally("DUO:0000042" if p.basis == "gvcf" else "not stated" for p in group),
        ledger={name: n for name, n in sorted(ledger.items()) if n},
    )


def tally(names: Iterable[str]) -> dict[str, int]:
    """How often each name is there, sorted."""
    return dict(sorted(Counter(names).items()))
