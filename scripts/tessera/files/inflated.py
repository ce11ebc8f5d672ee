"""The bytes of a file that may be plain, gzip or BGZF, in pieces of bounded size."""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tessera.errors import InputError, refuse

#: bytes read at a time; also about what comes out at a time of a plain file
PIECE = 1 << 16
#: bytes that a buffer takes in at a time; a longer record makes it grow. And readable bytes that follow those it holds
WINDOW, PADDING = 8 << 20, 128
#: BGZF header (SAM specification, section 4.1) with its one subfield, as all writers write it
BGZF_HEAD = struct.Struct("<4s6xH2sHH")


def inflated(path: Path) -> Iterator[bytes]:
    """Pieces of the inflated file, in order. Raises InputError where the compression is damaged."""
    if is_bgzf(path):
        yield from (block for _, block in bgzf_blocks(path))
    elif is_compressed(path):
        yield from _gzip(path)
    else:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece


def is_compressed(path: Path) -> bool:
    """True for gzip and BGZF."""
    return _head(path)[:2] == b"\x1f\x8b"


def is_bgzf(path: Path) -> bool:
    """True for gzip whose first block tells its size (SAM specification, section 4.1)."""
    head = _head(path)
    return head[:4] == b"\x1f\x8b\x08\x04" and head[12:14] == b"BC"


def bgzf_blocks(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """The blocks of a BGZF from the one at offset `start` on: where each lies, and its bytes, never none.

    Raises InputError where the compression is damaged, and when no block lies at `start`.
    """
    import deflate

    rest, place = b"", start
    with path.open("rb") as file:
        file.seek(start)
        while read := file.read(PIECE):
            data = memoryview(rest + read)
            at = 0
            while at + 18 <= len(data):
                magic, extra, subfield, _, size = BGZF_HEAD.unpack_from(data, at)
                if magic != b"\x1f\x8b\x08\x04" or subfield != b"BC":
                    raise _damaged(path)
                stop = at + size + 1
                if stop > len(data):
                    break
                crc, length = struct.unpack_from("<II", data, stop - 8)
                try:
                    block = deflate.deflate_decompress(data[at + 12 + extra : stop - 8], length) if length else b""
                except (deflate.DeflateError, ValueError, MemoryError) as error:
                    raise _damaged(path) from error
                if len(block) != length or deflate.crc32(block) != crc:
                    raise _damaged(path)
                if block:
                    yield place + at, block  # type: ignore[misc]  # a bytearray: joined at once, never kept
                at = stop
            rest, place = bytes(data[at:]), place + at
    if rest:
        raise _damaged(path)


class InflatedBuffer:
    """A window on the inflated bytes of a file: `length` of them, in memory that is used again for what comes next.

    Reads from the BGZF block at offset `start` on; files that are no BGZF are read as a whole, and have no places.
    """

    def __init__(self, path: Path, start: int = 0, window: int = WINDOW) -> None:
        self._blocks = bgzf_blocks(path, start) if is_bgzf(path) else ((0, piece) for piece in inflated(path))
        self._window = window
        self._data = np.empty(window + PIECE + PADDING, np.uint8)
        self._at = self.length = 0
        # bytes that were dropped; and where each block that is held begins, among all bytes and in the file
        self._dropped = 0
        self._starts: list[int] = []
        self._places: list[int] = []

    @property
    def held(self) -> npt.NDArray[np.uint8]:
        """The bytes, and PADDING more of no meaning; they last until more is read."""
        return self._data[self._at : self._at + self.length + PADDING]

    def first(self, size: int) -> bytes:
        """The first `size` bytes, or as many as there are."""
        return self.held[: min(size, self.length)].tobytes()

    def find(self, byte: bytes) -> int:
        """Where the first such byte is, or -1."""
        for start in range(0, self.length, PIECE):
            some = self.held[start : min(start + PIECE, self.length)].tobytes()
            if (found := some.find(byte)) >= 0:
                return start + found
        return -1

    def place(self, at: int) -> int:
        """The virtual offset (SAM specification, section 4.1.1) of byte `at`."""
        block = bisect_right(self._starts, self._dropped + at) - 1
        return self._places[block] << 16 | (self._dropped + at - self._starts[block])

    def drop(self, consumed: int) -> None:
        """Forget the first `consumed` bytes."""
        self._at += consumed
        self._dropped += consumed
        self.length -= consumed

    def more(self) -> bool:
        """Read on until the window is full, or twice as long as an unfinished record; False at the end of the file."""
        before, enough = self.length, max(self._window, 2 * self.length)
        gone = max(0, bisect_right(self._starts, self._dropped) - 1)
        del self._starts[:gone], self._places[:gone]
        for place, block in self._blocks:
            self._starts.append(self._dropped + self.length)
            self._places.append(place)
            self.append(block)
            if self.length >= enough:
                break
        return self.length > before

    def append(self, piece: bytes) -> None:
        """Hold this piece as well."""
        if self._at + self.length + len(piece) + PADDING > self._data.size:
            self._move(self.length + len(piece) + PADDING)
        end = self._at + self.length
        self._data.data[end : end + len(piece)] = piece
        self.length += len(piece)

    def _move(self, needed: int) -> None:
        """Move what is held to the front, of longer memory where `needed` bytes do not fit."""
        held = self._data[self._at : self._at + self.length]
        if needed > self._data.size:
            self._data = np.empty(2 * needed, np.uint8)
        self._data[: self.length] = held
        self._at = 0


def newlines_before(path: Path, stop: int) -> int:
    """How many lines end before the virtual offset `stop`."""
    lines = 0
    for place, block in bgzf_blocks(path):
        if place >= stop >> 16:
            return lines + block.count(b"\n", 0, stop & 0xFFFF)
        lines += block.count(b"\n")
    return lines


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(18)


def _gzip(path: Path) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
        with path.open("rb") as file:
            while read := file.read(PIECE // 4):
                while read:
                    yield inflate.decompress(read)
                    read = inflate.unused_data
                    if inflate.eof:
                        inflate = zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> InputError:
    return refuse(
        str(path), "compression that cannot be read", "a complete file",
        "The file is truncated or damaged: copy or make it again.",
    )  # fmt: skip
