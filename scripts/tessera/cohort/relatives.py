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

Doses = npt.NDArray[np.int8]

UNKNOWN = -1
#: fewer markers in common tell nothing
FEWEST_MARKERS = 500
#: people compared with everybody at a time
ROWS = 1024


def marker_doses(
    records: Iterable[Record], people: int, markers: Mapping[tuple[str, int], tuple[int, str, str]], mask: Mask
) -> Doses:
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


def find_relatives(names: Sequence[str], doses: Doses) -> tuple[pl.DataFrame, int]:
    """RELATIVES of n people, from (n, m) `doses`; and how many pairs share too few markers to tell."""
    known, het = (doses >= 0).astype(np.float32), (doses == 1).astype(np.float32)
    ref, alt = (doses == 0).astype(np.float32), (doses == 2).astype(np.float32)
    rows: list[tuple[str, str, int, float, str]] = []
    untold = 0
    for start in range(0, len(names), ROWS):
        part = slice(start, start + ROWS)
        shared = known[part] @ known.T
        opposite = ref[part] @ alt.T + alt[part] @ ref.T
        hets = np.minimum(het[part] @ known.T, known[part] @ het.T)
        unlike = het[part] @ (ref + alt).T + (ref + alt)[part] @ het.T + 4 * opposite
        with np.errstate(invalid="ignore", divide="ignore"):
            kinship = 0.5 - unlike / (4 * hets)
        later = np.arange(len(names))[None, :] > np.arange(start, start + len(shared))[:, None]
        told = later & (shared >= FEWEST_MARKERS) & (hets > 0)
        untold += int((later & ~told).sum())
        for one, other in zip(*np.nonzero(told & (kinship >= DEGREES[-1][1])), strict=True):
            first, second = sorted((names[start + one], names[other]))
            value = float(kinship[one, other])
            rows.append((first, second, int(shared[one, other]), round(value, 4), _degree(value)))
    return pl.DataFrame(sorted(rows), schema=RELATIVES.schema, orient="row"), untold


def _degree(kinship: float) -> str:
    return next(name for name, lowest in DEGREES if kinship >= lowest)
