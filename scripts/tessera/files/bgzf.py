"""Writing text that leaves a node: BGZF, with an index for VCF, so that the same lines are the same bytes."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import deflate
import pysam

from tessera.files.atomic import written_aside
from tessera.files.inflated import BGZF_END, BGZF_HEAD

#: bytes that go into a block, as bgzip takes them; so compressed ones are always below 64 KiB
BLOCK = 0xFF00
#: of libdeflate; half the time of bgzip's, and a tenth more bytes
LEVEL = 4
#: threads that compress, and blocks that wait for them
THREADS, WAITING = 2, 64
#: of a BGZF block: gzip with an extra field and no time, the subfield BC of two bytes (SAM specification, section 4.1)
GZIP, SUBFIELD = b"\x1f\x8b\x08\x04", (6, b"BC", 2)


def write_indexed_vcf(path: Path, header: Iterable[str], lines: Iterable[bytes]) -> None:
    """Write a header (without line ends) and sorted lines (with) as .vcf.gz with its .tbi; the index first, so both
    are whole.
    """
    index = path.with_name(f"{path.name}.tbi")
    with written_aside(path) as aside:
        with aside.open("wb") as file, BgzfWriter(file) as compressed:
            compressed.write("".join(f"{line}\n" for line in header).encode())
            for some in lines:
                compressed.write(some)
        with written_aside(index) as aside_index:
            pysam.tabix_index(str(aside), preset="vcf", force=True, index=str(aside_index))


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Write lines that hold their ends: BGZF, which any gzip reads, where the name ends in .gz, else as they are."""
    with written_aside(path) as aside, aside.open("wb") as file, _maybe_compressed(path, file) as target:
        for some in lines:
            target.write(some)


class BgzfWriter:
    """Compresses what is written into BGZF blocks, by threads, which come out in order; ends with the empty block."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
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
                self._file.write(BGZF_END)
        finally:
            self._threads.shutdown(cancel_futures=True)

    def write(self, data: bytes) -> None:
        """Take in bytes; blocks are cut alike however the bytes come."""
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
            self._file.write(self._waiting.popleft().result())


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
