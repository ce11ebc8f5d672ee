"""Crypt4GH's own format of private keys (specification, "Key format"): bare, or under a passphrase."""

import hashlib
import os
import struct
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAGIC = b"c4gh-v1"
NONE, SCRYPT, PBKDF2, CHACHA = b"none", b"scrypt", b"pbkdf2_hmac_sha256", b"chacha20_poly1305"
SALT, NONCE, ROUNDS = 16, 12, 4
#: of pbkdf2; a file that asks for more is made to keep us busy
MOST_ROUNDS = 10_000_000


class WrongPassphrase(Exception):  # noqa: N818
    """The passphrase is not the key's."""


def encoded_private_key(raw: bytes, passphrase: bytes | None) -> bytes:
    """The bytes of a key file of 32 bytes of key; under a passphrase by scrypt and ChaCha20-Poly1305."""
    if passphrase is None:
        return MAGIC + _fields(NONE, NONE, raw)
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    sealed = ChaCha20Poly1305(_scrypt(passphrase, salt)).encrypt(nonce, raw, None)
    return MAGIC + _fields(SCRYPT, bytes(ROUNDS) + salt, CHACHA, nonce + sealed)


def decoded_private_key(content: bytes, passphrase: Callable[[], bytes]) -> bytes:
    """The 32 bytes of a key; `passphrase` is asked where there is one.

    Raises ValueError for what is no such key, WrongPassphrase when it does not open.
    """
    if not content.startswith(MAGIC):
        raise ValueError("no private Crypt4GH key")
    rest = content[len(MAGIC) :]
    kdf, rest = _field(rest)
    options, rest = _field(rest) if kdf != NONE else (b"", rest)
    cipher, rest = _field(rest)
    data, _ = _field(rest)
    if kdf == NONE and cipher == NONE:
        return data
    if kdf not in (SCRYPT, PBKDF2) or cipher != CHACHA or len(options) <= ROUNDS or len(data) <= NONCE:
        raise ValueError("no private Crypt4GH key under scrypt or PBKDF2")
    salt, rounds = options[ROUNDS:], int.from_bytes(options[:ROUNDS], "big")
    if kdf == PBKDF2 and not 1 <= rounds <= MOST_ROUNDS:
        raise ValueError("no number of rounds")
    words = passphrase()
    derived = _scrypt(words, salt) if kdf == SCRYPT else hashlib.pbkdf2_hmac("sha256", words, salt, rounds, 32)
    try:
        return ChaCha20Poly1305(derived).decrypt(data[:NONCE], data[NONCE:], None)
    except InvalidTag as error:
        raise WrongPassphrase from error


def _scrypt(passphrase: bytes, salt: bytes) -> bytes:
    """The costs are the specification's; the file does not tell them."""
    return hashlib.scrypt(passphrase, salt=salt, n=1 << 14, r=8, p=1, dklen=32)


def _fields(*fields: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(field)) + field for field in fields)


def _field(content: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(content[:2], "big")
    if len(content) < 2 + size:
        raise ValueError("no private Crypt4GH key")
    return content[2 : 2 + size], content[2 + size :]
