"""Crypt4GH 1: a stream encrypted to named recipients (GA4GH, "Crypt4GH file format", sections 2 and 3).

A header with the session key, once for each recipient, then segments of 64 KiB, each sealed by ChaCha20-Poly1305.
"""

import hashlib
import io
import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from tessera.errors import InputError, refuse

MAGIC, VERSION = b"crypt4gh", 1
SEGMENT, NONCE, TAG = 65_536, 12, 16
#: type of a header packet: the session key, an edit list
SESSION_KEY, EDIT_LIST = 0, 1
#: more recipients, or more bytes for one, are no header of ours; nothing of such a size is taken into memory
MOST_PACKETS, LARGEST_PACKET = 1_000, 4_096
A_BUNDLE = "a file encrypted as Crypt4GH"
ASK_AGAIN = "It was cut short or altered on its way: ask for it again."


class EncryptingWriter:
    """Encrypts what is written to it; `close` seals the rest, without which the file is cut short."""

    def __init__(self, out: BinaryIO, recipients: Sequence[X25519PublicKey]) -> None:
        key = os.urandom(32)
        self._out, self._cipher, self._waiting = out, ChaCha20Poly1305(key), bytearray()
        packets = [_sealed(key, recipient) for recipient in recipients]
        out.write(MAGIC + struct.pack("<II", VERSION, len(packets)) + b"".join(packets))

    def write(self, data: bytes) -> None:
        """Encrypt every segment that is full."""
        at = 0
        if self._waiting:
            at = SEGMENT - len(self._waiting)
            self._waiting += data[:at]
            if len(self._waiting) < SEGMENT:
                return
            self._seal(self._waiting)
        whole = at + (len(data) - at) // SEGMENT * SEGMENT
        view = memoryview(data)
        for start in range(at, whole, SEGMENT):
            self._seal(view[start : start + SEGMENT])
        self._waiting = bytearray(view[whole:])

    def close(self) -> None:
        """Encrypt the last segment, which may be short."""
        if self._waiting:
            self._seal(self._waiting)
            self._waiting = bytearray()

    def _seal(self, segment: bytes | bytearray | memoryview) -> None:
        nonce = os.urandom(NONCE)
        self._out.write(nonce)
        self._out.write(self._cipher.encrypt(nonce, segment, None))


class DecryptedStream(io.RawIOBase):
    """The decrypted bytes, to be read through `io.BufferedReader`; a segment that does not open is refused."""

    def __init__(self, source: BinaryIO, key: X25519PrivateKey, where: str) -> None:
        self._source, self._where = source, where
        self._ciphers = [ChaCha20Poly1305(session) for session in _session_keys(source, key, where)]
        self._waiting, self._number = memoryview(b""), 0

    def readable(self) -> bool:
        """True, as `io` asks."""
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]
        """Fill the buffer as far as the segment at hand goes; 0 at the end. Raises InputError."""
        if not self._waiting:
            self._waiting = memoryview(self._segment())
        number = min(len(buffer), len(self._waiting))
        buffer[:number] = self._waiting[:number]
        self._waiting = self._waiting[number:]
        return number

    def _segment(self) -> bytes:
        sealed = self._source.read(NONCE + SEGMENT + TAG)
        if not sealed:
            return b""
        self._number += 1
        if len(sealed) > NONCE + TAG:
            for cipher in self._ciphers:
                with suppress(InvalidTag):
                    return cipher.decrypt(sealed[:NONCE], sealed[NONCE:], None)
        raise refuse(self._where, f"segment {self._number} does not decrypt", A_BUNDLE, ASK_AGAIN)


def _sealed(session: bytes, recipient: X25519PublicKey) -> bytes:
    """A header packet with the session key; its writer is a key pair for this packet alone."""
    writer, nonce = X25519PrivateKey.generate(), os.urandom(NONCE)
    mine = writer.public_key().public_bytes_raw()
    shared = _shared(writer, recipient, recipient.public_bytes_raw(), mine)
    packet = struct.pack("<II", SESSION_KEY, 0) + session
    body = struct.pack("<I", 0) + mine + nonce + ChaCha20Poly1305(shared).encrypt(nonce, packet, None)
    return struct.pack("<I", len(body) + 4) + body


def _shared(mine: X25519PrivateKey, other: X25519PublicKey, reader: bytes, writer: bytes) -> bytes:
    """The key of a header packet, as libsodium's crypto_kx derives it."""
    return hashlib.blake2b(mine.exchange(other) + reader + writer).digest()[:32]


def _session_keys(source: BinaryIO, key: X25519PrivateKey, where: str) -> list[bytes]:
    """The session keys of all packets that `key` opens. Raises InputError when there is none."""
    start = source.read(len(MAGIC) + 8)
    if not start.startswith(MAGIC):
        raise refuse(where, "a file that is not encrypted as Crypt4GH", A_BUNDLE, "Take the file that the node sent.")
    if len(start) < len(MAGIC) + 8:
        raise _cut(where)
    version, number = struct.unpack("<II", start[len(MAGIC) :])
    if version != VERSION:
        raise refuse(where, f"Crypt4GH version {version}", f"version {VERSION}", ASK_AGAIN)
    if number > MOST_PACKETS:
        raise refuse(where, f"a header for {number:,} recipients", f"at most {MOST_PACKETS:,}", ASK_AGAIN)
    opened = [packet for packet in (_opened(_packet(source, where), key) for _ in range(number)) if packet]
    if not opened:
        found = f"encrypted to {number} recipients, none of them this key"
        raise refuse(where, found, "the private key of a recipient", "Give the --key whose public half the node has.")
    for packet in opened:
        kind, method = struct.unpack("<II", packet[:8])
        if kind == EDIT_LIST:
            raise refuse(where, "an edit list, by which parts are left out", "a bundle as it was packed", ASK_AGAIN)
        if kind != SESSION_KEY or method != 0 or len(packet) != 40:
            raise refuse(where, "a header packet of an unknown kind", "packets of Crypt4GH 1", ASK_AGAIN)
    return [packet[8:] for packet in opened]


def _packet(source: BinaryIO, where: str) -> bytes:
    length = source.read(4)
    if len(length) < 4:
        raise _cut(where)
    size = struct.unpack("<I", length)[0] - 4
    if not 0 <= size <= LARGEST_PACKET:
        raise refuse(where, f"a header packet of {size + 4:,} bytes", f"at most {LARGEST_PACKET:,}", ASK_AGAIN)
    packet = source.read(size)
    if len(packet) < size:
        raise _cut(where)
    return packet


def _opened(packet: bytes, key: X25519PrivateKey) -> bytes | None:
    """What a header packet holds; None when it is for somebody else."""
    if len(packet) < 4 + 32 + NONCE + TAG + 8 or packet[:4] != bytes(4):
        return None
    writer, nonce, sealed = packet[4:36], packet[36 : 36 + NONCE], packet[36 + NONCE :]
    try:
        shared = _shared(key, X25519PublicKey.from_public_bytes(writer), key.public_key().public_bytes_raw(), writer)
        return ChaCha20Poly1305(shared).decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        return None


def _cut(where: str) -> InputError:
    return refuse(where, "it ends within the Crypt4GH header", A_BUNDLE, ASK_AGAIN)
