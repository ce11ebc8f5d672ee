"""Counts the synthetic nation by brute force: base by base, person by person, in plain loops.

Nothing here is fast or clever, and nothing is shared with the package under test. It reads the facts
from which the files are written, never the files. Each function states the counting rule that it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facts import Block, Contig, Genotype, Member, Par, Record

MIN_GQ, MIN_DP, MIN_DP_HAPLOID, MIN_AB_PERCENT = 20, 10, 5, 20

Key = tuple[str, int, str, str]


@dataclass
class Counts:
    """The five integers of one variant in one stratum."""

    n_dip: int = 0
    n_hap: int = 0
    n_het: int = 0
    n_homalt: int = 0
    n_hemi: int = 0

    def add(self, other: Counts) -> None:
        """Add another node's counts to these."""
        self.n_dip += other.n_dip
        self.n_hap += other.n_hap
        self.n_het += other.n_het
        self.n_homalt += other.n_homalt
        self.n_hemi += other.n_hemi

    def row(self) -> tuple[int, int, int, int, int]:
        """In the order of the table's columns."""
        return (self.n_dip, self.n_hap, self.n_het, self.n_homalt, self.n_hemi)


@dataclass
class Genome:
    """Contigs, PAR table and sequences: what every rule needs to know."""

    contigs: Sequence[Contig]
    pars: Sequence[Par]
    sequences: dict[str, str]

    def kind(self, contig: str) -> str:
        """autosome, x, y or mt."""
        return next(c.kind for c in self.contigs if c.name == contig)


def expected_ploidy(genome: Genome, karyotype: str, contig: str, base: int) -> int:
    """How many alleles a person has at a 0-based base; 0 = is not counted there."""
    kind = genome.kind(contig)
    if kind == "autosome":
        return 2
    if kind == "mt":
        return 1
    if kind == "x":
        in_par = any(par.x[0] <= base < par.x[1] for par in genome.pars)
        return {"XX": 2, "XY": 2 if in_par else 1}.get(karyotype, 0)
    in_par = any(par.y[0] <= base < par.y[1] for par in genome.pars)
    return 1 if karyotype == "XY" and not in_par else 0


def normalise(sequence: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """The left-most, shortest way to write a change (`pos` 1-based)."""
    while True:
        if ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        elif not ref or not alt:
            pos -= 1
            ref, alt = sequence[pos - 1] + ref, sequence[pos - 1] + alt
        else:
            break
    while len(ref) > 1 and len(alt) > 1 and ref[0] == alt[0]:
        pos, ref, alt = pos + 1, ref[1:], alt[1:]
    return pos, ref, alt


def key_of(genome: Genome, record: Record, alt: str) -> Key | None:
    """The key of one ALT of a record; a spanning deletion has none."""
    if alt == "*":
        return None
    return (record.contig, *normalise(genome.sequences[record.contig], record.pos, record.ref, alt))


def usable(gt: Genotype, ploidy: int, kind: str) -> bool:
    """Is the genotype known, for somebody who has `ploidy` alleles here? A half-call is missing."""
    if None in gt or len(gt) == 0:
        return False
    if ploidy == 2:
        return len(gt) == 2
    return len(set(gt)) == 1 or kind == "mt"


def passes(record: Record, ploidy: int, kind: str) -> bool:
    """Is this sample called at this record? Judged once, on the unsplit record."""
    if record.filter not in ("PASS", ".") or not usable(record.gt, ploidy, kind):
        return False
    if record.gq is None or record.gq < MIN_GQ:
        return False
    if record.dp is None or record.dp < (MIN_DP if ploidy == 2 else MIN_DP_HAPLOID):
        return False
    if ploidy == 2 and record.gt[0] != record.gt[1]:
        for allele in record.gt:
            if allele and record.ad[allele] * 100 < MIN_AB_PERCENT * record.dp:
                return False
    return True


def block_passes(block: Block, ploidy: int, kind: str) -> bool:
    """Is this sample called under this reference block? GQ and MIN_DP."""
    enough = block.min_dp >= (MIN_DP if ploidy == 2 else MIN_DP_HAPLOID)
    return usable(block.gt, ploidy, kind) and block.gq >= MIN_GQ and enough


def first_base(genome: Genome, record: Record) -> int:
    """0-based base at which a record begins to answer: its smallest normalised POS, or its own if smaller."""
    starts = [record.pos]
    for alt in record.alts:
        key = key_of(genome, record, alt)
        if key:
            starts.append(key[1])
    return min(starts) - 1


def called_bases(genome: Genome, member: Member, contig: Contig) -> bytearray:
    """For every base of the contig: 0 = not called, 1 or 2 = called with so many alleles.

    Painted from the weakest answer to the strongest: declared regions, reference blocks, then variant
    records in the order of their starts, so that the latest start is on top; among equal starts one
    failure is enough.
    """
    ploidy = [expected_ploidy(genome, member.karyotype, contig.name, base) for base in range(contig.length)]
    called = bytearray(contig.length)
    for region in member.declared:
        if region.contig == contig.name:
            for base in range(region.start, region.end):
                called[base] = ploidy[base]
    for block in member.blocks:
        if block.contig == contig.name:
            for base in range(block.start, block.end):
                good = block_passes(block, ploidy[base], contig.kind)
                called[base] = ploidy[base] if good else 0
    painted_by = [-1] * contig.length
    here = [r for r in member.records if r.contig == contig.name]
    for record in sorted(here, key=lambda r: first_base(genome, r)):
        start = first_base(genome, record)
        for base in range(start, record.pos - 1 + len(record.ref)):
            good = passes(record, ploidy[base], contig.kind)
            if painted_by[base] == start:
                good = good and called[base] > 0
            called[base] = ploidy[base] if good else 0
            painted_by[base] = start
    return called


def own_record(genome: Genome, member: Member, key: Key) -> tuple[Record, int] | None:
    """The first record of the sample's file that lists the variant, and which of its alleles that is."""
    for record in member.records:
        if record.contig == key[0] and abs(record.pos - key[1]) < 100:
            for number, alt in enumerate(record.alts, start=1):
                if key_of(genome, record, alt) == key:
                    return record, number
    return None


def count_one(genome: Genome, member: Member, key: Key, called: bytearray) -> Counts:
    """What one person adds to one variant."""
    kind = genome.kind(key[0])
    ploidy = expected_ploidy(genome, member.karyotype, key[0], key[1] - 1)
    counts = Counts()
    if ploidy == 0:
        return counts
    own = own_record(genome, member, key)
    is_called = passes(own[0], ploidy, kind) if own else called[key[1] - 1] > 0
    if not is_called:
        return counts
    counts.n_dip, counts.n_hap = (1, 0) if ploidy == 2 else (0, 1)
    if own is None:
        return counts
    gt, allele = own[0].gt, own[1]
    if allele in gt and len(set(gt)) > 1:
        counts.n_het = 1
    elif allele in gt and ploidy == 2:
        counts.n_homalt = 1
    elif allele in gt:
        counts.n_hemi = 1
    return counts


class Node:
    """The counted people of one node and the bases at which each is called."""

    def __init__(self, genome: Genome, members: Iterable[Member]) -> None:
        self.genome = genome
        self.members = [m for m in members if m.counted]
        self.strata = sorted({m.stratum for m in self.members})
        self.called = {m.sample: {c.name: called_bases(genome, m, c) for c in genome.contigs} for m in self.members}

    def count(self, key: Key, stratum: str) -> Counts:
        """The five integers of one variant in one stratum of this node."""
        total = Counts()
        for member in self.members:
            if member.stratum == stratum:
                total.add(count_one(self.genome, member, key, self.called[member.sample][key[0]]))
        return total

    def track(self, contig: Contig, stratum: str) -> list[tuple[int, int]]:
        """Called diploid and haploid people at every base of the contig."""
        people = [self.called[m.sample][contig.name] for m in self.members if m.stratum == stratum]
        dip_hap = []
        for base in range(contig.length):
            alleles = [called[base] for called in people]
            dip_hap.append((alleles.count(2), alleles.count(1)))
        return dip_hap

    def histogram(self, keys: Iterable[Key]) -> dict[tuple[str, str, str, int], int]:
        """(contig, stratum, metric, bin) -> counted carriers, for gq_alt, dp_alt and ab_alt."""
        bins: dict[tuple[str, str, str, int], int] = {}
        for key in keys:
            for member in self.members:
                for metric, number in carrier_bins(self.genome, member, key):
                    cell = (key[0], member.stratum, metric, number)
                    bins[cell] = bins.get(cell, 0) + 1
        return bins


def carrier_bins(genome: Genome, member: Member, key: Key) -> list[tuple[str, int]]:
    """The histogram bins that one carrier falls into; empty for everybody else."""
    ploidy = expected_ploidy(genome, member.karyotype, key[0], key[1] - 1)
    own = own_record(genome, member, key)
    if ploidy == 0 or own is None:
        return []
    record, allele = own
    if allele not in record.gt or not passes(record, ploidy, genome.kind(key[0])):
        return []
    assert record.gq is not None
    assert record.dp is not None
    found = [("gq_alt", min(record.gq // 5, 20)), ("dp_alt", min(record.dp // 5, 20))]
    if ploidy == 2 and record.gt[0] != record.gt[1]:
        found.append(("ab_alt", min(record.ad[allele] * 20 // record.dp, 19)))
    return found


def run_lengths(values: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """start, end, n_dip, n_hap of each run of equal values that is not all zero."""
    runs = []
    start = 0
    for base in range(1, len(values) + 1):
        if base == len(values) or values[base] != values[start]:
            if values[start] != (0, 0):
                runs.append((start, base, *values[start]))
            start = base
    return runs


def call_rate(genome: Genome, member: Member) -> float:
    """Share of the known autosomal reference bases at which the person is called."""
    known = called = 0
    for contig in genome.contigs:
        if contig.kind == "autosome":
            bases = called_bases(genome, member, contig)
            for base, letter in enumerate(genome.sequences[contig.name]):
                known += letter != "N"
                called += letter != "N" and bases[base] > 0
    return called / known


def het_and_hom(genome: Genome, member: Member) -> tuple[int, int]:
    """How many autosomal genotypes that pass are het, and how many homozygous for an ALT."""
    het = hom = 0
    for record in member.records:
        if genome.kind(record.contig) == "autosome" and passes(record, 2, "autosome"):
            het += record.gt[0] != record.gt[1]
            hom += record.gt[0] == record.gt[1] != 0
    return het, hom
