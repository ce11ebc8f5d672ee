"""The bytes of a file that may be plain, gzip or BGZF, in pieces of bounded size."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from tessera.errors import InputError, refuse

#: bytes read at a time; also about what comes out at a time of a plain file
PIECE = 1 << 18
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
            data = rest + read
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
            rest, place = data[at:], place + at
    if rest:
        raise _damaged(path)


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
