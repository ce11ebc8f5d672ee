"""The tally of GA4GH WGS Quality Control over a cohort file: every person's records in one pass of the kernel.

It is VariantTally's, number for number. Of people who carry at most one ALT of a record the kernel's tallies by class
and zygosity are that; those with two it tallies apart (`by_record`). VariantTally itself takes what the kernel leaves
out, and genotypes of one allele, which the kernel counts nowhere among diploid people.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from tessera.cohort.cluster import Workers
from tessera.cohort.engine import members_of, reader_of
from tessera.cohort.genotypes import Reason
from tessera.cohort.kernel import KernelSites
from tessera.cohort.kernel_reader import KernelReader
from tessera.cohort.shards import Shard, shared_out
from tessera.cohort.sites import Asked, Bytes, IntArray, Sites
from tessera.cohort.tally import CLASSES, COUNTED, NOT_COUNTED, ZYGOSITIES, Membership, no_tallies
from tessera.cohort.wgs_qc import Kind, VariantTally, kind_of
from tessera.files.vcf import ABSENT, MISSING, VariantFile
from tessera.genome.build import Build
from tessera.schemas.mask import GENOTYPES
from tessera.summary.people import People

HET, HOM, TWO_ALTS = range(len(ZYGOSITIES))
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class TallyJob:
    """What a process needs to tally any shard of a file; it travels by the path of the file."""

    file: VariantFile
    people: People
    autosomes: frozenset[str]


def tally_file(file: VariantFile, people: People, build: Build, workers: Workers) -> VariantTally:
    """The tally of the n people of a cohort file (in its order) over the autosomes, whatever their qualities."""
    genotypes = VariantFile(file.path, genotypes_only=True)
    job = TallyJob(genotypes, people, frozenset(c.name for c in build.contigs if c.kind == "autosome"))
    reader, engine = reader_of(genotypes, people)
    shards, _ = shared_out(genotypes, build, engine, workers)
    if shards:
        tally = VariantTally.of(len(people.names))
        with workers.map(tally_shard, job, shards) as parts:
            for part in parts:
                tally.add_up(part)
        return tally
    whole = RecordTally(reader.members)
    for sites in reader.batches():
        if sites.contig in job.autosomes:
            whole.take(sites, 0, len(sites.pos))
    return whole.finish()


def tally_shard(job: TallyJob, shard: Shard) -> VariantTally:
    """The tally of one shard: of the records whose POS it holds."""
    members = members_of(job.file.samples, job.people)
    tally = RecordTally(members)
    if shard.contig in job.autosomes:
        for sites in KernelReader(job.file, members, job.people.names, shard.offset).batches():
            if sites.contig != shard.contig or sites.pos[0] > shard.end:
                break
            start, stop = np.searchsorted(sites.pos, [shard.start, shard.end], side="right").tolist()
            tally.take(sites, start, stop)
    return tally.finish()


class RecordTally:
    """What the n people of `members` carry, by record."""

    def __init__(self, members: Membership) -> None:
        self._members = members
        copies = np.full(len(members.columns), 2, np.int8)
        self._asked = Asked(copies, GENOTYPES, mitochondrial=False, by_record=True)
        self._tallies = no_tallies(members.width)
        self._slow = VariantTally.of(len(members.columns))

    def take(self, sites: Sites, start: int, stop: int) -> None:
        """Tally the records [start, stop) of a batch."""
        if start == stop:
            return
        if not isinstance(sites, KernelSites):
            self._take_slowly(sites, np.arange(start, stop))
            return
        use, kind = _uses(sites)
        counts = sites.count(start, stop, use, kind, self._asked, self._tallies)
        odd = sites.odd[start:stop]
        self._take_slowly(sites, start + np.flatnonzero(odd))
        owner = np.repeat(np.arange(start, stop), np.diff(sites.first[start : stop + 1]))
        short = np.unique(owner[counts.carriers[:, Reason.HAPLOID_CALL_OF_DIPLOID] > 0])
        self._take_slowly(sites, short[~odd[short - start]], of_one_allele=True)

    def _take_slowly(self, sites: Sites, records: IntArray, *, of_one_allele: bool = False) -> None:
        """Tally records one by one; with `of_one_allele` the people alone whose genotypes have one."""
        for number in records.tolist():
            record = sites.record(number)
            if of_one_allele:
                record.gt[record.gt[:, 1] != ABSENT] = MISSING
            if record.passes_filter:
                self._slow.add(record)

    def finish(self) -> VariantTally:
        """The tally of all that was taken."""
        table = self._tallies[self._members.columns, : len(CLASSES) * len(ZYGOSITIES)]
        by = table.reshape(-1, len(CLASSES), len(ZYGOSITIES))
        one_alt = by[:, :, [HET, HOM]].sum(axis=2)
        snvs, indels = slice(0, 2), slice(2, None)
        tally = VariantTally.of(len(table))
        for name, numbers in {
            "snvs": one_alt[:, snvs].sum(axis=1) + by[:, 0, TWO_ALTS],
            "het_snvs": by[:, snvs, HET].sum(axis=1) + by[:, 0, TWO_ALTS],
            "indels": one_alt[:, indels].sum(axis=1) + by[:, -1, TWO_ALTS],
            "het_indels": by[:, indels, HET].sum(axis=1) + by[:, -1, TWO_ALTS],
            "transitions": one_alt[:, 0],
            "transversions": one_alt[:, 1],
            "insertions": one_alt[:, 2],
            "deletions": one_alt[:, 3],
        }.items():
            getattr(tally, name)[:] = numbers
        tally.add_up(self._slow)
        return tally


def _uses(sites: Sites) -> tuple[Bytes, Bytes]:
    """(A,) what each ALT is to the kernel, and its class: kinds but OTHER, in their order."""
    owner = np.repeat(np.arange(len(sites.pos)), np.diff(sites.first))
    letters = (sites.ref_length[owner] == 1) & (sites.alt_length == 1)
    kinds = np.where(letters, _kinds_of_letters()[sites.ref_base[owner], sites.alt_base], Kind.OTHER).astype(np.uint8)
    longer = np.flatnonzero(~letters)
    texts = zip(sites.refs(owner[longer]), sites.alts(longer), strict=True)
    kinds[longer] = [kind_of(ref, alt) for ref, alt in texts]
    return np.where(kinds == Kind.OTHER, NOT_COUNTED, COUNTED).astype(np.uint8), np.maximum(kinds, 1) - np.uint8(1)


@cache
def _kinds_of_letters() -> npt.NDArray[np.uint8]:
    """(256, 256) the kind of a REF and an ALT of one letter each."""
    table = np.full((256, 256), Kind.OTHER, np.uint8)
    for ref in LETTERS:
        for alt in LETTERS:
            table[ord(ref), ord(alt)] = kind_of(ref, alt)
    return table
