"""Key files: Ed25519 to sign (PEM, as openssl reads it) and X25519 to encrypt (Crypt4GH's own format)."""

import base64
import hashlib
import os
import re
import stat
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from tessera.errors import InputError, refuse
from tessera.files.atomic import directory_beside
from tessera.files.paths import refuse_unlike_file

#: the files of a pair of pairs; .sec are private
SIGN_SEC, SIGN_PUB, CRYPT4GH_SEC, CRYPT4GH_PUB = "sign.sec", "sign.pub", "crypt4gh.sec", "crypt4gh.pub"
#: first bytes of a private Crypt4GH key (Crypt4GH file format, "Key format")
C4GH_KEY = b"c4gh-v1"
LARGEST = 16_384
MAKE = "tessera keys new makes one."
PublicKey = Ed25519PublicKey | X25519PublicKey


@dataclass(frozen=True)
class KeyFile:
    """What a key file holds; of a private one, its public half."""

    purpose: str
    private: bool
    public: PublicKey

    @property
    def fingerprint(self) -> str:
        """sha256 of the 32 bytes of the public key, to compare by telephone."""
        return f"sha256:{hashlib.sha256(self.public.public_bytes_raw()).hexdigest()}"


def new_keys(out: Path) -> None:
    """Make a signing and an encryption key pair in the new folder `out`; private files are for their owner alone.

    Raises InputError when `out` is there: a key that is gone cannot be made again.
    """
    if os.path.lexists(out):
        raise refuse(str(out), "it is there", "a new folder", "Keys are never overwritten: give another --out.")
    sign, encrypt = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    texts = {
        SIGN_SEC: sign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        SIGN_PUB: sign.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        CRYPT4GH_SEC: _c4gh_pem("PRIVATE", _c4gh_private(encrypt.private_bytes_raw())),
        CRYPT4GH_PUB: _c4gh_pem("PUBLIC", encrypt.public_key().public_bytes_raw()),
    }
    with directory_beside(out) as aside:
        aside.chmod(0o700)
        for name, text in texts.items():
            mode = 0o600 if name.endswith(".sec") else 0o644
            with os.fdopen(os.open(aside / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(text)
        # unlike replace of a file, this does not take the place of a folder that holds something
        aside.rename(out)


def read_key(path: Path) -> KeyFile:
    """What a key file of either kind holds. Raises InputError when it is none."""
    loaded = _load(path)
    private = isinstance(loaded, Ed25519PrivateKey | X25519PrivateKey)
    public = loaded.public_key() if isinstance(loaded, Ed25519PrivateKey | X25519PrivateKey) else loaded
    return KeyFile("sign" if isinstance(public, Ed25519PublicKey) else "encrypt", private, public)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The private key to sign with. Raises InputError."""
    key = _load(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise _other(path, key, "a private Ed25519 key (PEM)")
    return key


def signer_key(path: Path) -> Ed25519PublicKey:
    """The public key of who signed. Raises InputError."""
    key = _load(path)
    if not isinstance(key, Ed25519PublicKey):
        raise _other(path, key, "a public Ed25519 key (PEM)")
    return key


def decryption_key(path: Path) -> X25519PrivateKey:
    """The private key to decrypt with. Raises InputError."""
    key = _load(path)
    if not isinstance(key, X25519PrivateKey):
        raise _other(path, key, "a private Crypt4GH key")
    return key


def recipient_key(path: Path) -> X25519PublicKey:
    """The public key to encrypt to. Raises InputError."""
    key = _load(path)
    if not isinstance(key, X25519PublicKey):
        raise _other(path, key, "a public Crypt4GH key")
    return key


def _load(path: Path) -> Ed25519PrivateKey | X25519PrivateKey | PublicKey:
    expected = "a key file (Ed25519 in PEM, or Crypt4GH)"
    refuse_unlike_file(path, expected, MAKE)
    with path.open("rb") as file:
        text = file.read(LARGEST)
    told = re.match(rb"-----BEGIN ([A-Z0-9 ]+)-----", text.lstrip())
    kind = told[1].decode() if told else ""
    if "PRIVATE" in kind:
        _refuse_open_to_others(path)
    key: object = None
    try:
        if kind == "CRYPT4GH PUBLIC KEY":
            key = X25519PublicKey.from_public_bytes(_c4gh_bytes(text))
        elif kind == "CRYPT4GH PRIVATE KEY":
            key = X25519PrivateKey.from_private_bytes(_c4gh_raw(path, _c4gh_bytes(text)))
        elif kind == "PRIVATE KEY":
            key = load_pem_private_key(text, None)
        elif kind == "PUBLIC KEY":
            key = load_pem_public_key(text)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise refuse(str(path), "a key file that cannot be read", expected, MAKE) from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey | X25519PrivateKey | X25519PublicKey):
        protected = kind == "ENCRYPTED PRIVATE KEY"
        raise _passphrase(path) if protected else refuse(str(path), "no key of these kinds", expected, MAKE)
    return key


def _refuse_open_to_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise refuse(
            str(path), f"a private key that others may read or change (mode {mode:04o})", "mode 0600",
            f"Run: chmod 600 {path}",
        )  # fmt: skip


def _other(path: Path, key: object, expected: str) -> InputError:
    half = "private" if isinstance(key, Ed25519PrivateKey | X25519PrivateKey) else "public"
    kind = "Ed25519" if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey) else "X25519"
    return refuse(str(path), f"a {half} {kind} key", expected, "tessera keys show tells what a key file is.")


def _passphrase(path: Path) -> InputError:
    remedy = "Write it without one, mode 0600, on a disk that is encrypted."
    return refuse(str(path), "a key under a passphrase", "a key without one", remedy)


def _c4gh_pem(kind: str, content: bytes) -> bytes:
    body = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{body}\n-----END CRYPT4GH {kind} KEY-----\n".encode()


def _c4gh_private(raw: bytes) -> bytes:
    """A private key without passphrase: no key derivation, no cipher, the key."""
    fields = (b"none", b"none", raw)
    return C4GH_KEY + b"".join(struct.pack(">H", len(field)) + field for field in fields)


def _c4gh_bytes(text: bytes) -> bytes:
    """What stands between the first and the last line. Raises ValueError."""
    body = re.fullmatch(rb"-----BEGIN [A-Z0-9 ]+-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END [A-Z0-9 ]+-----", text.strip())
    if not body:
        raise ValueError("no PEM")
    return base64.b64decode(b"".join(body[1].split()), validate=True)


def _c4gh_raw(path: Path, content: bytes) -> bytes:
    """The 32 bytes of a private key. Raises ValueError, and InputError for one under a passphrase."""
    if not content.startswith(C4GH_KEY):
        raise ValueError("no private Crypt4GH key")
    fields: list[bytes] = []
    at = len(C4GH_KEY)
    while at < len(content) and len(fields) < 3:
        size = int.from_bytes(content[at : at + 2], "big")
        fields.append(content[at + 2 : at + 2 + size])
        at += 2 + size
        if fields[0] != b"none":
            raise _passphrase(path)
    if fields[1:2] != [b"none"] or len(fields) < 3:
        raise ValueError("no private Crypt4GH key")
    return fields[2]
