"""BGZF of blocks as small as a test likes, so that a record of a few people spans many."""

import random
import struct
import zlib

from tessera.files.inflated import BGZF_END


def small_blocks(data: bytes, header: int, seed: int, longest: int) -> bytes:
    """A BGZF of `data`: of its first `header` bytes, then in blocks of 1 to `longest`, some of nothing among them."""
    chance, blocks, at = random.Random(seed), [block(data[:header])], header
    while at < len(data):
        size = chance.randint(0 if chance.random() < 0.1 else 1, longest)
        blocks.append(block(data[at : at + size]))
        at += size
    return b"".join([*blocks, BGZF_END])


def header_of(bcf: bytes) -> int:
    """Bytes of a BCF's header (BCF2, section 6.2)."""
    return 9 + int(struct.unpack_from("<I", bcf, 5)[0])


def block(data: bytes) -> bytes:
    """One block (SAM specification, section 4.1)."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = deflate.compress(data) + deflate.flush()
    head = struct.pack("<4BI2BH2sHH", 31, 139, 8, 4, 0, 0, 255, 6, b"BC", 2, 18 + len(packed) + 8 - 1)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))
