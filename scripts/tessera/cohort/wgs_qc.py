"""The seven metrics of GA4GH WGS Quality Control, version 1, on the calls of each person of a VCF.

"High quality variants" are those that pass FILTER (terminologies.md); a FILTER of `.` passes, for callers that filter
nothing write it. A record is looked at as if it were the person's alone: its ALTs are those that the person carries, so
that a person has the same numbers in a VCF of one and in one of thousands. Half-calls count nowhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from tessera.files.vcf import ABSENT, Record
from tessera.genome.alleles import TRANSITIONS, is_sequence
from tessera.genome.build import Build
from tessera.schemas.wgs_qc import rounded

Counts = npt.NDArray[np.int64]

#: insertions and deletions of more bases are no short ones (count-insertions.md, count-deletions.md)
SHORT = 50
#: fewer SNVs on X tell nothing of its copies
FEWEST_ON_X = 20


class Kind(IntEnum):
    """What an ALT is; OTHER is what no metric counts: MNPs, complex, symbolic and spanning alleles."""

    OTHER = 0
    TRANSITION = 1
    TRANSVERSION = 2
    INSERTION = 3
    DELETION = 4
    LONG_INDEL = 5


SNVS = (Kind.TRANSITION, Kind.TRANSVERSION)
#: by Kind
IS_SNV = np.array([kind in SNVS for kind in Kind])
IS_INDEL = np.array([kind >= Kind.INSERTION for kind in Kind])


@dataclass
class VariantTally:
    """What the n people of a VCF carry on the autosomes, in records; each array is (n,)."""

    snvs: Counts
    het_snvs: Counts
    het_indels: Counts
    indels: Counts
    insertions: Counts
    deletions: Counts
    transitions: Counts
    transversions: Counts
    x_hets: Counts
    x_homs: Counts

    @classmethod
    def of(cls, people: int) -> "VariantTally":
        """Nothing seen yet of that many people."""
        return cls(*(np.zeros(people, np.int64) for _ in range(10)))

    def add(self, record: Record) -> None:
        """Count one record that passes FILTER."""
        kinds = np.array([Kind.OTHER, *(kind_of(record.ref, alt) for alt in record.alts)])
        who, first, second = _carriers(record.gt)
        low, high = kinds[first], kinds[second]
        het = first != second
        only = np.where((first == 0) | (second == 0) | ~het, np.maximum(low, high), Kind.OTHER)
        snv, indel = IS_SNV[low] | IS_SNV[high], IS_INDEL[low] | IS_INDEL[high]
        self.snvs[who] += snv
        self.het_snvs[who] += snv & het
        self.indels[who] += indel
        self.het_indels[who] += indel & het
        self.insertions[who] += only == Kind.INSERTION
        self.deletions[who] += only == Kind.DELETION
        self.transitions[who] += only == Kind.TRANSITION
        self.transversions[who] += only == Kind.TRANSVERSION

    def add_up(self, other: "VariantTally") -> None:
        """Take in what the same people carry in other records."""
        for field in fields(self):
            mine = getattr(self, field.name)
            mine += getattr(other, field.name)

    def add_on_x(self, record: Record) -> None:
        """Count one record of X outside the PARs: SNVs of genotypes written with two alleles."""
        kinds = np.array([Kind.OTHER, *(kind_of(record.ref, alt) for alt in record.alts)])
        who, first, second = _carriers(record.gt)
        snv = (IS_SNV[kinds[first]] | IS_SNV[kinds[second]]) & (record.gt[who, 1] != ABSENT)
        self.x_hets[who] += snv & (first != second)
        self.x_homs[who] += snv & (first == second)

    def metrics(self, person: int) -> dict[str, float | None]:
        """The seven metrics of a person, by the standard's names and with its decimals."""
        measured = {
            "count_snvs": count_snvs(self, person),
            "count_insertions": count_insertions(self, person),
            "count_deletions": count_deletions(self, person),
            "ratio_heterozygous_homzygous_snv": ratio_heterozygous_homzygous_snv(self, person),
            "ratio_heterozygous_homzygous_indel": ratio_heterozygous_homzygous_indel(self, person),
            "ratio_insertion_deletion": ratio_insertion_deletion(self, person),
            "ratio_transitions_transversions_snv": ratio_transitions_transversions_snv(self, person),
        }
        return {name: rounded(name, value) for name, value in measured.items()}


def tallied(records: Iterable[Record], build: Build, tally: VariantTally) -> Iterator[Record]:
    """Pass records on, counting on the way those on autosomes and X that pass FILTER and have an ALT of their own."""
    own_x = {c.name: [(r.start, r.end) for r in build.regions(c) if r.kind == "x"] for c in build.contigs}
    autosomes = {contig.name for contig in build.contigs if contig.kind == "autosome"}
    for record in records:
        if record.passes_filter and not record.is_reference:
            if record.contig in autosomes:
                tally.add(record)
            elif any(start < record.pos <= end for start, end in own_x.get(record.contig, [])):
                tally.add_on_x(record)
        yield record


def kind_of(ref: str, alt: str) -> Kind:
    """What an ALT (in capitals, as REF) is, as htslib tells types: equal first bases are cut, then equal last ones."""
    if not is_sequence(alt) or not is_sequence(ref):
        return Kind.OTHER
    at = 0
    while at < min(len(ref), len(alt)) and ref[at] == alt[at]:
        at += 1
    ref, alt = ref[at:], alt[at:]
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    if len(ref) == len(alt) == 1:
        return Kind.TRANSITION if ref + alt in TRANSITIONS else Kind.TRANSVERSION
    pure = not ref or not alt or (min(len(ref), len(alt)) == 1 and ref[-1] == alt[-1])
    longer = len(alt) - len(ref)
    if not pure or not longer:
        return Kind.OTHER
    if abs(longer) >= SHORT:
        return Kind.LONG_INDEL
    return Kind.INSERTION if longer > 0 else Kind.DELETION


def _carriers(gt: npt.NDArray[np.int16]) -> tuple[Counts, Counts, Counts]:
    """Who of n people carries an ALT, and both alleles of each, the same one twice of a genotype with one."""
    who = np.flatnonzero((gt > 0).any(axis=1))
    first, second = gt[who, 0], np.where(gt[who, 1] == ABSENT, gt[who, 0], gt[who, 1])
    called = (first >= 0) & (second >= 0)
    return who[called], first[called], second[called]


def count_snvs(tally: VariantTally, person: int) -> int:
    """count-snvs.md: "The number of variant of type SNVs in VCF, only in autosomal regions, high quality variants.\""""
    return int(tally.snvs[person])


def count_insertions(tally: VariantTally, person: int) -> int:
    """count-insertions.md: "The number of variant of type indels categorized as short insertions (less than 50bp)".

    As the reference implementation does (NPM-sample-QC, count_variants.py), records with several ALTs are left out.
    """
    return int(tally.insertions[person])


def count_deletions(tally: VariantTally, person: int) -> int:
    """count-deletions.md: "The number of variant type indels categorized as short deletions (less than 50bp)".

    As the reference implementation does, records with several ALTs are left out.
    """
    return int(tally.deletions[person])


def ratio_heterozygous_homzygous_snv(tally: VariantTally, person: int) -> float | None:
    """ratio-heterozygous-homozygous-snvs.md: "The ratio of heterozygous and homozygous variant of type SNVs".

    Two different alleles are heterozygous, also without REF (`1/2`). None without homozygous ones.
    """
    return _ratio(tally.het_snvs[person], tally.snvs[person] - tally.het_snvs[person])


def ratio_heterozygous_homzygous_indel(tally: VariantTally, person: int) -> float | None:
    """ratio-heterozygous-homozygous-indels.md: "The ratio of heterozygous and homozygous variant of type indels".

    Of any length. None without homozygous ones.
    """
    return _ratio(tally.het_indels[person], tally.indels[person] - tally.het_indels[person])


def ratio_insertion_deletion(tally: VariantTally, person: int) -> float | None:
    """ratio-insertions-deletions.md: "The ratio between number of short insertion and deletion (less than 50bp)"."""
    return _ratio(tally.insertions[person], tally.deletions[person])


def ratio_transitions_transversions_snv(tally: VariantTally, person: int) -> float | None:
    """ratio-transitions-transversions-ti-tv.md: "The ratio of transitions and transversions of bi-allelic SNVs"."""
    return _ratio(tally.transitions[person], tally.transversions[person])


def x_heterozygosity(tally: VariantTally, person: int) -> float | None:
    """Share of the SNVs on X, outside the PARs, that are heterozygous: none where there is one copy of X.

    None below FEWEST_ON_X, as where all genotypes on X are written with one allele.
    """
    hets, both = int(tally.x_hets[person]), int(tally.x_hets[person] + tally.x_homs[person])
    return round(hets / both, 4) if both >= FEWEST_ON_X else None


def _ratio(above: np.int64, below: np.int64) -> float | None:
    return float(above / below) if below else None
