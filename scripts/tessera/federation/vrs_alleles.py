"""The VRS alleles of variants: computed identifiers, locations and states, as columns of text."""

from typing import Protocol

import polars as pl

from tessera.errors import refuse
from tessera.genome.alleles import concrete
from tessera.genome.vrs import allele_digest, location_digest, normalised
from tessera.summary.cells import Cells

SCHEMA = {"VA": pl.String, "SL": pl.String, "start": pl.Int64, "end": pl.Int64, "state": pl.String}


class Sequences(Protocol):
    """A reference: bases by position, and the identifiers of its sequences."""

    def bases(self, contig: str, start: int, end: int) -> str:
        """Bases of [start, end), 0-based, upper case; shorter where the contig ends."""
        ...

    def refget(self, contig: str) -> str:
        """The refget identifier, `SQ.…`, of a contig's sequence."""
        ...


def vrs_alleles(cells: Cells, reference: Sequences) -> pl.DataFrame:
    """n rows of SCHEMA: digests of Allele and SequenceLocation, the interval, and the state as JSON.

    Raises InputError where REF is not what the reference says.
    """
    contig, refget = cells.contig, reference.refget(cells.contig)

    def bases(start: int, end: int) -> str:
        return reference.bases(contig, start, end)

    rows = []
    for pos, ref, alt in zip(cells.pos.tolist(), cells.ref.to_list(), cells.alt.to_list(), strict=True):
        there = bases(pos - 1, pos - 1 + len(ref))
        if there != ref and concrete(there) != ref:
            raise refuse(
                f"{contig}:{pos} {ref}>{alt}", f"the reference has {there or 'no base'} there", f"REF, {ref}",
                "Give the FASTA that the people were counted on.",
            )  # fmt: skip
        allele = normalised(pos, ref, alt, bases)
        location = location_digest(refget, allele)
        rows.append((allele_digest(location, allele), location, allele.start, allele.end, allele.state))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
