"""Who is related to whom, or is the same person twice: KING-robust kinship over common SNVs.

Manichaikul et al., Bioinformatics 2010, 26:2867, equation 11, as PLINK 2 computes it: of the markers at which both are
called, a half less a quarter of the squared differences in copies by the heterozygous ones of whoever has fewer. It
knows no allele frequencies, so a pair's number depends on these two people only, whoever else is there.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.genotypes import Reason, judge
from tessera.files.vcf import Record
from tessera.schemas.mask import Mask
from tessera.schemas.relatives import DEGREES, RELATIVES
from tessera.summary.blocks import Block, BlockKey

Doses = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
#: (contig, pos) -> a marker's number, REF and ALT
Markers = Mapping[tuple[str, int], tuple[int, str, str]]

UNKNOWN = -1
#: fewer markers in common tell nothing
FEWEST_MARKERS = 500
#: people compared with as many others at a time, at so many markers
ROWS, MARKERS_AT_ONCE = 1024, 8192


def marker_doses(records: Iterable[Record], people: int, markers: Markers, mask: Mask) -> Doses:
    """(n, m) copies of ALT that each of n people has at each of m markers, UNKNOWN where no believed genotype says.

    `markers` is (contig, pos) -> its number, REF and ALT. A reference record says 0 at every marker it covers, a
    variant record speaks of the marker at its POS alone.
    """
    doses = np.full((people, len(markers)), UNKNOWN, np.int8)
    diploid = np.full(people, 2, np.int8)
    for record in records:
        if record.is_reference:
            covered = [
                markers[at] for pos in range(record.pos, record.end + 1) if (at := (record.contig, pos)) in markers
            ]
        else:
            covered = [markers[at] for at in [(record.contig, record.pos)] if at in markers]
        if not covered or not record.passes_filter:
            continue
        believed = judge(record, diploid, mask, mitochondrial=False) == Reason.CALLED
        for number, ref, alt in covered:
            known = believed & (record.gt >= 0).all(axis=1)
            copies = _copies(record, ref, alt)
            known &= copies >= 0
            doses[known, number] = copies[known]
    return doses


def _copies(record: Record, ref: str, alt: str) -> Doses:
    """(n,) copies of that ALT; UNKNOWN for people with another, and for everybody where REF is another."""
    if record.is_reference:
        return np.where((record.gt == 0).all(axis=1), 0, UNKNOWN).astype(np.int8)
    if record.ref != ref:
        return np.full(len(record.gt), UNKNOWN, np.int8)
    allele = record.alts.index(alt) + 1 if alt in record.alts else UNKNOWN
    ours = ((record.gt == 0) | (record.gt == allele)).all(axis=1)
    return np.where(ours, (record.gt == allele).sum(axis=1), UNKNOWN).astype(np.int8)


class CountedMarkers:
    """The same of one person, out of the blocks of a count of this person alone: `doses` (m,).

    Who is called at the marker's base has no copies where the person's records list no SNV there; of a base under a
    deletion the deletion's record says so, while `marker_doses` does not ask it.
    """

    def __init__(self, markers: Markers) -> None:
        self.doses = np.full(len(markers), UNKNOWN, np.int8)
        by_contig: dict[str, list[tuple[int, int, str, str]]] = {}
        for (contig, pos), marker in markers.items():
            by_contig.setdefault(contig, []).append((pos, *marker))
        self._on = {contig: sorted(found) for contig, found in by_contig.items()}
        self._positions = {contig: np.array([pos for pos, *_ in found]) for contig, found in self._on.items()}

    def add(self, key: BlockKey, block: Block) -> None:
        """Read the person's genotypes off one block."""
        positions = self._positions.get(key.contig, np.zeros(0, np.int64))
        first, end = np.searchsorted(positions, [key.start + 1, key.end + 1])
        if first == end:
            return
        runs = block.an_track.filter(pl.col("n_dip") > 0)
        starts, ends = runs["start"].to_numpy(), runs["end"].to_numpy()
        bases = positions[first:end] - 1
        run = np.searchsorted(starts, bases, side="right") - 1
        called = run >= 0
        called[called] = ends[run[called]] > bases[called]
        snvs = block.variants.filter(
            (pl.col("ref").str.len_bytes() == 1)
            & (pl.col("alt").str.len_bytes() == 1)
            & pl.col("pos").is_in(positions[first:end].tolist())
            & (pl.col("n_het") + pl.col("n_homalt") > 0)
        )
        carried: dict[int, list[tuple[str, str, int]]] = {}
        for pos, ref, alt, het in snvs.select("pos", "ref", "alt", "n_het").iter_rows():
            carried.setdefault(pos, []).append((ref, alt, 1 if het else 2))
        for (pos, number, ref, alt), known in zip(self._on[key.contig][first:end], called.tolist(), strict=True):
            if known:
                self.doses[number] = _copies_of(carried.get(pos, []), ref, alt)


def _copies_of(carried: Sequence[tuple[str, str, int]], ref: str, alt: str) -> int:
    """Copies of that ALT among the SNVs that a person carries at its place; UNKNOWN beside or instead of another."""
    if not carried:
        return 0
    own = [copies for one, other, copies in carried if (one, other) == (ref, alt)]
    return own[0] if own and len(carried) == 1 else UNKNOWN


def find_relatives(names: Sequence[str], doses: Doses) -> tuple[pl.DataFrame, int]:
    """RELATIVES of n people, from (n, m) `doses`; and how many pairs share too few markers to tell.

    Compares ROWS people with ROWS others at a time: beside `doses` it holds a fixed number of such squares.
    """
    rows: list[tuple[str, str, int, float, str]] = []
    untold = 0
    for start in range(0, len(names), ROWS):
        for other_start in range(start, len(names), ROWS):
            one, other = doses[start : start + ROWS], doses[other_start : other_start + ROWS]
            shared, hets, unlike = _compared(one, other)
            with np.errstate(invalid="ignore", divide="ignore"):
                kinship = 0.5 - unlike / (4 * hets)
            pair = np.ones(shared.shape, np.bool_)
            if start == other_start:
                pair = np.triu(pair, 1)
            told = pair & (shared >= FEWEST_MARKERS) & (hets > 0)
            untold += int(pair.sum()) - int(told.sum())
            for i, j in zip(*np.nonzero(told & (kinship >= DEGREES[-1][1])), strict=True):
                first, second = sorted((names[start + i], names[other_start + j]))
                value = float(kinship[i, j])
                rows.append((first, second, int(shared[i, j]), round(value, 4), _degree(value)))
    return pl.DataFrame(sorted(rows), schema=RELATIVES.schema, orient="row"), untold


def _compared(one: Doses, other: Doses) -> tuple[Floats, Floats, Floats]:
    """Of each pair (a, b): markers known of both, the fewer heterozygous ones of the two, summed squared differences.

    With K known, H het and X = 1, 0, -1 of homozygous REF, het, homozygous ALT, the pair's opposite homozygotes are
    ((K - H)(K - H)' - XX') / 2. Sums stay whole below 2^24 markers, in 32 bits.
    """
    sums = np.zeros((5, len(one), len(other)), np.float32)
    for start in range(0, one.shape[1], MARKERS_AT_ONCE):
        (k, h, x), (k2, h2, x2) = (_signs(doses[:, start : start + MARKERS_AT_ONCE]) for doses in (one, other))
        for at, (left, right) in enumerate(((k, k2), (h, k2), (k, h2), (h, h2), (x, x2))):
            sums[at] += left @ right.T
    shared, left_het, right_het, both_het, alike = sums
    opposite = (shared - left_het - right_het + both_het - alike) / 2
    unlike = left_het + right_het - 2 * both_het + 4 * opposite
    return shared, np.minimum(left_het, right_het), unlike.astype(np.float32)


def _signs(doses: Doses) -> tuple[Floats, Floats, Floats]:
    known = doses >= 0
    parts = known, doses == 1, np.where(known, 1 - doses, 0)
    k, h, x = (part.astype(np.float32) for part in parts)
    return k, h, x


def _degree(kinship: float) -> str:
    return next(name for name, lowest in DEGREES if kinship >= lowest)
