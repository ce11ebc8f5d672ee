"""The blocks of a BGZF one after the other, of which only those that are asked for are read and inflated."""

import os
import weakref
from pathlib import Path

import numpy as np

from tessera.files.inflated import BGZF_HEAD, BGZF_TAIL, MOST, block_span, block_tail, damaged
from tessera.files.inflating import inflater


class BgzfBlocks:
    """Stands on a block at a time: `place` in the file, and `length` of what it holds; 0 at the end of the file.

    Of a block that is passed by, its head and tail are read and their sizes checked; its CRC32 is not, for nobody
    knows its bytes. Raises InputError where the chain of blocks breaks.
    """

    def __init__(self, path: Path, place: int) -> None:
        self._path, self._inflate = path, inflater()
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._room = np.empty(MOST, np.uint8)
        self._address: int = self._room.ctypes.data
        self.go(place)

    def go(self, place: int) -> None:
        """Stand on the block at `place`, or the first behind it that holds something."""
        self._stand(place, os.pread(self._file, BGZF_HEAD.size, place))

    def skip(self, size: int) -> int:
        """Pass by the blocks that hold nothing but the next `size` bytes; how many of these the next one holds."""
        while self.length and size >= self.length:
            size -= self.length
            self._stand(self._stop, self._next_head)
        return size

    def inflate(self, target: int) -> None:
        """Write what the block holds, `length` bytes, to this address, and go on to the next."""
        size = self._stop - BGZF_TAIL.size - self._begin
        read = os.preadv(self._file, [self._room.data[:size]], self._begin)
        if read != size or not self._inflate(self._address, size, self._crc, target, self.length):
            raise damaged(self._path)
        self._stand(self._stop, self._next_head)

    def _stand(self, place: int, head: bytes) -> None:
        length, tail = 0, BGZF_TAIL.size
        while head and not length:
            if len(head) < BGZF_HEAD.size:
                raise damaged(self._path)
            begin, stop = block_span(self._path, head, 0)
            self.place, self._begin, self._stop = place, place + begin, place + stop
            # the tail, and the head of the next
            behind = os.pread(self._file, tail + BGZF_HEAD.size, self._stop - tail)
            if len(behind) < tail:
                raise damaged(self._path)
            self._crc, length = block_tail(self._path, behind, 0)
            place, head = self._stop, behind[tail:]
        self.length, self._next_head = length, head
