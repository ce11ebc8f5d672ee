"""The bytes of a file that may be plain, gzip or BGZF, in pieces of bounded size."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from tessera.errors import InputError, refuse

#: bytes that a buffer holds before it stops to read; a longer record makes it grow
WINDOW = 8 << 20
#: bytes behind a buffer that may be read
PADDING = 128
#: bytes read at a time; also about what comes out at a time of a plain file
PIECE = 1 << 16
#: BGZF header (SAM specification, section 4.1) with its one subfield, as all writers write it
BGZF_HEAD = struct.Struct("<4s6xH2sHH")


def inflated(path: Path) -> Iterator[bytes]:
    """Pieces of the inflated file, in order. Raises InputError where the compression is damaged."""
    with path.open("rb") as file:
        magic = file.read(18)
        file.seek(0)
        if magic[:4] == b"\x1f\x8b\x08\x04" and magic[12:14] == b"BC":
            yield from _bgzf(path, file)
        elif magic[:2] == b"\x1f\x8b":
            yield from _gzip(path, file)
        else:
            while piece := file.read(PIECE):
                yield piece


class Buffer:
    """A window of inflated bytes: `length` of them from `at` on, in memory that is used again for what comes next."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._data = np.empty(WINDOW + PIECE + PADDING, np.uint8)
        self._at = self.length = 0

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

    def drop(self, consumed: int) -> None:
        """Forget the first `consumed` bytes."""
        self._at += consumed
        self.length -= consumed

    def more(self) -> bool:
        """Read on until the window is full, or twice as long as an unfinished record; False at the end of the file."""
        before, enough = self.length, max(WINDOW, 2 * self.length)
        for piece in self._pieces:
            self.append(piece)
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


def is_compressed(path: Path) -> bool:
    """True for gzip and BGZF."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _bgzf(path: Path, file: BinaryIO) -> Iterator[bytes]:
    import deflate

    rest = b""
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
            at = stop
            if block:
                yield block  # type: ignore[misc]  # a bytearray: joined at once, never kept
        rest = bytes(data[at:])
    if rest:
        raise _damaged(path)


def _gzip(path: Path, file: BinaryIO) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=31)
    try:
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
