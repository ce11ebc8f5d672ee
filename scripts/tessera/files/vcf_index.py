"""Where the records of a stretch of a contig begin in a BGZF: the indexes .tbi and .csi."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tessera.errors import InputError, refuse
from tessera.files.inflated import inflated

#: the window of a .tbi's linear index (tabix specification), and its bin that holds no records
WINDOW_BITS, TBI_META_BIN = 14, 37450
#: a chunk: virtual offsets of its begin and end
CHUNK_BYTES = 16


@dataclass(frozen=True)
class ContigIndex:
    """k known points of a contig: every record that reaches base `bases[i]` (0-based) or beyond lies at the virtual
    offset `offsets[i]` or behind it. Both (k,) ascending."""

    bases: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int64]

    def offset(self, base: int) -> int:
        """A virtual offset before which no record reaches `base`, as late as the index can tell."""
        return int(self.offsets[max(0, int(np.searchsorted(self.bases, base, side="right")) - 1)])


def read_index(path: Path, header_contigs: Sequence[str]) -> Mapping[str, ContigIndex] | None:
    """The index beside a VCF or BCF, by contig in the order of the file; None where there is none that is current.

    An index that is older than its file is taken for none, as it may be of another file. A BCF's index numbers contigs
    as its header does. Raises InputError when the index cannot be read.
    """
    for suffix, parse in ((".csi", _csi), (".tbi", _tbi)):
        index = path.with_name(path.name + suffix)
        if index.is_file() and index.stat().st_mtime >= path.stat().st_mtime:
            try:
                contigs = parse(b"".join(inflated(index)), header_contigs)
            except (struct.error, ValueError, IndexError, InputError) as error:
                raise refuse(
                    str(index), "not readable as an index", f"the index of {path.name}",
                    f"Run: bcftools index --force {path}",
                ) from error  # fmt: skip
            # file order, whatever the numbers of the contigs
            return dict(sorted(contigs.items(), key=lambda item: int(item[1].offsets[0])))
    return None


class _Fields:
    """Little-endian integers, one after another."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.data[self.at - size : self.at]

    def first_chunk(self, number: int) -> int:
        """Skip `number` chunks; where the first begins."""
        (begin,) = struct.unpack_from("<q", self.data, self.at)
        self.at += number * CHUNK_BYTES
        return int(begin)


def _tbi(data: bytes, _: Sequence[str]) -> dict[str, ContigIndex]:
    """Tabix specification, "the index file format"."""
    fields = _Fields(data)
    if fields.bytes(4) != b"TBI\1":
        raise ValueError("no TBI")
    contigs, *_rest, names_length = fields.take("8I")
    names = _names(fields.bytes(names_length))
    found = {}
    for contig in range(contigs):
        (bins,) = fields.take("I")
        begins = []
        for _bin in range(bins):
            number, chunks = fields.take("II")
            begin = fields.first_chunk(chunks)
            if number != TBI_META_BIN:
                begins.append(begin)
        (windows,) = fields.take("I")
        linear = np.frombuffer(fields.bytes(8 * windows), np.int64)
        if begins:
            bases = np.arange(windows, dtype=np.int64) << WINDOW_BITS
            found[names[contig]] = _points(np.r_[0, bases], np.r_[min(begins), linear])
    return found


def _csi(data: bytes, header_contigs: Sequence[str]) -> dict[str, ContigIndex]:
    """CSI specification, version 1; the auxiliary data of a VCF are those of its .tbi, a BCF has none."""
    fields = _Fields(data)
    if fields.bytes(4) != b"CSI\1":
        raise ValueError("no CSI")
    window_bits, depth, auxiliary = fields.take("3I")
    aux = fields.bytes(auxiliary)
    names = _names(aux[28:]) if auxiliary else list(header_contigs)
    (contigs,) = fields.take("I")
    found = {}
    for contig in range(contigs):
        (bins,) = fields.take("I")
        points, begins = [], []
        for _bin in range(bins):
            number, offset, chunks = fields.take("IqI")
            begin = fields.first_chunk(chunks)
            base = _bin_start(number, window_bits, depth)
            if base is not None:
                points.append((base, offset))
                begins.append(begin)
        if begins:
            bases, offsets = np.array(sorted(points), np.int64).T
            found[names[contig]] = _points(np.r_[0, bases], np.r_[min(begins), offsets])
    return found


def _bin_start(number: int, window_bits: int, depth: int) -> int | None:
    """The first base of a bin; None for the bin that holds no records."""
    first, level = 0, 0
    while number >= first + (1 << 3 * level):
        first += 1 << 3 * level
        level += 1
    if level > depth:
        return None
    return (number - first) << (window_bits + 3 * (depth - level))


def _points(bases: npt.NDArray[np.int64], offsets: npt.NDArray[np.int64]) -> ContigIndex:
    """What holds for a base holds for all behind it, so the latest offset so far is the one to take."""
    return ContigIndex(bases, np.maximum.accumulate(offsets))


def _names(data: bytes) -> list[str]:
    return data.rstrip(b"\0").decode("utf-8", "surrogateescape").split("\0")
