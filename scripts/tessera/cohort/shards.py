"""An indexed file counted in shards, by several processes at a time.

A shard is a stretch of a contig, of whole blocks. What is counted does not depend on how a file is cut, and that every
record was read exactly once is proven, not trusted to the index: a shard ends where in the file the next one begins.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from tessera.cohort.cluster import Workers
from tessera.cohort.count import Order, count_silent, count_sites
from tessera.cohort.engine import Engine, members_of, reader_of
from tessera.cohort.kernel import KernelSites
from tessera.cohort.kernel_reader import KernelReader
from tessera.cohort.keys import LOOKBACK
from tessera.cohort.ledger import Ledger, wrong_reference
from tessera.cohort.overlaps import Overlaps
from tessera.cohort.stretch import CountRules, Stretch, StretchCount
from tessera.errors import refuse
from tessera.files.inflated import is_bgzf
from tessera.files.vcf import VariantFile
from tessera.files.vcf_index import ContigIndex, read_index
from tessera.genome.build import Build, Contig
from tessera.summary.blocks import BLOCK_SIZE, BlockKey
from tessera.summary.parts import Part
from tessera.summary.people import People

#: a shard is as many blocks as have this many compressed bytes, or one; and not more than these blocks
SHARD_BYTES, SHARD_BLOCKS = 8 << 20, 8
#: shards for each worker at least, so that none waits long for the last
SHARDS_OF_WORKER = 6
#: the place behind the last record of a file, and the position behind the last of any contig
END_OF_FILE, END_OF_CONTIG = -1, 1 << 31


@dataclass(frozen=True)
class Shard:
    """Bases [start, end) of a contig, and the virtual offset to read from (None: from the first record)."""

    contig: str
    start: int
    end: int
    offset: int | None


@dataclass(frozen=True)
class CountJob:
    """What a process needs to count any shard of a file; it travels by the paths of what is open."""

    file: VariantFile
    people: People
    rules: CountRules


@dataclass
class CountedShard:
    """The blocks of a shard in order and what it came to; the places in the file of its first record, and of the
    first record of the next shard."""

    blocks: list[tuple[BlockKey, Part]] = field(default_factory=list)
    ledger: Ledger = field(default_factory=Ledger)
    begins: int = END_OF_FILE
    ends: int = END_OF_FILE


@contextmanager
def count_file(
    file: VariantFile, people: People, rules: CountRules, ledger: Ledger, engine: Engine, workers: Workers
) -> Iterator[tuple[Iterator[tuple[BlockKey, Part]], str]]:
    """The blocks of a file, counted for `people` (in its order), and what counts them, in words; fills `ledger`.

    Several workers share the file where it has an index and the kernel was built. Raises InputError as `reader_of` and
    `count_sites` do.
    """
    reader, of = reader_of(file, people, engine)
    shards, ran = shared_out(file, rules.build, of, workers)
    if not shards:
        yield count_sites(reader, people, rules, ledger), ran
        return
    job = CountJob(file, people, rules)
    with workers.map(count_shard, job, shards) as counted:
        yield count_in_shards(job, shards, counted, ledger), ran


def shared_out(file: VariantFile, build: Build, engine: str, workers: Workers) -> tuple[list[Shard], str]:
    """The shards of a file for several workers, none where one process does it all; and in words what counts."""
    if engine != "kernel" or workers.alone:
        return [], engine
    index = read_index(file.path, list(file.contig_lengths)) if is_bgzf(file.path) else None
    if index is None:
        return [], f"{engine}, one process for want of a current index (.csi, .tbi)"
    shards = shards_of(index, build, file.path.stat().st_size, workers.number)
    # of a file without records, or of so few that nothing can be shared
    return (shards, f"{engine}, {workers.number} workers") if len(shards) > 1 else ([], engine)


def shards_of(index: Mapping[str, ContigIndex], build: Build, size: int, workers: int) -> list[Shard]:
    """The shards of a file of `size` bytes, in its order.

    A contig that the build does not name is one shard: its records are told of, not counted.
    """
    wanted = min(SHARD_BYTES, size // (SHARDS_OF_WORKER * workers))
    shards: list[Shard] = []
    for name, contig_index in index.items():
        contig = build.contig(name)
        starts = [0] if contig is None else _starts(contig, contig_index, wanted)
        for start, end in zip(starts, [*starts[1:], contig.length if contig else END_OF_CONTIG], strict=True):
            # what is aligned to the left can be the second of its kind, and the first up to LOOKBACK before
            offset = contig_index.offset(max(0, start - LOOKBACK)) if shards else None
            shards.append(Shard(name, start, end, offset))
    return shards


def _starts(contig: Contig, index: ContigIndex, wanted: int) -> list[int]:
    """Where the shards of a contig start: the records of each lie within about `wanted` compressed bytes."""
    starts = [0]
    for start in range(BLOCK_SIZE, contig.length, BLOCK_SIZE):
        compressed = (index.offset(start) >> 16) - (index.offset(starts[-1]) >> 16)
        if compressed >= wanted or start - starts[-1] >= SHARD_BLOCKS * BLOCK_SIZE:
            starts.append(start)
    return starts


def count_in_shards(
    job: CountJob, shards: Sequence[Shard], counted: Iterable[CountedShard], ledger: Ledger
) -> Iterator[tuple[BlockKey, Part]]:
    """The same blocks as of `count_sites`, from what each of the shards came to, in their order; fills `ledger`.

    Raises InputError when the shards leave out records of the file, or read some twice.
    """
    place = None
    for one in counted:
        if place not in (None, one.begins):
            raise _wrong_index(str(job.file.path))
        place = one.ends
        ledger.add(one.ledger)
        yield from one.blocks
    if place != END_OF_FILE:
        raise _wrong_index(str(job.file.path))
    members = members_of(job.file.samples, job.people)
    yield from count_silent({shard.contig for shard in shards}, job.people, members, job.rules, ledger)
    ledger.check()


def _wrong_index(path: str) -> Exception:
    return refuse(
        path, "an index that does not lead to each of its records once", "the index of this very file",
        f"Run: bcftools index --force {path}",
    )  # fmt: skip


def count_shard(job: CountJob, shard: Shard) -> CountedShard:
    """Count one shard. Raises InputError as `count_sites` does."""
    members = members_of(job.file.samples, job.people)
    batches = KernelReader(job.file, members, job.people.names, shard.offset).batches()
    contig, counted = job.rules.build.contig(shard.contig), CountedShard()
    ledger, order = counted.ledger, Order()
    if contig is None:
        for sites in _of_shard(batches, shard, counted):
            order.begins(sites)
            ledger.records.update({"read": len(sites.positions), "dropped:contig_not_counted": len(sites.positions)})
        return counted
    stretch = Stretch(contig, shard.start, shard.end)
    counting = StretchCount(stretch, job.people, members, job.rules, ledger)
    overlaps = Overlaps(stretch.start, stretch.end, ledger.bases)
    for sites in _of_shard(batches, shard, counted):
        order.begins(sites)
        ledger.records["read"] += int(stretch.holds(sites.positions).sum())
        counted.blocks += counting.take(sites)
        overlaps.take(sites.positions, sites.ends)
    counted.blocks += counting.finish()
    overlaps.finish()
    if ledger.mismatches:
        raise wrong_reference(ledger.mismatches)
    return counted


def _of_shard(batches: Iterator[KernelSites], shard: Shard, counted: CountedShard) -> Iterator[KernelSites]:
    """The batches that a shard may take from; tells `counted` where its own records begin and end."""
    begun = ended = False
    for sites in batches:
        beyond = sites.contig != shard.contig
        if not begun and (beyond or sites.positions[-1] > shard.start):
            begun, first = True, 0 if beyond else np.searchsorted(sites.positions, shard.start, side="right")
            counted.begins = sites.place(int(first))
        if not ended and (beyond or sites.positions[-1] > shard.end):
            ended, after = True, 0 if beyond else np.searchsorted(sites.positions, shard.end, side="right")
            counted.ends = sites.place(int(after))
        if beyond or sites.positions[0] > shard.end + LOOKBACK:
            return
        yield sites
