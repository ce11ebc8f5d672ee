"""What must hold inside a summary: shape, order, canonical form, and numbers that are possible.

Every block that is read is judged, and most blocks of one person are small: the columns are compared as arrays,
which takes a fraction of the time of reading them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
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
#: bases, IUPAC's codes among them
ALLELE = r"^[A-Z]+$"
#: metric -> its bins, and one more for what is beyond the highest edge
BINS = {metric: EDGES[metric][2] + 1 for metric in sorted(EDGES)}

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
#: what is wrong with a row, as a verb and its object, and with which rows
Wrong = Iterator[tuple[str, BoolArray]]


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
    contig = next(c for c in manifest.rules["build"]["contigs"] if c["name"] == key.contig)
    if not 0 <= key.start < contig["length"]:
        yield f"{where}: it lies outside the contig"
        return
    strata = sorted(manifest.people)
    sizes = np.array([*(manifest.people[stratum] for stratum in strata), 0], dtype=np.int64)
    for table, frame, rules in (
        (VARIANTS, block.variants, _variants),
        (AN_TRACK, block.an_track, _an_track),
        (HISTOGRAMS, block.histograms, _histograms),
    ):
        if frame.schema != table.schema:
            yield f"{where}: {table.name} has columns {dict(frame.schema)}, not those of schema {table.version}"
        elif not frame.is_empty():
            rows = _Rows(table, frame, key, contig["length"], contig["kind"], strata, sizes)
            for sentence, wrong in [("has an empty cell", rows.empty_cells)] if rows.has_nulls else rules(rows):
                if wrong.any():
                    first = frame.row(int(wrong.argmax()))
                    yield f"{where}: {table.name} {sentence}: {first} ({wrong.sum():,} rows)"


@dataclass(frozen=True)
class _Rows:
    """The n rows of a table in one block, column by column as arrays of n, and what bounds them."""

    table: Table
    frame: pl.DataFrame
    key: BlockKey
    length: int
    kind: str
    strata: Sequence[str]
    sizes: IntArray

    @property
    def has_nulls(self) -> bool:
        return any(self.frame[name].null_count() for name in self.frame.columns)

    @property
    def empty_cells(self) -> BoolArray:
        return self.frame.select(pl.any_horizontal(pl.all().is_null())).to_series().to_numpy()

    def numbers(self, name: str) -> IntArray:
        """In 64 bits, so that no sum runs over."""
        return self.frame[name].to_numpy().astype(np.int64)

    def places(self, name: str, words: Sequence[str]) -> IntArray:
        """Where a column's words stand in `words`; -1 for another."""
        found = self.frame[name].cast(pl.Enum(words), strict=False).to_physical()
        return (found.cast(pl.Int64).fill_null(-1) if found.null_count() else found).to_numpy().astype(np.int64)

    @cached_property
    def stratum(self) -> IntArray:
        """Number of each row's stratum in `strata`, or -1."""
        return self.places("stratum", self.strata)

    @cached_property
    def size(self) -> IntArray:
        """People counted in each row's stratum; none in one that is unknown."""
        size: IntArray = self.sizes[self.stratum]
        return size

    @property
    def elsewhere(self) -> BoolArray:
        """Which rows are of another contig."""
        return (self.frame["contig"] != self.key.contig).to_numpy()

    @property
    def end(self) -> int:
        """Base after the block's last, 0-based."""
        return min(self.key.end, self.length)

    def negative(self, names: Sequence[str]) -> BoolArray:
        """Which rows hold a number below zero."""
        below: BoolArray = np.stack([self.numbers(name) for name in names]).min(axis=0) < 0
        return below

    def order(self, columns: Sequence[IntArray | pl.Series], names: Sequence[str]) -> Wrong:
        """Rows that should stand before the row above them, or are the same; by `columns` within the contig."""
        before, equal = np.zeros(self.frame.height - 1, np.bool_), np.ones(self.frame.height - 1, np.bool_)
        for column in columns:
            before |= equal & np.asarray(column[1:] < column[:-1])
            equal &= np.asarray(column[1:] == column[:-1])
        yield f"is not sorted by {', '.join(names)}", np.r_[False, before]
        yield f"has the same {', '.join(names)} twice", np.r_[False, equal]

    def called(self) -> Wrong:
        """What holds of called people in both tables; of sex chromosomes only who has none on Y is known here."""
        dip, hap, unknown = (self.numbers(name) for name in CALLED)
        nobody = {"autosome": hap, "mt": dip, "y": dip}.get(self.kind, np.zeros(1, np.int64))
        yield "has more people called than counted in the stratum", dip + hap > self.size
        yield "has more alleles unknown than of people not called", unknown > 2 * (self.size - dip - hap)
        yield f"has people called with copies that nobody has on {self.kind}", nobody > 0


def _variants(rows: _Rows) -> Wrong:
    pos, ref, alt = rows.numbers("pos"), rows.frame["ref"], rows.frame["alt"]
    listed, dip, hap, het, homalt, hemi = (rows.numbers(name) for name in COUNTS[:-1])
    diploid, haploid = (homalt, hemi + het) if rows.kind == "mt" else (het + homalt, hemi)
    yield from rows.order([pos, ref, alt, rows.stratum], KEY)
    outside = rows.elsewhere | (pos - 1 < rows.key.start) | (pos > rows.end)
    yield "has another contig, or a position outside the block", outside
    texts = rows.frame.select(
        is_allele=pl.col("ref").str.contains(ALLELE) & pl.col("alt").str.contains(ALLELE),
        bases=pl.col("ref").str.len_bytes().cast(pl.Int64),
    )
    yield "has alleles beyond the end of the contig", pos - 1 + texts["bases"].to_numpy() > rows.length
    yield "has an allele that is not written in bases", ~texts["is_allele"].to_numpy() | (ref == alt).to_numpy()
    yield "has a negative count", rows.negative(COUNTS)
    yield "has a row that nobody lists", listed < 1
    yield "has more people listed than counted in the stratum", listed > rows.size
    yield "has more carriers than people listed", het + homalt + hemi > listed
    yield "has more diploid carriers than called", diploid > dip
    yield "has more haploid carriers than called", haploid > hap
    yield from rows.called()


def _an_track(rows: _Rows) -> Wrong:
    start, end = rows.numbers("start"), rows.numbers("end")
    counts = np.stack([rows.numbers(name) for name in CALLED])
    yield from rows.order([start, rows.stratum], RUN)
    yield "has another contig, or a run outside the block", rows.elsewhere | (start < rows.key.start) | (end > rows.end)
    yield "has an empty or reversed run", start >= end
    yield "has a negative count", rows.negative(CALLED)
    yield "has a run of zeros", (counts == 0).all(axis=0)
    # rows are sorted by start: within a stratum, neighbours after a stable sort by stratum are neighbours on the contig
    by_stratum = np.argsort(rows.stratum, kind="stable")
    mine, after = by_stratum[:-1], by_stratum[1:]
    together = rows.stratum[mine] == rows.stratum[after]
    same = (counts[:, mine] == counts[:, after]).all(axis=0)
    overlap, touch = np.zeros((2, len(start)), np.bool_)
    overlap[after] = together & (start[after] < end[mine])
    touch[after] = together & (start[after] == end[mine]) & same
    yield "has runs that overlap", overlap
    yield "has equal runs that touch", touch
    yield from rows.called()


def _histograms(rows: _Rows) -> Wrong:
    start, number, metric = rows.numbers("start"), rows.numbers("bin"), rows.places("metric", list(BINS))
    yield from rows.order([start, rows.stratum, metric, number], BIN)
    yield "has another contig or block", rows.elsewhere | (start != rows.key.start)
    yield "has an unknown metric or bin", (number < 0) | (number >= np.array([*BINS.values(), 0])[metric])
    yield "has a count below one", rows.numbers("count") < 1
    yield "has a stratum nobody is counted in", rows.size == 0
