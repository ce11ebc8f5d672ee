"""The window on a BCF of many people: whole records, without the FORMAT fields that no count reads.

The fields of a record lie one after the other, each as the values of everybody (BCF2, section 6.3.3), and how long one
is follows from its head and the number of people. So blocks that lie within fields which nobody wants need not be
inflated. What the window holds are valid records of the other fields.
"""

import struct
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from pathlib import Path

from tessera.files.bcf import FIELD_HEAD, BcfHeader, read_field_head
from tessera.files.bgzf_blocks import BgzfBlocks
from tessera.files.inflated import Window

#: people of a file, and bytes of a record's fields, below which too few blocks hold nothing that is wanted
MANY, LONG = 8_000, 1 << 16
#: of a record (BCF2, section 6.3): l_shared, l_indiv, contig, and n_fmt above 24 bits of n_sample; where these lie
RECORD, SIZES, FIELDS, FIELDS_AT = struct.Struct("<IIi16xI"), struct.Struct("<II"), struct.Struct("<I"), 28


class BcfWindow(Window):
    """A window on the records of `people`, from the one at virtual offset `start` on, with those fields of theirs that
    are `wanted`.

    A record that is not of the usual shape is held as it lies in the file, for who reads the window to judge.
    """

    def __init__(
        self, path: Path, start: int, header: BcfHeader, people: int, wanted: Iterable[str], window: int
    ) -> None:
        super().__init__(window)
        self._people, self._contigs = people, header.contigs
        self._known = frozenset(header.strings.values())
        self._wanted = frozenset(header.strings[name] for name in wanted if name in header.strings)
        self._blocks = BgzfBlocks(path, start >> 16)
        #: how much of what is held are records that were looked at; what follows is as in the file
        self._ready = 0
        self._skip(start & 0xFFFF)

    def drop(self, consumed: int) -> None:
        """Forget the first `consumed` bytes."""
        super().drop(consumed)
        self._ready = max(0, self._ready - consumed)

    def more(self) -> bool:
        """Read on, record by record, until the window is full; False when no whole record follows."""
        self._forget_places()
        before = begin = self._ready
        # a record is held while another one like the last would still find room
        while self._take_record() and 2 * self._ready - begin <= self._window:
            begin = self._ready
        return self._ready > before

    def _take_record(self) -> bool:
        begin = self._ready
        if not self._hold(begin + RECORD.size):
            return False
        place = self.place(begin)
        end = self._thinned(begin)
        if end is None:
            self._forget_from(begin)
            self._blocks.go(place >> 16)
            self._skip(place & 0xFFFF)
            self._hold(begin + RECORD.size)
            end = begin + SIZES.size + sum(SIZES.unpack_from(self._data.data, self._at + begin))
        if not self._hold(end):
            return False
        self._ready = end
        return True

    def _thinned(self, begin: int) -> int | None:
        """Take what is not wanted out of the record at `begin`; where it ends. None when it is of no usual shape."""
        found = self._record_at(begin)
        if found is None:
            return None
        shared, left, unread = found
        first = at = begin + SIZES.size + shared
        if left < LONG:
            return at + left
        missing, kept = set(self._wanted), 0
        while unread and missing:
            field = self._field_at(at, left)
            if field is None:
                return None
            key, size = field
            if key in self._wanted:
                missing.discard(key)
                kept, at = kept + 1, at + size
            elif not self._cut(at, size):
                return None
            left, unread = left - size, unread - 1
        # with all that is wanted at hand only one head more is looked at; and behind the rest a record must follow
        if bool(left) is not bool(unread) or (left and not self._field_at(at, left)):
            return None
        if left and not (self._cut(at, left) and self._is_record_or_end(at)):
            return None
        SIZES.pack_into(self._data.data, self._at + begin, shared, at - first)
        FIELDS.pack_into(self._data.data, self._at + begin + FIELDS_AT, self._people | kept << 24)
        return at

    def _record_at(self, at: int) -> tuple[int, int, int] | None:
        """l_shared, l_indiv and n_fmt of a record that begins at `at`; None when they are no record's of this file."""
        shared, individual, contig, fields = RECORD.unpack_from(self._data.data, self._at + at)
        if shared < RECORD.size - SIZES.size or contig not in self._contigs or fields & 0xFFFFFF != self._people:
            return None
        return shared, individual, fields >> 24

    def _is_record_or_end(self, at: int) -> bool:
        if self._hold(at + RECORD.size):
            return self._record_at(at) is not None
        return self.length == at

    def _field_at(self, at: int, left: int) -> tuple[int, int] | None:
        """Key and size of the field at `at`, its head included; None when it is none that fits `left` bytes."""
        if not self._hold(at + min(left, FIELD_HEAD)):
            return None
        head = self._data[self._at + at : self._at + at + min(left, FIELD_HEAD)].tobytes()
        found = read_field_head(head)
        if found is None:
            return None
        key, _, values, length = found
        size = values + length * self._people
        return (key, size) if key in self._known and size <= left else None

    def _cut(self, at: int, size: int) -> bool:
        """Take `size` bytes out at `at`, whether they are held or not; False when the file ends before they do."""
        if not self._hold(at):
            return False
        ahead = self.length - at
        if size >= ahead:
            self._forget_from(at)
            return self._skip(size - ahead)
        there, gone = self.place(at + size), bisect_right(self._starts, self._dropped + at + size)
        later = [start - size for start in self._starts[gone:]], self._places[gone:]
        begin = self._at + at
        self._data[begin : begin + ahead - size] = self._data[begin + size : begin + ahead]
        self._forget_from(at)
        self.length += ahead - size
        self._starts += [self._dropped + at, *later[0]]
        self._places += [there, *later[1]]
        return True

    def _forget_from(self, at: int) -> None:
        """Hold nothing from `at` on."""
        self.length = at
        gone = bisect_left(self._starts, self._dropped + at)
        del self._starts[gone:], self._places[gone:]

    def _hold(self, size: int) -> bool:
        """Inflate until so many bytes are held; False when the file ends before."""
        while self.length < size:
            if not self._blocks.length:
                return False
            self._inflate(0)
        return True

    def _skip(self, size: int) -> bool:
        """Leave out the next `size` bytes, most of them not inflated; False when the file ends before them."""
        size = self._blocks.skip(size)
        if size and not self._blocks.length:
            return False
        if size:
            self._inflate(size)
        return True

    def _inflate(self, skipped: int) -> None:
        """Hold the next block without its first bytes."""
        place, length = self._blocks.place, self._blocks.length
        end = self._end_of_room(length)
        self._blocks.inflate(self._address + end)
        if skipped:
            self._data[end : end + length - skipped] = self._data[end + skipped : end + length]
        self._starts.append(self._dropped + self.length)
        self._places.append(place << 16 | skipped)
        self.length += length - skipped
