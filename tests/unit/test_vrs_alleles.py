"""VRS alleles of many variants at once are those of each alone, and a REF that is not the reference's is refused."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.errors import InputError
from tessera.federation.vrs_alleles import vrs_alleles
from tessera.genome.digests import refget, sha512t24u
from tessera.genome.vrs import normalised
from tessera.summary.cells import COUNTED, Cells

#: R is written A in a VCF (section 1.6.1)
BASES = "ACGTTTTTGCACACACARCGTNACGGGGT"


@dataclass(frozen=True)
class OneContig:
    sequence: str

    def bases(self, contig: str, start: int, end: int) -> str:
        assert contig == "chr1"
        return self.sequence[start:end]

    def refget(self, contig: str) -> str:
        return refget(self.sequence.encode())


def cells(variants: list[tuple[int, str, str]]) -> Cells:
    pos, ref, alt = ([variant[column] for variant in variants] for column in range(3))
    counts = np.ones((len(COUNTED), 1, len(variants)), np.int64)
    texts = (pl.Series(column, dtype=pl.String) for column in (ref, alt))
    return Cells("chr1", ("EE_F",), np.array(pos, np.int64), *texts, counts)


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 12))
def test_all_at_once_are_as_one_by_one(seed: int, number: int) -> None:
    random = Random(seed)
    reference = OneContig(BASES)
    variants = []
    for _ in range(number):
        at, length = random.randrange(len(BASES)), random.choice((1, 1, 1, 2, 4))
        ref = BASES[at : at + length].replace("R", "A")
        alt = random.choice(("A", "C", "G", "T", ref[0] + "AC", ref + "T", "N"))
        variants.append((at + 1, ref, alt if alt != ref else f"{ref}G"))
    found = vrs_alleles(cells(sorted(variants)), reference)
    for row, variant in enumerate(sorted(variants)):
        allele = normalised(*variant, lambda start, end: BASES[start:end])
        sequence = f'{{"refgetAccession":"{reference.refget("chr1")}","type":"SequenceReference"}}'
        where = f'"end":{allele.end},"sequenceReference":{sequence},"start":{allele.start}'
        location = sha512t24u(f'{{{where},"type":"SequenceLocation"}}'.encode())
        whole = f'{{"location":"{location}","state":{allele.serialised_state},"type":"Allele"}}'
        assert (found.start[row], found.end[row]) == (allele.start, allele.end)
        assert (found.location[row].decode(), found.state[row].decode()) == (location, allele.state)
        assert found.digest[row].decode() == sha512t24u(whole.encode())


@pytest.mark.parametrize(
    ("pos", "ref", "there"),
    [(2, "G", "C"), (2, "CT", "CG"), (18, "C", "R"), (29, "TT", "T"), (30, "T", "no base"), (40, "A", "no base")],
)
def test_another_ref_is_refused(pos: int, ref: str, there: str) -> None:
    with pytest.raises(InputError, match=f"chr1:{pos} {ref}>N: the reference has {there} there; expected REF, {ref}"):
        vrs_alleles(cells([(1, "A", "T"), (pos, ref, "N")]), OneContig(BASES))
