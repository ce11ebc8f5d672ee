"""The VRS alleles of variants: computed identifiers, locations and states."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.errors import refuse
from tessera.federation.pieces import Pieces
from tessera.genome.alleles import concrete, cut
from tessera.genome.vrs import VrsAllele, allele_digests, location_digests, normalised
from tessera.summary.an_track import IntArray
from tessera.summary.cells import Cells
from tessera.summary.columns import Bools


class Sequences(Protocol):
    """A reference: bases by position, and the identifiers of its sequences."""

    def bases(self, contig: str, start: int, end: int) -> str:
        """Bases of [start, end), 0-based, upper case; shorter where the contig ends."""
        ...

    def refget(self, contig: str) -> str:
        """The refget identifier, `SQ.…`, of a contig's sequence."""
        ...


#: the serialised state of one base, by its number in ASCII
OF_LETTER: Pieces = np.array([VrsAllele(0, 1, chr(base)).serialised_state.encode() for base in range(128)], object)


@dataclass(frozen=True)
class VrsAlleles:
    """Of n alleles the digests of Allele and SequenceLocation, the interval [start, end), and the state as JSON."""

    digest: Pieces
    location: Pieces
    start: IntArray
    end: IntArray
    state: Pieces


def vrs_alleles(cells: Cells, reference: Sequences) -> VrsAlleles:
    """The alleles of the variants. Raises InputError where REF is not what the reference says.

    One base in place of the reference's is the allele it looks like, and most variants are that; others are normalised.
    """
    contig, refget = cells.contig, reference.refget(cells.contig)
    start = cells.pos - 1
    end = start + cells.ref.str.len_bytes().to_numpy()
    plain = _is_plain(cells, reference)
    serialised = OF_LETTER[_first_letters(cells.alt)]
    state = serialised.copy()
    for row in np.flatnonzero(~plain).tolist():
        allele = _normalised(contig, int(cells.pos[row]), cells.ref[row], cells.alt[row], reference)
        start[row], end[row] = allele.start, allele.end
        serialised[row], state[row] = allele.serialised_state.encode(), allele.state.encode()
    location = location_digests(refget, start.tolist(), end.tolist())
    return VrsAlleles(_pieces(allele_digests(location, serialised)), _pieces(location), start, end, state)


def _is_plain(cells: Cells, reference: Sequences) -> Bools:
    """Which variants (n,) are one base in place of another, the reference's."""
    found = np.zeros(len(cells), np.bool_)
    if len(cells):
        first = int(cells.pos.min()) - 1
        bases = np.frombuffer(reference.bases(cells.contig, first, int(cells.pos.max())).encode(), np.uint8)
        at = cells.pos - 1 - first
        inside = at < len(bases)
        found[inside] = bases[at[inside]] == _first_letters(cells.ref)[inside]
        for alleles in (cells.ref, cells.alt):
            found &= alleles.str.len_bytes().to_numpy() == 1
    return found


def _first_letters(alleles: pl.Series) -> npt.NDArray[np.uint8]:
    """The first letter of each allele, as ASCII."""
    return np.frombuffer("".join(alleles.str.slice(0, 1)).encode("ascii"), np.uint8)


def _normalised(contig: str, pos: int, ref: str, alt: str, reference: Sequences) -> VrsAllele:
    def bases(start: int, end: int) -> str:
        return reference.bases(contig, start, end)

    there = bases(pos - 1, pos - 1 + len(ref))
    if there != ref and concrete(there) != ref:
        raise refuse(
            f"{contig}:{pos} {cut(ref)}>{cut(alt)}", f"the reference has {cut(there) or 'no base'} there",
            f"REF, {cut(ref)}",
            "Give the FASTA that the people were counted on.",
        )  # fmt: skip
    return normalised(pos, ref, alt, bases)


def _pieces(texts: list[bytes]) -> Pieces:
    found = np.empty(len(texts), object)
    found[:] = texts
    return found
