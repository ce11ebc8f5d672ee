"""The bytes of a file that may be plain, gzip or BGZF, in pieces of bounded size."""

import struct
import zlib
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tessera.errors import InputError, refuse
from tessera.files.inflating import inflater

#: bytes read at a time; also about what comes out at a time of a plain file
PIECE = 1 << 16
#: bytes that a buffer takes in at a time; a longer record makes it grow. And readable bytes that follow those it holds
WINDOW, PADDING = 8 << 20, 128
#: BGZF header (SAM specification, section 4.1) with its one subfield, as all writers write it
BGZF_HEAD = struct.Struct("<4s6xH2sHH")
#: behind what is compressed: CRC32 and length of what it was, which is at most so much
BGZF_TAIL, MOST = struct.Struct("<II"), 1 << 16
#: the empty block with which a file ends (SAM specification, section 4.1.2)
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
#: bytes of a BGZF read at a time
READ = 1 << 18


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
    inflate, room = inflater(), np.empty(MOST, np.uint8)
    target = room.ctypes.data
    for place, source, size, crc, length in _compressed(path, start):
        if not inflate(source, size, crc, target, length):
            raise damaged(path)
        yield place, room[:length].tobytes()


def _compressed(path: Path, start: int) -> Iterator[tuple[int, int, int, int, int]]:
    """The blocks as they lie in the file, never one of nothing: place there; address and size in memory, until the next
    is asked for; CRC32 and length of what it holds."""
    rest, place = b"", start
    with path.open("rb") as file:
        file.seek(start)
        while read := file.read(READ):
            data = rest + read
            address, at = np.frombuffer(data, np.uint8).ctypes.data, 0
            while at + BGZF_HEAD.size <= len(data):
                begin, stop = block_span(path, data, at)
                if stop > len(data):
                    break
                crc, length = block_tail(path, data, stop - BGZF_TAIL.size)
                if length:
                    yield place + at, address + begin, stop - BGZF_TAIL.size - begin, crc, length
                at = stop
            rest, place = data[at:], place + at
    if rest:
        raise damaged(path)


def block_span(path: Path, data: bytes, at: int) -> tuple[int, int]:
    """Where what is compressed begins, and the block stops, whose head is at `at`. Raises InputError when none is."""
    magic, extra, subfield, _, size = BGZF_HEAD.unpack_from(data, at)
    begin, stop = at + 12 + extra, at + size + 1
    if magic != b"\x1f\x8b\x08\x04" or subfield != b"BC" or begin > stop - BGZF_TAIL.size:
        raise damaged(path)
    return begin, stop


def block_tail(path: Path, data: bytes, at: int) -> tuple[int, int]:
    """CRC32 and length of what a block holds. Raises InputError when they can be of none."""
    crc, length = BGZF_TAIL.unpack_from(data, at)
    if length > MOST or (crc and not length):
        raise damaged(path)
    return crc, length


@dataclass(frozen=True)
class Inflated:
    """What many blocks came to: bytes `consumed` and `written`; where each block that holds something begins, among
    what was written and among what was compressed."""

    consumed: int
    written: int
    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]


#: (address and length of what is compressed, address to write to, room there, bytes that are enough) -> what whole
#: blocks came to, or None where one is damaged
InflateMany = Callable[[int, int, int, int, int], Inflated | None]


class CompressedBytes:
    """A window on the bytes of a file as they lie there: `length` of them at `address`, the first at `place`."""

    def __init__(self, path: Path, start: int) -> None:
        self.place, self.length = start, 0
        self._file, self._at = _opened(path, start), 0
        self._data = np.empty(0, np.uint8)

    @property
    def address(self) -> int:
        """Where they lie in memory, until more are read."""
        return int(self._data.ctypes.data) + self._at

    def drop(self, consumed: int) -> None:
        """Forget the first `consumed` bytes."""
        self._at, self.place, self.length = self._at + consumed, self.place + consumed, self.length - consumed

    def read_on(self) -> None:
        """Hold a whole block at least, unless the file ends before."""
        if not self._data.size:
            self._data = np.empty(READ + MOST, np.uint8)
        self._data[: self.length] = self._data[self._at : self._at + self.length]
        self._at = 0
        while self.length < MOST and (read := next(self._file).readinto(self._data.data[self.length :])):
            self.length += read


def _opened(path: Path, start: int) -> Iterator[FileIO]:
    """The file, as often as it is asked for; it is closed with who asks."""
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while True:
            yield file


class Window(ABC):
    """Some inflated bytes of a file: `length` of them, in memory that is used again for what comes next."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._room(window + PIECE + PADDING)
        self._at = self.length = 0
        # bytes that were dropped; and where each block that is held begins, among all bytes and as virtual offset
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

    def place(self, at: int) -> int:
        """The virtual offset (SAM specification, section 4.1.1) of byte `at`."""
        block = bisect_right(self._starts, self._dropped + at) - 1
        return self._places[block] + self._dropped + at - self._starts[block]

    @abstractmethod
    def more(self) -> bool:
        """Read on; False when nothing more came."""

    def drop(self, consumed: int) -> None:
        """Forget the first `consumed` bytes."""
        self._at += consumed
        self._dropped += consumed
        self.length -= consumed

    def _end_of_room(self, size: int) -> int:
        """Where what is held ends, with room for `size` bytes and the padding behind it."""
        if self._at + self.length + size + PADDING > self._data.size:
            self._move(self.length + size + PADDING)
        return self._at + self.length

    def _room(self, size: int) -> None:
        self._data = np.empty(size, np.uint8)
        self._address: int = self._data.ctypes.data

    def _move(self, needed: int) -> None:
        """Move what is held to the front, of longer memory where `needed` bytes do not fit."""
        held = self._data[self._at : self._at + self.length]
        if needed > self._data.size:
            self._room(2 * needed)
        self._data[: self.length] = held
        self._at = 0

    def _forget_places(self) -> None:
        gone = max(0, bisect_right(self._starts, self._dropped) - 1)
        del self._starts[:gone], self._places[:gone]


class InflatedBuffer(Window):
    """A window on all bytes of a file.

    Reads from the BGZF block at offset `start` on; files that are no BGZF are read as a whole, and have no places.
    """

    def __init__(
        self, path: Path, start: int = 0, window: int = WINDOW, inflate_many: InflateMany | None = None
    ) -> None:
        super().__init__(window)
        self._path, self._inflate, self._inflate_many = path, inflater(), inflate_many
        self._blocks = _compressed(path, start) if is_bgzf(path) else None
        self._compressed = CompressedBytes(path, start)
        self._pieces = inflated(path)

    def find(self, byte: bytes) -> int:
        """Where the first such byte is, or -1."""
        for start in range(0, self.length, PIECE):
            some = self.held[start : min(start + PIECE, self.length)].tobytes()
            if (found := some.find(byte)) >= 0:
                return start + found
        return -1

    def more(self) -> bool:
        """Read on until the window is full, or twice as long as an unfinished record; False at the end of the file."""
        before, enough = self.length, max(self._window, 2 * self.length)
        self._forget_places()
        if self._blocks is None:
            for piece in self._pieces:
                self.append(piece)
                if self.length >= enough:
                    break
        elif self._inflate_many:
            self._inflate_many_until(enough, self._inflate_many)
        else:
            self._inflate_until(enough)
        return self.length > before

    def _inflate_many_until(self, enough: int, inflate: InflateMany) -> None:
        compressed = self._compressed
        while self.length < enough:
            if compressed.length < MOST:  # perhaps no whole block
                compressed.read_on()
            end = self._end_of_room(MOST)
            room = self._data.size - PADDING - end
            found = inflate(compressed.address, compressed.length, self._address + end, room, enough - self.length)
            if found is None or (compressed.length and not found.consumed):
                raise damaged(self._path)
            if not found.consumed:
                return
            self._starts += (found.starts + self._dropped + self.length).tolist()
            self._places += ((found.places + compressed.place) << 16).tolist()
            self.length += found.written
            compressed.drop(found.consumed)

    def _inflate_until(self, enough: int) -> None:
        assert self._blocks is not None
        for place, source, size, crc, length in self._blocks:
            end = self._end_of_room(length)  # first: it may move what is held to another address
            if not self._inflate(source, size, crc, self._address + end, length):
                raise damaged(self._path)
            self._starts.append(self._dropped + self.length)
            self._places.append(place << 16)
            self.length += length
            if self.length >= enough:
                break

    def append(self, piece: bytes) -> None:
        """Hold this piece as well."""
        end = self._end_of_room(len(piece))
        self._data.data[end : end + len(piece)] = piece
        self.length += len(piece)


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
        raise damaged(path) from error


def damaged(path: Path) -> InputError:
    """That a file cannot be inflated."""
    return refuse(
        str(path), "compression that cannot be read", "a complete file",
        "The file is truncated or damaged: copy or make it again.",
    )  # fmt: skip
