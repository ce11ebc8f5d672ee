"""Digests of sequences and of sequence collections, as GA4GH refget and seqcol define them."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

import rfc8785


def sha512t24u(data: bytes) -> str:
    """GA4GH's truncated digest: the first 24 bytes of SHA-512, base64url (refget 2.0, "sha512t24u")."""
    return _truncated(hashlib.sha512(data).digest())


def _truncated(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest[:24]).decode("ascii")


def refget(sequence: bytes | Iterable[bytes]) -> str:
    """The refget 2.0 identifier `SQ.…` of a sequence in upper case, whole or in pieces."""
    digest = hashlib.sha512()
    for piece in [sequence] if isinstance(sequence, bytes) else sequence:
        digest.update(piece)
    return f"SQ.{_truncated(digest.digest())}"


def seqcol(names: Sequence[str], sequences: Sequence[str]) -> str:
    """Level-0 digest of a sequence collection (GA4GH seqcol 1.0; inherent attributes: names and sequences).

    `sequences` are refget identifiers, in the order of `names`.
    """
    level1 = {
        "names": sha512t24u(rfc8785.dumps(list(names))),
        "sequences": sha512t24u(rfc8785.dumps(list(sequences))),
    }
    return sha512t24u(rfc8785.dumps(level1))
