"""The count: one pass over the records of a file, to the blocks of a summary."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.coverage import Coverage, Evidence, Runs
from tessera.cohort.genotypes import Reason, judge
from tessera.errors import InputError, refuse
from tessera.files.vcf import Record
from tessera.genome.alleles import NON_REF, concrete, is_sequence, normalise
from tessera.genome.build import Build, Contig
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import EDGES, HISTOGRAMS
from tessera.schemas.mask import Mask
from tessera.schemas.variants import VARIANTS
from tessera.summary.blocks import BLOCK_SIZE, Block, BlockKey
from tessera.summary.people import People

#: how far left-alignment may carry a variant; a longer repeat is refused, not cut
LOOKBACK = 10_000
#: bases resolved at a time; bounds memory, does not change results
STEP = 25_000
#: records with another REF than the reference's that are enough to stop, and how many the message shows
MISMATCHES_READ, MISMATCHES_SHOWN = 20, 5

#: (contig, start, end) -> bases, or None when alleles are taken as they are
ReferenceBases = Callable[[str, int, int], str] | None


@dataclass
class Ledger:
    """What came in and where it went: carriers in people x alleles, which must balance, and records of the file."""

    entries: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)

    def check(self) -> None:
        """Raise when carriers were lost: that is an error of ours, never of the input."""
        dropped = sum(n for name, n in self.entries.items() if name.startswith("carriers_dropped:"))
        if self.entries["carriers_in"] != self.entries["carriers_counted"] + dropped:
            raise AssertionError(f"the conservation ledger does not balance: {dict(self.entries)}")


@dataclass(frozen=True)
class CountRules:
    """How a file is counted; `callable_spans` (contig -> 0-based spans) and `unknown_outside` say what bases
    without a record mean."""

    build: Build
    mask: Mask
    bases: ReferenceBases
    callable_spans: Mapping[str, Sequence[tuple[int, int]]]
    unknown_outside: bool


def count_records(
    records: Iterable[Record], people: People, rules: CountRules, ledger: Ledger, step: int = STEP
) -> Iterator[tuple[BlockKey, Block]]:
    """Count records (sorted by contig and POS) of `people` into blocks, in genome order of the file.

    Every contig of the build is answered for, also those without a record. Fills `ledger`. Raises InputError
    for unsorted records, REF that is not the reference's, and positions outside the contig.
    """
    mismatches: list[str] = []
    seen: set[str] = set()
    current: _ContigCount | None = None
    for record in records:
        if current is None or record.contig != current.contig.name:
            if record.contig in seen:
                raise refuse(
                    f"{record.contig}:{record.pos}",
                    "its contig came before",
                    "records sorted by contig and POS",
                    "Sort the file (bcftools sort).",
                )
            contig = rules.build.contig(record.contig)
            ledger.records["read"] += 1
            if contig is None:
                ledger.records["dropped:contig_not_counted"] += 1
                continue
            if current is not None:
                yield from current.finish()
            seen.add(record.contig)
            current = _ContigCount(contig, people, rules, ledger, mismatches, step)
        else:
            ledger.records["read"] += 1
        yield from current.take(record)
    if current is not None:
        yield from current.finish()
    for contig in rules.build.contigs:
        if contig.name not in seen:
            yield from _ContigCount(contig, people, rules, ledger, mismatches, step).finish()
    if mismatches:
        raise _wrong_reference(mismatches)
    ledger.check()


class _ContigCount:
    """The count of one contig; blocks come out as soon as no later record can touch them."""

    def __init__(
        self,
        contig: Contig,
        people: People,
        rules: CountRules,
        ledger: Ledger,
        mismatches: list[str],
        step: int,
    ) -> None:
        self.contig, self._people, self._rules = contig, people, rules
        self._ledger, self._mismatches, self._step = ledger, mismatches, step
        self._regions = rules.build.regions(contig)
        self._copies = [people.expected_ploidy(region.kind) for region in self._regions]
        self._coverage = Coverage(
            people,
            self._regions,
            rules.callable_spans.get(contig.name, ()),
            unknown_outside=rules.unknown_outside,
        )
        self._strata = people.stratum_index()
        self._labels = people.labels
        self._sizes = np.bincount(self._strata, minlength=len(self._labels))
        self._keys: dict[tuple[int, str, str], npt.NDArray[np.int64]] = {}
        self._runs: list[Runs] = []
        self._histograms: Counter[tuple[int, str, str, int]] = Counter()
        self._last_pos = 0
        self._next_block = 0

    def take(self, record: Record) -> Iterator[tuple[BlockKey, Block]]:
        """Count one record; yield the blocks that are complete."""
        if not self._in_place(record):
            return
        if record.is_reference:
            self._cover(record, record.pos - 1)
        else:
            self._take_variant(record)
        complete = record.pos - 1 - LOOKBACK
        if complete - self._coverage.done >= self._step:
            yield from self._resolve(complete)

    def finish(self) -> Iterator[tuple[BlockKey, Block]]:
        """Yield the blocks that remain."""
        yield from self._resolve(self.contig.length)
        if self._next_block * BLOCK_SIZE < self.contig.length:
            yield from self._block()

    def _in_place(self, record: Record) -> bool:
        where = f"{record.contig}:{record.pos}"
        if record.pos < self._last_pos:
            raise refuse(
                where,
                f"a position before {self._last_pos}",
                "records sorted by POS",
                "Sort the file (bcftools sort).",
            )
        if record.end > self.contig.length:
            raise refuse(
                where,
                f"it ends at {record.end:,}",
                f"at most {self.contig.length:,}, the end of the contig",
                "Give the build that the file was made on (--build).",
            )
        self._last_pos = record.pos
        bases = self._rules.bases
        expected = (
            record.ref if bases is None else bases(record.contig, record.pos - 1, record.pos - 1 + len(record.ref))
        )
        if not same_bases(record.ref, expected):
            self._mismatches.append(f"{where} {record.ref} (reference: {expected})")
            if len(self._mismatches) >= MISMATCHES_READ:
                raise _wrong_reference(self._mismatches)
            return False
        return True

    def _region(self, base: int) -> int:
        return next(i for i, region in enumerate(self._regions) if base < region.end)

    def _cover(self, record: Record, start: int) -> dict[int, npt.NDArray[np.uint8]]:
        """Tell the coverage what a record says of [start, its end); return the Reasons by number of region.

        A record is judged by the ploidy of each region it lies in: ploidy belongs to the base that is asked for.
        """
        judged = {}
        for index, region in enumerate(self._regions):
            left, right = max(start, region.start), min(record.end, region.end)
            if left < right:
                mitochondrial = self.contig.kind == "mt"
                reasons = judge(record, self._copies[index], self._rules.mask, mitochondrial=mitochondrial)
                judged[index] = reasons
                self._coverage.add(Evidence(not record.is_reference, left, right, reasons == Reason.CALLED, start))
        return judged

    def _take_variant(self, record: Record) -> None:
        keys = [None if alt in NON_REF or alt == "*" else self._key(record, alt) for alt in record.alts]
        judged = self._cover(record, min([record.pos, *(key[0] for key in keys if key)]) - 1)
        carriers = np.flatnonzero((record.gt > 0).any(axis=1))
        for allele, key in enumerate(keys, start=1):
            if key:
                region = self._region(key[0] - 1)
                self._tally(record, allele, key, judged[region], carriers, self._copies[region])

    def _key(self, record: Record, alt: str) -> tuple[int, str, str]:
        bases = self._rules.bases
        if alt == record.ref:
            raise refuse(f"{record.contig}:{record.pos} ALT", f"{alt}, which is REF", "an allele that is not REF")
        if bases is None or not is_sequence(alt):
            return record.pos, record.ref, alt
        key = normalise(record.pos, record.ref, alt, lambda *span: concrete(bases(record.contig, *span)))
        if record.pos - key[0] > LOOKBACK:
            raise refuse(
                f"{record.contig}:{record.pos}",
                f"left-alignment moves it by {record.pos - key[0]:,} bases",
                f"at most {LOOKBACK:,}",
            )
        return key

    def _tally(
        self,
        record: Record,
        allele: int,
        key: tuple[int, str, str],
        reasons: npt.NDArray[np.uint8],
        carriers: npt.NDArray[np.intp],
        copies: npt.NDArray[np.int8],
    ) -> None:
        """Add one ALT of one record: its row, its histograms, and where each of its carriers went."""
        entries = self._ledger.entries
        having = carriers[(record.gt[carriers] == allele).any(axis=1)]
        entries["carriers_in"] += len(having)
        if key in self._keys:
            entries["carriers_dropped:duplicate_record"] += len(having)
            return
        why = reasons[having]
        for reason in np.unique(why[why != Reason.CALLED]):
            entries[f"carriers_dropped:{Reason(reason).name.lower()}"] += int((why == reason).sum())
        counted = having[why == Reason.CALLED]
        entries["carriers_counted"] += len(counted)
        two, one = record.gt[counted, 0] == record.gt[counted, 1], copies[counted] == 1
        het = (~two) & (record.gt[counted, 1] >= 0)
        called = reasons == Reason.CALLED
        self._keys[key] = np.stack(
            [
                self._sizes,
                self._by_stratum(np.flatnonzero(called & (copies == 2))),
                self._by_stratum(np.flatnonzero(called & (copies == 1))),
                self._by_stratum(counted[het]),
                self._by_stratum(counted[two & ~one]),
                self._by_stratum(counted[~het & one]),
                np.zeros(len(self._labels), dtype=np.int64),
            ]
        )
        self._add_histograms(record, allele, (key[0] - 1) // BLOCK_SIZE, counted, het & ~one)

    def _by_stratum(self, who: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        return np.bincount(self._strata[who], minlength=len(self._labels)).astype(np.int64)

    def _add_histograms(
        self,
        record: Record,
        allele: int,
        block: int,
        counted: npt.NDArray[np.intp],
        het: npt.NDArray[np.bool_],
    ) -> None:
        values = {"gq_alt": (record.gq, counted), "dp_alt": (record.dp, counted)}
        for metric, (field_values, who) in values.items():
            if field_values is not None:
                self._add_bins(block, metric, field_values[who].astype(np.float64), who)
        if record.ad is not None and record.dp is not None and record.ad.shape[1] > allele:
            mitochondrial = self.contig.kind == "mt"
            # without reads there is no share; a missing DP is negative
            chosen = (record.dp[counted] > 0) & (het | mitochondrial)
            who = counted[chosen]
            metric = "heteroplasmy" if mitochondrial else "ab_alt"
            self._add_bins(block, metric, record.ad[who, allele] / record.dp[who], who)

    def _add_bins(self, block: int, metric: str, values: npt.NDArray[np.float64], who: npt.NDArray[np.intp]) -> None:
        low, width, bins = EDGES[metric]
        top = bins - 1 if width < 1 else bins
        known = values >= 0
        # the small term keeps a share that is an edge (0.15) in the bin that starts there
        found = np.clip((values[known] - low) / width + 1e-9, 0, top).astype(np.int64)
        for index, stratum in zip(found, self._strata[who][known], strict=True):
            self._histograms[block, metric, self._labels[stratum], int(index)] += 1

    def _resolve(self, end: int) -> Iterator[tuple[BlockKey, Block]]:
        """Resolve the track up to `end`, cut at block borders, and yield the blocks that end before it."""
        first = self._coverage.done // BLOCK_SIZE + 1
        borders = [index * BLOCK_SIZE for index in range(first, end // BLOCK_SIZE + 1)]
        self._runs.append(self._coverage.resolve(end, borders))
        while (self._next_block + 1) * BLOCK_SIZE <= end:
            yield from self._block()

    def _block(self) -> Iterator[tuple[BlockKey, Block]]:
        """Build and yield the next block; forget what went into it."""
        key = BlockKey(self.contig.name, self._next_block)
        self._next_block += 1
        rows = {k: self._keys.pop(k) for k in sorted(self._keys) if k[0] <= key.end}
        block = Block(self._rows(rows), self._track(key.start, key.end), self._histogram_rows(key))
        if not block.is_empty():
            yield key, block

    def _rows(self, rows: Mapping[tuple[int, str, str], npt.NDArray[np.int64]]) -> pl.DataFrame:
        if not rows:
            return VARIANTS.empty
        strata = len(self._labels)
        counts = np.concatenate([row.T for row in rows.values()])
        columns = {
            "contig": [self.contig.name] * (len(rows) * strata),
            "pos": np.repeat([key[0] for key in rows], strata),
            "ref": [key[1] for key in rows for _ in range(strata)],
            "alt": [key[2] for key in rows for _ in range(strata)],
            "stratum": self._labels * len(rows),
            **dict(zip(VARIANTS.names[5:], counts.T, strict=True)),
        }
        return pl.DataFrame(columns).cast(VARIANTS.schema)

    def _track(self, start: int, end: int) -> pl.DataFrame:
        """The runs of [start, end), per stratum; equal neighbours joined, zeros left out."""
        inside = [runs.between(start, end) for runs in self._runs]
        self._runs = [runs for runs in self._runs if runs.ends[-1] > end]
        starts = np.concatenate([runs.starts for runs in inside])
        ends = np.concatenate([runs.ends for runs in inside])
        counts = np.concatenate([np.stack([r.n_dip, r.n_hap, r.an_unknown], axis=2) for r in inside])
        changes = np.ones((len(starts), len(self._labels)), dtype=np.bool_)
        changes[1:] = (counts[1:] != counts[:-1]).any(axis=2)
        stratum, first = np.nonzero(changes.T)
        last = np.r_[first[1:], len(starts)] - 1
        last[np.flatnonzero(np.diff(stratum))] = len(starts) - 1
        found = counts[first, stratum]
        kept = np.flatnonzero(found.any(axis=1))
        kept = kept[np.lexsort((stratum[kept], first[kept]))]
        columns = [starts[first[kept]], ends[last[kept]], np.array(self._labels)[stratum[kept]], *found[kept].T]
        table = dict(zip(AN_TRACK.names[1:], columns, strict=True))
        return pl.DataFrame({"contig": self.contig.name, **table}, schema=AN_TRACK.schema)

    def _histogram_rows(self, key: BlockKey) -> pl.DataFrame:
        if not self._histograms:
            return HISTOGRAMS.empty
        mine = sorted(counted for counted in self._histograms if counted[0] == key.index)
        rows = [
            (
                self.contig.name,
                key.start,
                label,
                metric,
                found,
                self._histograms.pop((index, metric, label, found)),
            )
            for index, metric, label, found in mine
        ]
        return pl.DataFrame(rows, schema=HISTOGRAMS.schema, orient="row").sort(HISTOGRAMS.names[:-1])


def _wrong_reference(mismatches: Sequence[str]) -> InputError:
    number = f"{len(mismatches)} records" + (" or more" if len(mismatches) >= MISMATCHES_READ else "")
    shown = "; ".join(mismatches[:MISMATCHES_SHOWN])
    return refuse(
        "REF", f"not the reference's in {number}: {shown}", "the bases of the reference in every record",
        "Give the reference that the file was made on.",
    )  # fmt: skip


def same_bases(ref: str, expected: str) -> bool:
    """Equal; where the reference has an ambiguity code, REF may have it, its first base, or N (as GATK writes)."""
    if ref == expected:
        return True
    return len(ref) == len(expected) and all(
        a in (b, concrete(b)) or (a == "N" and b not in "ACGT") for a, b in zip(ref, expected, strict=True)
    )
