"""Records in batches: the fixed columns at once, the people when they are asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from tessera.cohort.genotypes import judge
from tessera.cohort.tally import Counts, Membership, tally_alt, tally_asked, tally_called
from tessera.files.vcf import Record
from tessera.genome.alleles import NON_REF
from tessera.schemas.mask import Mask

if TYPE_CHECKING:
    from tessera.cohort.gvcf import Blocks

IntArray = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: records that the reference engine holds at a time
BATCH = 500


class Sites(Protocol):
    """Consecutive records of one contig: R records with A ALTs in all.

    `pos` (R,) is 1-based, `end` (R,) the last base a record speaks of; ALTs of record r are [first[r], first[r + 1]);
    `ref_length`, `alt_length` in bytes and `ref_base`, `alt_base` the first letter, upper case; `non_ref` (A,) are
    `<NON_REF>` and `<*>`. Where plain reference blocks were taken apart before, they are in `blocks`, and all else is
    of the other records.
    """

    contig: str
    pos: IntArray
    end: IntArray
    first: IntArray
    ref_length: IntArray
    ref_base: Bytes
    alt_length: IntArray
    alt_base: Bytes
    non_ref: npt.NDArray[np.bool_]

    @property
    def blocks(self) -> "Blocks | None":
        """The plain reference blocks among the records."""

    @property
    def positions(self) -> IntArray:
        """POS of every record, those of `blocks` included."""

    @property
    def ends(self) -> IntArray:
        """The last base of every record, those of `blocks` included."""

    @property
    def odd(self) -> npt.NDArray[np.bool_]:
        """(R,) whether `count` leaves a record out, and `record` answers for it."""

    def refs(self, records: IntArray) -> list[str]:
        """REF of some records."""

    def alts(self, alts: IntArray) -> list[str]:
        """Some ALTs, upper case where they are written in bases."""

    def record(self, record: int) -> Record:
        """A record with the genotypes of the counted people. Raises InputError when it breaks a rule."""

    def count(self, start: int, stop: int, use: Bytes, kind: Bytes, region: "Asked", tallies: IntArray) -> Counts:
        """Judge and count the records [start, stop) but odd ones; `use`, `kind` (A,) say what each ALT is.

        Each person's counts are added to `tallies`. The rows of the Counts are those of these records and of their
        ALTs. More records may turn out odd.
        """


@dataclass(frozen=True)
class Asked:
    """How everybody is asked over a region: `copies` (n,) of it, the mask, whether it is mitochondrial.

    `by_record`, which the kernel alone knows: who has two ALTs of a record, and two copies, is tallied once, for an SNV
    among them as the hemi of the first class, for an indel as that of the last.
    """

    copies: npt.NDArray[np.int8]
    mask: Mask
    mitochondrial: bool
    by_record: bool = False


class Reader(Protocol):
    """An engine: reads a file batch by batch and counts it."""

    members: Membership

    def batches(self) -> Iterator[Sites]:
        """All records in file order."""


class RecordSites:
    """Sites of records that are read one by one: the reference engine."""

    def __init__(self, records: Sequence[Record], members: Membership) -> None:
        self._records, self._members = records, members
        self.contig = records[0].contig
        alts = [alt for record in records for alt in record.alts]
        self._alts = alts
        self.pos = np.array([record.pos for record in records], np.int64)
        self.end = np.array([record.end for record in records], np.int64)
        self.first = np.cumsum([0, *(len(record.alts) for record in records)])
        self.ref_length = np.array([len(record.ref) for record in records], np.int64)
        self.ref_base = np.array([ord(record.ref[0]) for record in records], np.uint8)
        self.alt_length = np.array([len(alt) for alt in alts], np.int64)
        self.alt_base = np.array([ord(alt[0]) for alt in alts], np.uint8)
        self.non_ref = np.array([alt in NON_REF for alt in alts], np.bool_)
        self.blocks, self.positions, self.ends = None, self.pos, self.end

    @property
    def odd(self) -> npt.NDArray[np.bool_]:
        return np.zeros(len(self._records), np.bool_)

    def refs(self, records: IntArray) -> list[str]:
        return [self._records[record].ref for record in records.tolist()]

    def alts(self, alts: IntArray) -> list[str]:
        return [self._alts[alt] for alt in alts.tolist()]

    def record(self, record: int) -> Record:
        return self._records[record]

    def count(self, start: int, stop: int, use: Bytes, kind: Bytes, region: Asked, tallies: IntArray) -> Counts:
        members = self._members
        alts = slice(int(self.first[start]), int(self.first[stop]))
        counts = Counts.zeros(stop - start, alts.stop - alts.start, members.width, members.labels, tallies)
        for row, record in enumerate(self._records[start:stop]):
            first = int(self.first[start + row]) - alts.start
            count_record(counts, row, record, first, use[alts], kind[alts], region, members)
        return counts


def count_record(
    counts: Counts,
    row: int,
    record: Record,
    first: int,
    use: Bytes,
    kind: Bytes,
    region: Asked,
    members: Membership,
) -> None:
    """Judge one record and add it to `counts`, whose ALTs of this record begin at `first`."""
    reasons = judge(record, region.copies, region.mask, mitochondrial=region.mitochondrial)
    tally_called(counts, row, reasons, region.copies, members)
    for allele, at in enumerate(range(first, first + len(record.alts)), start=1):
        tally_alt(
            counts, at, record, allele, int(kind[at]), reasons, region.copies, members,
            use=int(use[at]), mitochondrial=region.mitochondrial,
        )  # fmt: skip
    if (use[first : first + len(record.alts)] == 1).any():
        tally_asked(counts, record, reasons, region.copies, members)


class RecordReader:
    """The reference engine: cyvcf2 reads and numpy counts, one record at a time."""

    def __init__(self, records: Iterator[Record], members: Membership) -> None:
        self._records, self.members = records, members

    def batches(self) -> Iterator[Sites]:
        """All records in file order; a batch ends where the contig does."""
        held: list[Record] = []
        for record in self._records:
            if held and (record.contig != held[0].contig or len(held) == BATCH):
                yield RecordSites(held, self.members)
                held = []
            held.append(record)
        if held:
            yield RecordSites(held, self.members)
