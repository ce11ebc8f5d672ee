"""The count: one pass over the records of a file, to the blocks of a summary."""

from collections.abc import Container, Iterator

import numpy as np

from tessera.cohort.ledger import Ledger, wrong_reference
from tessera.cohort.overlaps import NO_RECORD, Overlaps
from tessera.cohort.sites import Reader, Sites
from tessera.cohort.stretch import STEP, CountRules, Stretch, StretchCount
from tessera.cohort.tally import Membership
from tessera.errors import InputError, refuse
from tessera.summary.blocks import BlockKey
from tessera.summary.parts import Part
from tessera.summary.people import People


def count_sites(
    reader: Reader, people: People, rules: CountRules, ledger: Ledger, step: int = STEP
) -> Iterator[tuple[BlockKey, Part]]:
    """Count the records (sorted by contig and POS) of `people` into blocks, in genome order of the file.

    Every contig of the build is answered for, also those without a record. Fills `ledger`. Raises InputError
    for unsorted records, REF that is not the reference's, and positions outside the contig.
    """
    order = Order()
    current: StretchCount | None = None
    overlaps: Overlaps | None = None
    for sites in reader.batches():
        ledger.records["read"] += len(sites.positions)
        # contigs of an assembly file (VCF 4.3, section 1.4.7) may stand anywhere, and are never counted
        if sites.contig.startswith("<"):
            ledger.records["dropped:contig_not_counted"] += len(sites.positions)
            continue
        if order.begins(sites):
            if current is not None and overlaps is not None:
                yield from current.finish()
                overlaps.finish()
            contig = rules.build.contig(sites.contig)
            whole = None if contig is None else Stretch.whole(contig)
            current = None if whole is None else StretchCount(whole, people, reader.members, rules, ledger, step)
            overlaps = None if whole is None else Overlaps(whole.start, whole.end, ledger.bases)
        if current is None or overlaps is None:
            ledger.records["dropped:contig_not_counted"] += len(sites.positions)
            continue
        yield from current.take(sites)
        overlaps.take(sites.positions, sites.ends)
    if current is not None and overlaps is not None:
        yield from current.finish()
        overlaps.finish()
    yield from count_silent(order.seen, people, reader.members, rules, ledger)
    if ledger.mismatches:
        raise wrong_reference(ledger.mismatches)
    ledger.check()


def count_silent(
    seen: Container[str], people: People, members: Membership, rules: CountRules, ledger: Ledger
) -> Iterator[tuple[BlockKey, Part]]:
    """The blocks of the contigs that are not `seen`: without records, each base is what the rules say of it."""
    for contig in rules.build.contigs:
        if contig.name not in seen:
            ledger.bases[NO_RECORD] += contig.length
            yield from StretchCount(Stretch.whole(contig), people, members, rules, Ledger()).finish()


class Order:
    """Records must come sorted by contig and POS, those on contigs that are not counted as well."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._contig, self._last_pos = "", 0

    def begins(self, sites: Sites) -> bool:
        """Whether a contig begins with this batch. Raises InputError when it came before, or POS goes back."""
        begins, pos = not self.seen or sites.contig != self._contig, sites.positions
        if begins and sites.contig in self.seen:
            raise _unsorted(f"{sites.contig}:{pos[0]}", "its contig came before")
        before = np.concatenate([[0 if begins else self._last_pos], pos[:-1]])
        for record in np.flatnonzero(pos < before):
            raise _unsorted(f"{sites.contig}:{pos[record]}", f"a position before {before[record]}")
        self.seen.add(sites.contig)
        self._contig, self._last_pos = sites.contig, int(pos[-1])
        return begins


def _unsorted(where: str, found: str) -> InputError:
    return refuse(where, found, "records sorted by contig and POS", "Sort the file (bcftools sort).")
