"""The compiled engine: the kernel of kernel.c over the inflated bytes of a VCF or BCF."""

import ctypes
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tessera.cohort.sites import Asked, Bytes, Sites
from tessera.cohort.tally import BINS, Counts, Membership
from tessera.errors import InputError, refuse
from tessera.files.bcf import BcfHeader, read_bcf_header
from tessera.files.inflated import Buffer, inflated, is_compressed
from tessera.files.vcf import Record, VariantFile
from tessera.files.vcf_check import missing_newline, record_problems
from tessera.files.vcf_header import VcfHeader
from tessera.files.vcf_line import parse_line

LIBRARY = Path(__file__).with_name("libkernel.so")
#: records of a batch, and ALTs
RECORDS, ALTS = 8192, 16384
NO_VALUE = -1
SCANNED: tuple[tuple[str, type[np.generic]], ...] = (
    ("line", np.int64), ("line_end", np.int64), ("body", np.int64), ("ref", np.int64), ("format", np.int64),
    ("pos", np.int32), ("ref_length", np.int32), ("first_allele", np.int32), ("passes", np.int32),
    ("status", np.int32), ("end", np.int64), ("alt", np.int64), ("alt_length", np.int32),
)  # fmt: skip
PROBLEMS_TOLD = 20
#: the highest value that the kernel counts, ints of a person who is not 0/0, and cells of GQ by DP
MAX_VALUE, ODD, CELLS = 32766, 6, (BINS + 1) ** 2
#: people more than there are, for whom scratch of the kernel has room
SLACK = 8
RULE_ARRAYS = (
    "stratum", "copies", "present", "present_bits", "min_dp", "cell", "sizes", "gq", "dp", "min_depth", "ok", "odd",
    "places", "n_called", "n_gq", "sum_gq", "n_dp", "sum_dp", "pairs",
)  # fmt: skip
#: field of Counts -> whether it has a row for each record (1), for each ALT (2), or neither
ROWS_OF = {
    "n_dip": 1, "n_hap": 1, "called": 1, "n_het": 2, "n_homalt": 2, "n_hemi": 2, "carriers": 2, "histograms": 0,
    "tallies": 0,
}  # fmt: skip


class _Scan(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("capacity", "allele_capacity", "records", "alleles", "consumed")),
        *((name, ctypes.c_void_p) for name, _ in SCANNED),
    ]


class _Rules(ctypes.Structure):
    _fields_ = [
        *(
            (name, ctypes.c_int32)
            for name in (
                "people",
                "strata",
                "mitochondrial",
                "min_gq",
                "min_ab",
                "asks_depth",
                "everybody_diploid",
                "gq_key",
                "dp_key",
                "min_dp_key",
                "ad_key",
                "gt_key",
            )
        ),
        *((name, ctypes.c_void_p) for name in RULE_ARRAYS),
    ]


class _Counts(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ROWS_OF]


@cache
def library() -> ctypes.CDLL | None:
    """The kernel, or None where it was not built, or built from another source."""
    try:
        loaded = ctypes.CDLL(str(LIBRARY))
        loaded.tessera_layout.restype = ctypes.c_int64
        layout = loaded.tessera_layout()
    except (OSError, AttributeError):
        return None
    if layout != sum(10 ** (3 * i) * ctypes.sizeof(of) for i, of in enumerate((_Scan, _Rules, _Counts))):
        return None
    loaded.tessera_use_avx2(1)
    return loaded


class KernelReader:
    """The compiled engine over one file; `members` say which of its columns are counted."""

    def __init__(self, file: VariantFile, members: Membership, names: Sequence[str]) -> None:
        self._file, self.members, self._names = file, members, names
        self.text_header = file.text_header
        kernel = library()
        assert kernel is not None
        self.kernel = kernel
        self._region: Asked | None = None

    def batches(self) -> Iterator[Sites]:
        """All records in file order. Raises InputError for records that break a rule, up to twenty at once."""
        buffer = Buffer(inflated(self._file.path))
        buffer.more()
        return _bcf_batches(self, buffer) if buffer.first(3) == b"BCF" else _text_batches(self, buffer)

    def slow_records(self) -> Iterator[Record]:
        """The file once more, record by record."""
        return self._file.records(self._names)

    def rules(self, region: Asked, keys: Sequence[int]) -> "_Rules":
        """The rules as the kernel reads them, made once for a region; `keys` are the file's."""
        if self._region is not region:
            self._region = region
            self._rules, self._arrays = _rules(self.members, region, keys)
        return self._rules

    @property
    def path(self) -> Path:
        """The file."""
        return self._file.path


def _text_batches(reader: KernelReader, buffer: Buffer) -> Iterator[Sites]:
    header = reader.text_header
    assert header is not None
    _skip_lines(buffer, header.lines)
    line = header.lines + 1
    while buffer.length or buffer.more():
        if buffer.find(b"\n") < 0:
            if buffer.more():
                continue
            _refuse_unfinished(reader, line)
            buffer.append(b"\n")
        sites = TextSites(reader, header, buffer, line)
        if not len(sites.pos) or sites.contig not in header.contigs:
            _refuse(reader.path, header, [buffer.first(buffer.find(b"\n"))], [line])
        if not len(sites.pos):
            raise refuse(f"{reader.path} line {line}", "a line that cannot be read", "a record")
        line += len(sites.pos)
        yield sites
        buffer.drop(sites.consumed)


def _refuse_unfinished(reader: KernelReader, line: int) -> None:
    if not is_compressed(reader.path):
        problem = missing_newline(line)
        raise InputError([_of_file(reader.path, problem)])


def _skip_lines(buffer: Buffer, lines: int) -> None:
    for _ in range(lines):
        while (newline := buffer.find(b"\n")) < 0:
            if not buffer.more():
                return buffer.drop(buffer.length)
        buffer.drop(newline + 1)


def _refuse(path: Path, header: VcfHeader, lines: Sequence[bytes], numbers: Sequence[int]) -> None:
    problems = [
        _of_file(path, problem)
        for line, number in zip(lines, numbers, strict=True)
        for problem in record_problems(line.decode("utf-8", "surrogateescape"), header, number)
    ]
    if problems:
        raise InputError(problems[:PROBLEMS_TOLD])


def _of_file(path: Path, problem: Any) -> Any:
    from dataclasses import replace

    return replace(problem, where=f"{path} {problem.where}")


class _KernelSites:
    """What text and BCF share: the scanned columns, and the call of the kernel."""

    contig: str
    kernel_count = ""

    def __init__(self, reader: KernelReader, held: Bytes) -> None:
        self._reader, self._held = reader, held
        self._scanned = {name: np.empty(ALTS if "alt" in name else RECORDS + 1, kind) for name, kind in SCANNED}
        self._scan = _Scan(RECORDS, ALTS, **{name: array.ctypes.data for name, array in self._scanned.items()})
        self.keys = [NO_VALUE] * 5

    def _take_scan(self) -> None:
        records, alts = self._scan.records, self._scan.alleles
        self.consumed: int = self._scan.consumed
        found = self._scanned
        self.pos = found["pos"][:records].astype(np.int64)
        self.end = found["end"][:records]
        self.first = found["first_allele"][: records + 1].astype(np.int64)
        self.ref_length = found["ref_length"][:records].astype(np.int64)
        self.ref_base = _upper(self._held[found["ref"][:records]])
        self.alt_length = found["alt_length"][:alts].astype(np.int64)
        self.alt_base = _upper(self._held[found["alt"][:alts]])

    @property
    def odd(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self._scanned["status"][: len(self.pos)] != 0, np.bool_)

    def ref(self, record: int) -> str:
        at = int(self._scanned["ref"][record])
        return self._held[at : at + int(self.ref_length[record])].tobytes().decode("latin-1").upper()

    def alt(self, alt: int) -> str:
        at = int(self._scanned["alt"][alt])
        text = self._held[at : at + int(self.alt_length[alt])].tobytes().decode("utf-8", "surrogateescape")
        return text.upper() if text.isalpha() else text

    def count(self, start: int, stop: int, use: Bytes, kind: Bytes, region: Asked) -> Counts:
        reader, members = self._reader, self._reader.members
        alts = int(self.first[start])
        counts = Counts.zeros(stop - start, int(self.first[stop]) - alts, members.width, members.labels)
        rules = reader.rules(region, self.keys)
        # the kernel numbers rows as the batch does
        shift = {1: start, 2: alts}
        into = _Counts(
            *(
                getattr(counts, name).ctypes.data - shift.get(of, 0) * getattr(counts, name).strides[0]
                for name, of in ROWS_OF.items()
            )
        )
        getattr(reader.kernel, self.kernel_count)(
            ctypes.c_void_p(self._held.ctypes.data), ctypes.byref(self._scan), ctypes.c_int64(start),
            ctypes.c_int64(stop), ctypes.c_void_p(use.ctypes.data), ctypes.c_void_p(kind.ctypes.data),
            ctypes.byref(rules), ctypes.byref(into),
        )  # fmt: skip
        return counts


class TextSites(_KernelSites):
    """Whole lines of one contig."""

    kernel_count = "tessera_count_text"

    def __init__(self, reader: KernelReader, header: VcfHeader, buffer: Buffer, line: int) -> None:
        super().__init__(reader, buffer.held)
        contig = buffer.first(max(0, buffer.find(b"\t")))
        self._header, self._line = header, line
        self.contig = contig.decode("utf-8", "surrogateescape")
        self.keys = [1 if name in header.formats else NO_VALUE for name in ("GQ", "DP", "MIN_DP", "AD", "GT")]
        reader.kernel.tessera_scan_text(
            ctypes.c_void_p(self._held.ctypes.data), ctypes.c_int64(buffer.length), contig, ctypes.c_int64(len(contig)),
            ctypes.byref(self._scan),
        )  # fmt: skip
        self._take_scan()
        self._refuse_broken(np.flatnonzero(self.odd))

    def _refuse_broken(self, records: npt.NDArray[np.intp]) -> None:
        lines = [self._text(int(r)) for r in records]
        _refuse(self._reader.path, self._header, lines, [self._line + int(r) for r in records])

    def _text(self, record: int) -> bytes:
        return self._held[self._scanned["line"][record] : self._scanned["line_end"][record]].tobytes()

    def record(self, record: int) -> Record:
        self._refuse_broken(np.array([record]))
        return parse_line(self._text(record).decode("utf-8", "surrogateescape"), self._reader.members.columns)


def _bcf_batches(reader: KernelReader, buffer: Buffer) -> Iterator[Sites]:
    while (found := read_bcf_header(buffer.first(buffer.length))) is None:
        if not buffer.more():
            raise refuse(str(reader.path), "a BCF header that ends early", "a complete file")
    header, at = found
    buffer.drop(at)
    slow = _SlowRecords(reader)
    done = 0
    while True:
        while buffer.length < 12 or buffer.length < _record_size(buffer):
            if not buffer.more():
                if buffer.length:
                    raise refuse(str(reader.path), "a record that ends early", "a complete file")
                return
        sites = BcfSites(reader, header, buffer, slow, done)
        if not len(sites.pos):
            raise refuse(str(reader.path), f"record {done + 1} cannot be read", "BCF 2.2")
        done += len(sites.pos)
        yield sites
        buffer.drop(sites.consumed)


def _record_size(buffer: Buffer) -> int:
    """Bytes of the next record (BCF2, section 6.3)."""
    shared, individual = struct.unpack("<II", buffer.first(8))
    return 8 + int(shared) + int(individual)


class _SlowRecords:
    """Single records of a BCF, in order, from a second reading."""

    def __init__(self, reader: KernelReader) -> None:
        self._reader = reader
        self._records: Iterator[Record] | None = None
        self._next = 0

    def at(self, number: int) -> Record:
        """Record `number` (from 0)."""
        if self._records is None or number < self._next:
            self._records, self._next = self._reader.slow_records(), 0
        for record in self._records:
            self._next += 1
            if self._next == number + 1:
                return record
        raise refuse(str(self._reader.path), "fewer records than before", "a file that does not change")


class BcfSites(_KernelSites):
    """Whole records of one contig."""

    kernel_count = "tessera_count_bcf"

    def __init__(self, reader: KernelReader, header: BcfHeader, buffer: Buffer, slow: _SlowRecords, done: int) -> None:
        super().__init__(reader, buffer.held)
        self._slow, self._done = slow, done
        (number,) = struct.unpack("<i", buffer.first(12)[8:])
        if number not in header.contigs:
            raise refuse(f"{reader.path} record {done + 1}", f"contig number {number}", "a contig of the header")
        self.contig = header.contigs[number]
        self.keys = [header.strings.get(name, NO_VALUE) for name in ("GQ", "DP", "MIN_DP", "AD", "GT")]
        reader.kernel.tessera_scan_bcf(
            ctypes.c_void_p(self._held.ctypes.data), ctypes.c_int64(buffer.length), ctypes.c_int32(number),
            ctypes.c_int32(reader.members.width), ctypes.c_int32(header.strings.get("END", -2)),
            ctypes.c_int32(header.strings["PASS"]), ctypes.byref(self._scan),
        )  # fmt: skip
        self._take_scan()
        for at in np.flatnonzero(self.pos < 1):
            raise refuse(f"{reader.path} record {done + int(at) + 1}", "POS below 1", "a position of the contig")

    def record(self, record: int) -> Record:
        return self._slow.at(self._done + record)


def _upper(letters: Bytes) -> Bytes:
    """Upper case of letters; other bytes stay."""
    small = (letters >= ord("a")) & (letters <= ord("z"))
    return np.where(small, letters - 32, letters).astype(np.uint8)


def _rules(members: Membership, region: Asked, keys: Sequence[int]) -> tuple[_Rules, dict[str, npt.NDArray[Any]]]:
    """The rules as the kernel reads them, and the arrays they point to, which must live as long."""
    n, mask = members.width, region.mask
    stratum = np.full(n, NO_VALUE, np.int32)
    stratum[members.columns] = members.strata
    copies = np.zeros(n, np.uint8)
    copies[members.columns] = region.copies
    sizes = np.zeros((members.labels, 3), np.int64)
    np.add.at(sizes, (members.strata, region.copies), 1)
    asks = mask.min_dp is not None and mask.min_dp_haploid is not None
    min_dp = np.where(copies == 1, mask.min_dp_haploid or 0, mask.min_dp or 0)
    present = (copies > 0).astype(np.uint8)
    arrays: dict[str, npt.NDArray[Any]] = {
        "stratum": stratum, "copies": copies, "present": present,
        "present_bits": np.packbits(present, bitorder="little"),
        "min_dp": np.minimum(min_dp, MAX_VALUE + 1).astype(np.int16),
        "cell": np.maximum(stratum, 0) * CELLS, "sizes": sizes,
        **{name: np.empty(n + SLACK, np.int16) for name in ("gq", "dp", "min_depth")},
        "ok": np.empty(n, np.uint8), "odd": np.empty((n, ODD), np.int32), "places": np.empty(n + SLACK, np.int32),
        **{name: np.zeros(n, np.uint16) for name in ("n_called", "n_gq", "sum_gq", "n_dp", "sum_dp")},
        "pairs": np.zeros((members.labels, CELLS), np.uint32),
    }  # fmt: skip
    rules = _Rules(
        people=n, strata=members.labels, mitochondrial=region.mitochondrial,
        min_gq=NO_VALUE if mask.min_gq is None else min(mask.min_gq, MAX_VALUE + 1),
        min_ab=NO_VALUE if mask.min_ab is None else round(1000 * mask.min_ab), asks_depth=asks,
        everybody_diploid=bool((region.copies == 2).all()),
        **dict(zip(("gq_key", "dp_key", "min_dp_key", "ad_key", "gt_key"), keys, strict=True)),
        **{name: arrays[name].ctypes.data for name in RULE_ARRAYS},
    )  # fmt: skip
    return rules, arrays
