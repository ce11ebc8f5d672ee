"""Reading for the compiled engine: the inflated bytes of a VCF or BCF, batch by batch."""

import ctypes
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tessera.cohort.gvcf import Blocks, Room
from tessera.cohort.kernel import NO_VALUE, NOT_READ, KernelRules, KernelSites, block_inflater, kernel
from tessera.cohort.tally import Membership
from tessera.errors import InputError, refuse
from tessera.files import bcf_window
from tessera.files.bcf import FLOATS, NUMBERS, BcfHeader, kinds_of_fields, read_bcf_header
from tessera.files.inflated import PIECE, WINDOW, InflatedBuffer, Window, is_bgzf, is_compressed, newlines_before
from tessera.files.vcf import Record, VariantFile
from tessera.files.vcf_check import missing_newline, record_problems
from tessera.files.vcf_header import VcfHeader, VcfProblem
from tessera.files.vcf_line import parse_line

PROBLEMS_TOLD = 20
#: FORMAT fields that a count reads, in the order in which the kernel takes their numbers
READ = ("GQ", "DP", "MIN_DP", "AD", "GT")
#: bytes to hold of one person's file: what stays in the processor's cache is read twice as fast
WINDOW_OF_ONE = 2 << 20


class KernelReader:
    """The compiled engine over one file, from its first record on or from the one at the virtual offset `start`;
    `members` say which of its columns are counted."""

    def __init__(self, file: VariantFile, members: Membership, names: Sequence[str], start: int | None = None) -> None:
        self.file, self.members, self._names, self.start = file, members, names, start
        self.text_header = file.text_header
        self.rules, self.room = KernelRules(members), Room()

    def batches(self) -> Iterator["KernelSites"]:
        """The records in file order. Raises InputError for records that break a rule, up to twenty at once."""
        if self.text_header is None:
            return _bcf_batches(self)
        return _text_batches(self, self.buffer(self.start))

    def keys(self, number_of: Callable[[str], int]) -> list[int]:
        """The numbers of READ as the kernel takes them; `number_of` a field is NO_VALUE where it is not declared."""
        numbers = [number_of(name) for name in READ]
        if not self.file.genotypes_only:
            return numbers
        *others, of_genotypes = numbers
        return [*(NO_VALUE if number == NO_VALUE else NOT_READ for number in others), of_genotypes]

    def buffer(self, start: int | None) -> InflatedBuffer:
        """A window on the file from the virtual offset `start` on, or from its begin."""
        buffer = InflatedBuffer(self.file.path, 0 if start is None else start >> 16, self.window, block_inflater())
        buffer.more()
        if start is not None:
            buffer.drop(start & 0xFFFF)
        return buffer

    @property
    def window(self) -> int:
        """Bytes to hold at a time."""
        return WINDOW if self.members.width > 1 else WINDOW_OF_ONE

    @property
    def starts_inside(self) -> bool:
        """Whether reading starts behind the header."""
        return self.start is not None

    @cached_property
    def lines_before(self) -> int:
        """Lines of a text before the first record that is read; counted only when one is to be named."""
        if self.start is None:
            assert self.text_header is not None
            return self.text_header.lines
        return newlines_before(self.file.path, self.start)

    def held(self, data: bytes) -> Iterator[Record]:
        """The records of a BCF's bytes."""
        return self.file.records_in(data, self._names)


def _text_batches(reader: KernelReader, buffer: InflatedBuffer) -> Iterator["KernelSites"]:
    header = reader.text_header
    assert header is not None
    if not reader.starts_inside:
        _skip_lines(buffer, header.lines)
    done = 0
    while buffer.length or buffer.more():
        if buffer.find(b"\n") < 0:
            if buffer.more():
                continue
            if not is_compressed(reader.file.path):
                raise InputError([_of_file(reader.file, missing_newline(reader.lines_before + done + 1))])
            buffer.append(b"\n")
        sites = TextSites(reader, header, buffer, done)
        if not len(sites.positions) or sites.contig not in header.contigs:
            _refuse(reader, header, [buffer.first(buffer.find(b"\n"))], [done])
        if not len(sites.positions):
            line = reader.lines_before + done + 1
            raise refuse(f"{reader.file.path} line {line}", "a line that cannot be read", "a record")
        done += len(sites.positions)
        yield sites
        buffer.drop(sites.consumed)


def _skip_lines(buffer: InflatedBuffer, lines: int) -> None:
    for _ in range(lines):
        while (newline := buffer.find(b"\n")) < 0:
            if not buffer.more():
                return buffer.drop(buffer.length)
        buffer.drop(newline + 1)


def _refuse(reader: KernelReader, header: VcfHeader, lines: Sequence[bytes], records: Sequence[int]) -> None:
    """Refuse lines, by their numbers among those that were read, when they break a rule."""
    texts = [line.decode("utf-8", "surrogateescape") for line in lines]
    if any(record_problems(text, header, 0) for text in texts):
        problems = [
            _of_file(reader.file, problem)
            for text, record in zip(texts, records, strict=True)
            for problem in record_problems(text, header, reader.lines_before + record + 1)
        ]
        raise InputError(problems[:PROBLEMS_TOLD])


def _of_file(file: VariantFile, problem: VcfProblem) -> VcfProblem:
    return replace(problem, where=f"{file.path} {problem.where}")


class TextSites(KernelSites):
    """Whole lines of one contig."""

    kernel_count = "tessera_count_text"

    def __init__(self, reader: KernelReader, header: VcfHeader, buffer: InflatedBuffer, done: int) -> None:
        contig = buffer.first(max(0, buffer.find(b"\t")))
        held, length = buffer.held, buffer.length
        if reader.members.width == 1:
            self.blocks = Blocks(held, length, contig, header.formats, reader.room)
            held, length = self.blocks.other
        super().__init__(reader.rules, held, buffer.place)
        self._reader = reader
        self._header, self._done = header, done
        self.contig = contig.decode("utf-8", "surrogateescape")
        self.keys = reader.keys(lambda name: 1 if name in header.formats else NO_VALUE)
        kernel().tessera_scan_text(
            ctypes.c_void_p(held.ctypes.data), ctypes.c_int64(length), contig, ctypes.c_int64(len(contig)),
            ctypes.byref(self._scan),
        )  # fmt: skip
        self._take_scan()
        odd = np.flatnonzero(self.odd)
        self._refuse_broken(odd)
        if self.blocks is not None:
            ends = self.end.copy()
            ends[odd] = [self.record(int(record)).end for record in odd]
            self.blocks.complete(self.pos, ends)
            self.consumed = self.blocks.consumed

    def _refuse_broken(self, records: npt.NDArray[np.intp]) -> None:
        lines = [self._text(int(r)) for r in records]
        numbers = records if self.blocks is None else self.blocks.numbers[records]
        _refuse(self._reader, self._header, lines, (self._done + numbers).tolist())

    def _text(self, record: int) -> bytes:
        return self._held[self._scanned["line"][record] : self._scanned["line_end"][record]].tobytes()

    def record(self, record: int) -> Record:
        self._refuse_broken(np.array([record]))
        text = self._text(record).decode("utf-8", "surrogateescape")
        found = parse_line(text, self._reader.members.columns)
        return found.genotypes if self._reader.file.genotypes_only else found


def _bcf_batches(reader: KernelReader) -> Iterator[KernelSites]:
    start = InflatedBuffer(reader.file.path, 0, PIECE if is_bgzf(reader.file.path) else reader.window)
    while (found := read_bcf_header(start.first(start.length))) is None or start.length == found[1]:
        if not start.more():
            if found:
                return
            raise refuse(str(reader.file.path), "a BCF header that ends early", "a complete file")
    header, at = found
    raw, records = start.first(at), _records_behind(reader, header, start, at)
    while True:
        while records.length < 12 or records.length < _record_size(records):
            if not records.more():
                if records.length:
                    raise refuse(str(reader.file.path), "a record that ends early", "a complete file")
                return
        sites = BcfSites(reader, header, raw, records)
        yield sites
        records.drop(sites.consumed)


def _records_behind(reader: KernelReader, header: BcfHeader, start: InflatedBuffer, first: int) -> Window:
    """A window on the records; the first of the file lies at byte `first` of `start`, which holds the header."""
    if not is_bgzf(reader.file.path):
        start.drop(first)
        return start
    people = reader.members.width
    place = start.place(first) if reader.start is None else reader.start
    if people < bcf_window.MANY or "GT" not in header.strings:
        return reader.buffer(place)
    wanted = ["GT"] if reader.file.genotypes_only else READ
    return bcf_window.BcfWindow(reader.file.path, place, header, people, wanted, reader.window)


def _record_size(buffer: Window) -> int:
    """Bytes of the next record (BCF2, section 6.3)."""
    shared, individual = struct.unpack("<II", buffer.first(8))
    return 8 + int(shared) + int(individual)


class BcfSites(KernelSites):
    """Whole records of one contig."""

    kernel_count = "tessera_count_bcf"

    def __init__(self, reader: KernelReader, header: BcfHeader, raw_header: bytes, buffer: Window) -> None:
        super().__init__(reader.rules, buffer.held, buffer.place)
        self._reader = reader
        self._header, self._raw_header = header, raw_header
        number, pos = struct.unpack("<ii", buffer.first(16)[8:])
        if number not in header.contigs:
            raise refuse(str(reader.file.path), f"a record on contig number {number}", "a contig of the header")
        self.contig = header.contigs[number]
        self.keys = reader.keys(lambda name: header.strings.get(name, NO_VALUE))
        kernel().tessera_scan_bcf(
            ctypes.c_void_p(self._held.ctypes.data), ctypes.c_int64(buffer.length), ctypes.c_int32(number),
            ctypes.c_int32(reader.members.width), ctypes.c_int32(header.strings.get("END", -2)),
            ctypes.c_int32(header.strings["PASS"]), ctypes.byref(self._scan),
        )  # fmt: skip
        self._take_scan()
        if not len(self.pos):
            raise refuse(f"{reader.file.path} {self.contig}:{pos + 1}", "a record that cannot be read", "BCF 2.2")
        if (self.pos < 1).any():
            raise refuse(f"{reader.file.path} {self.contig}", "POS below 1", "a position of the contig")

    def record(self, record: int) -> Record:
        line, end = (int(self._scanned[name][record]) for name in ("line", "line_end"))
        data = self._held[line:end].tobytes()
        self._refuse_kinds(record, kinds_of_fields(data, self._reader.members.width))
        (found,) = self._reader.held(self._raw_header + data)
        return found

    def _refuse_kinds(self, record: int, kinds: Mapping[int, tuple[int, int]]) -> None:
        """Refuse fields of a type at which htslib, or cyvcf2, would end the process."""
        wrong = []
        for name in READ:
            kind, size = kinds.get(self._header.strings.get(name, NO_VALUE), (FLOATS, 1))
            numeric = name in self._header.numeric or name == "GT"
            if numeric and (kind not in (*NUMBERS, FLOATS) or (name == "GT" and not size)):
                wrong.append(name)
        if wrong:
            where = f"{self._reader.file.path} {self.contig}:{self.pos[record]}"
            raise refuse(where, f"no numbers in {', '.join(wrong)}", "numbers, as BCF 2.2 has them there")
