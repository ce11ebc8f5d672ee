"""Writing text that leaves a node: BGZF, with an index for VCF, so that the same lines are the same bytes."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import deflate
import numpy as np
import numpy.typing as npt

from tessera.files.atomic import written_aside
from tessera.files.inflated import BGZF_HEAD
from tessera.files.tabix import TabixIndex

#: bytes that go into a block, as bgzip takes them; so compressed ones are always below 64 KiB
BLOCK = 0xFF00
#: of libdeflate; half the time of bgzip's, and a tenth more bytes
LEVEL = 4
#: threads that compress, and blocks that wait for them
THREADS, WAITING = 2, 64
#: of a BGZF block: gzip with an extra field and no time, the subfield BC of two bytes (SAM specification, section 4.1)
GZIP, SUBFIELD = b"\x1f\x8b\x08\x04", (6, b"BC", 2)
LINE_END = ord("\n")
END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


class Records(Protocol):
    """Lines of a VCF with their ends, on one contig, and the bases [start, end) of each, 0-based."""

    contig: str
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    text: bytes


def write_indexed_vcf(path: Path, header: Iterable[str], records: Iterable[Records]) -> None:
    """Write a header (without line ends) and sorted records as .vcf.gz with its .tbi; the index first, so both are
    whole.
    """
    index = TabixIndex(BLOCK)
    with written_aside(path) as aside:
        with aside.open("wb") as file, BgzfWriter(file) as compressed:
            compressed.write("".join(f"{line}\n" for line in header).encode())
            for some in records:
                ends = np.flatnonzero(np.frombuffer(some.text, np.uint8) == LINE_END) + 1
                index.add(some.contig, some.start, some.end, compressed.taken + np.append(0, ends))
                compressed.write(some.text)
        blocks = compressed.blocks
        with (
            written_aside(path.with_name(f"{path.name}.tbi")) as aside_index,
            aside_index.open("wb") as file,
            BgzfWriter(file) as compressed,
        ):
            compressed.write(index.packed(blocks))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines that hold their ends: BGZF, which any gzip reads, where the name ends in .gz, else as they are."""
    with written_aside(path) as aside, aside.open("wb") as file, _maybe_compressed(path, file) as target:
        for some in lines:
            target.write(some)


class BgzfWriter:
    """Compresses what is written into BGZF blocks, by threads, which come out in order; ends with the empty block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        #: bytes taken in
        self.taken = 0
        #: where each block is in the file; when all is written, also where the empty block is
        self.blocks = [0]
        self._rest = bytearray()
        self._threads = ThreadPoolExecutor(THREADS)
        self._waiting: deque[Future[bytes]] = deque()

    def __enter__(self) -> "BgzfWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                if self._rest:
                    self._compress(bytes(self._rest))
                self._drain(0)
                self._file.write(END)
        finally:
            self._threads.shutdown(cancel_futures=True)

    def write(self, data: bytes) -> None:
        """Take in bytes; blocks are cut alike however the bytes come."""
        self.taken += len(data)
        begin = min(BLOCK - len(self._rest), len(data)) if self._rest else 0
        self._rest += data[:begin]
        if len(self._rest) == BLOCK:
            self._compress(bytes(self._rest))
            self._rest.clear()
        if not self._rest:
            whole = begin + (len(data) - begin) // BLOCK * BLOCK
            for at in range(begin, whole, BLOCK):
                self._compress(bytes(data[at : at + BLOCK]))
            self._rest += data[whole:]

    def _compress(self, block: bytes) -> None:
        self._waiting.append(self._threads.submit(_block, block))
        self._drain(WAITING)

    def _drain(self, most: int) -> None:
        while len(self._waiting) > most:
            block = self._waiting.popleft().result()
            self._file.write(block)
            self.blocks.append(self.blocks[-1] + len(block))


def _block(data: bytes) -> bytes:
    """One BGZF block of at most BLOCK bytes."""
    packed = deflate.deflate_compress(data, LEVEL)
    size = BGZF_HEAD.size + len(packed) + 8
    head = BGZF_HEAD.pack(GZIP, *SUBFIELD, size - 1)
    return head + packed + deflate.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")


@contextmanager
def _maybe_compressed(path: Path, file: BinaryIO) -> Iterator["BinaryIO | BgzfWriter"]:
    if path.suffix != ".gz":
        yield file
    else:
        with BgzfWriter(file) as compressed:
            yield compressed
