"""The cells of a summary as arrays: every variant of a block by every leaf stratum, and sums over groups of people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tessera.summary.an_track import CALLED, IntArray, Steps, place
from tessera.summary.columns import Bools, Columns

if TYPE_CHECKING:
    import polars as pl

#: what a cell counts
COUNTED = ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi", "an_unknown")
#: variants that are held at once
VARIANTS_AT_ONCE = 16_384
#: numbers above it are packed no further into 64 bits
_WIDEST = 1 << 62


@dataclass(frozen=True)
class Cells:
    """n variants of one contig, in its order, by S leaf strata.

    `pos` (n,) is 1-based, `ref` and `alt` (n,) are text, `counts` (COUNTED, S, n) numbers of people, and of alleles for
    `an_unknown`.
    """

    contig: str
    strata: tuple[str, ...]
    pos: IntArray
    ref: "pl.Series"
    alt: "pl.Series"
    counts: IntArray

    def __len__(self) -> int:
        return len(self.pos)

    def take(self, rows: Bools) -> "Cells":
        """Some of the variants."""
        import polars as pl

        kept = pl.Series(rows)
        return replace(
            self,
            pos=self.pos[rows],
            ref=self.ref.filter(kept),
            alt=self.alt.filter(kept),
            counts=self.counts[..., rows],
        )

    def carried(self) -> "Cells":
        """The variants that somebody carries."""
        carriers = self.counts[COUNTED.index("n_het") : COUNTED.index("n_hemi") + 1]
        rows = np.asarray(carriers.any(axis=(0, 1)))
        return self if rows.all() else self.take(rows)

    def of(self, strata: Sequence[str]) -> IntArray:
        """(COUNTED, n) the counts of the people of some strata together."""
        places = [self.strata.index(stratum) for stratum in strata]
        found: IntArray = self.counts[:, places].sum(axis=1)
        return found


def cells(variants: Columns, track: Columns, strata: Sequence[str]) -> Iterator[Cells]:
    """The cells of a block, VARIANTS_AT_ONCE variants at a time: stored rows, else the AN track's answer at POS.

    `variants` and `track` are the tables of one block, in their order; `strata` are all those of its people.
    """
    keys = [variants[name] for name in ("pos", "ref", "alt")]
    starts = np.ones(len(variants), np.bool_)
    starts[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    firsts = np.append(np.flatnonzero(starts), len(variants))
    steps = Steps.of(track)
    for begin in range(0, len(firsts) - 1, VARIANTS_AT_ONCE):
        edges = firsts[begin : begin + VARIANTS_AT_ONCE + 1]
        rows = variants.take(slice(edges[0], edges[-1]))
        yield _cells(rows, edges - edges[0], steps, track.words["stratum"], tuple(strata))


def _cells(rows: Columns, edges: IntArray, steps: Steps, in_track: Sequence[str], strata: tuple[str, ...]) -> Cells:
    first, number = edges[:-1], len(edges) - 1
    which = np.repeat(np.arange(number), np.diff(edges))
    stratum = np.array([strata.index(word) for word in rows.words["stratum"]], np.int64)[rows["stratum"]]
    counts = np.zeros((len(COUNTED), len(strata), number), np.int64)
    for row, name in zip(counts, COUNTED, strict=True):
        row[stratum, which] = rows[name]
    stored = np.zeros((len(strata), number), np.bool_)
    stored[stratum, which] = True
    pos = rows["pos"][first].astype(np.int64)
    said = [COUNTED.index(name) for name in CALLED]
    for at, name in enumerate(strata):
        if name in in_track:
            unseen = np.flatnonzero(~stored[at])
            codes = np.full(len(unseen), in_track.index(name))
            answers = steps.at(place(pos[unseen] - 1, codes, len(in_track)))
            for number, answer in zip(said, answers, strict=True):
                counts[number, at, unseen] = answer
    ref, alt = (_words(rows, name, first) for name in ("ref", "alt"))
    contig = rows.words["contig"][int(rows["contig"][0])]
    return Cells(contig, strata, pos, ref, alt, counts)


def _words(rows: Columns, name: str, at: IntArray) -> "pl.Series":
    import polars as pl

    return pl.Series(rows.words[name], dtype=pl.String).gather(rows[name][at].astype(np.uint32))


@dataclass(frozen=True)
class Distinct:
    """Counts that several variants share, once each: `frame` holds COUNTED, AC, AN, AF and AN_unknown in k rows, and
    `which` (n,) the row of each variant. What is told of a group of people is worked out k times instead of n.
    """

    frame: "pl.DataFrame"
    which: IntArray


def distinct(counts: IntArray) -> Distinct:
    """The distinct columns of counts (COUNTED, n); AF is null where AN is 0."""
    import polars as pl

    from tessera.summary.frequencies import AC, AF, AN

    codes = np.zeros(counts.shape[1], np.int64)
    wide = 1
    for row in counts:
        values = int(row.max(initial=0)) + 1
        if values == 1:
            continue
        if wide * values >= _WIDEST:
            codes, wide = _numbered(codes)
        codes, wide = codes * values + row, wide * values
    which, number = _numbered(codes)
    first = np.zeros(number, np.int64)
    first[which[::-1]] = np.arange(len(which) - 1, -1, -1)
    frame = pl.DataFrame({name: row[first] for name, row in zip(COUNTED, counts, strict=True)})
    told = [AC.alias("AC"), AN.alias("AN"), AF.alias("AF"), pl.col("an_unknown").alias("AN_unknown")]
    return Distinct(frame.with_columns(told), which)


def _numbered(codes: npt.NDArray[np.int64]) -> tuple[IntArray, int]:
    """Each value's number among the different ones, by first appearance, and how many there are."""
    found = pa.Array.from_buffers(pa.int64(), len(codes), [None, pa.py_buffer(np.ascontiguousarray(codes))])
    encoded = found.dictionary_encode()
    numbers = np.frombuffer(encoded.indices.buffers()[1], np.int32, len(codes)) if len(codes) else codes
    return numbers.astype(np.int64), len(encoded.dictionary)
