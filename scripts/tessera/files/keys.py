"""Key files: Ed25519 to sign (PEM, as openssl reads it) and X25519 to encrypt (Crypt4GH's own format)."""

import base64
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from tessera.errors import InputError, refuse
from tessera.files.atomic import directory_beside
from tessera.files.crypt4gh_keys import WrongPassphrase, decoded_private_key, encoded_private_key
from tessera.files.paths import refuse_unlike_file

#: the files of a pair of pairs; .sec are private
SIGN_SEC, SIGN_PUB, CRYPT4GH_SEC, CRYPT4GH_PUB = "sign.sec", "sign.pub", "crypt4gh.sec", "crypt4gh.pub"
LARGEST = 16_384
MAKE = "tessera keys new makes one."
#: longer ones are no passphrase; PEM takes 1,023 bytes
LONGEST_PASSPHRASE = 1_000
#: gives the passphrase of a key file
Passphrase = Callable[[Path], bytes]
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


def new_keys(out: Path, passphrase: bytes | None) -> None:
    """Make a signing and an encryption key pair in the new folder `out`; private files are for their owner alone, and
    under the passphrase if there is one.

    Raises InputError when `out` is there: a key that is gone cannot be made again.
    """
    if os.path.lexists(out):
        raise refuse(str(out), "it is there", "a new folder", "Keys are never overwritten: give another --out.")
    sign, encrypt = Ed25519PrivateKey.generate(), X25519PrivateKey.generate()
    protection = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    texts = {
        SIGN_SEC: sign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection),
        SIGN_PUB: sign.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        CRYPT4GH_SEC: _c4gh_pem("PRIVATE", encoded_private_key(encrypt.private_bytes_raw(), passphrase)),
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


def read_key(path: Path, passphrase: Passphrase | None = None) -> KeyFile:
    """What a key file of either kind holds. Raises InputError when it is none."""
    loaded = _load(path, passphrase)
    private = isinstance(loaded, Ed25519PrivateKey | X25519PrivateKey)
    public = loaded.public_key() if isinstance(loaded, Ed25519PrivateKey | X25519PrivateKey) else loaded
    return KeyFile("sign" if isinstance(public, Ed25519PublicKey) else "encrypt", private, public)


def read_passphrase(path: Path) -> bytes:
    """The passphrase in a file: its one line, without the line end. Raises InputError."""
    expected = "a file of one line, the passphrase"
    refuse_unlike_file(path, expected)
    _refuse_open_to_others(path)
    with path.open("rb") as file:
        text = file.read(LARGEST).removesuffix(b"\n").removesuffix(b"\r")
    if not text or b"\n" in text or len(text) > LONGEST_PASSPHRASE:
        raise refuse(str(path), "no line, several, or a very long one", expected)
    return text


def signing_key(path: Path, passphrase: Passphrase | None = None) -> Ed25519PrivateKey:
    """The private key to sign with. Raises InputError."""
    key = _load(path, passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise _other(path, key, "a private Ed25519 key (PEM)")
    return key


def signer_key(path: Path) -> Ed25519PublicKey:
    """The public key of who signed. Raises InputError."""
    key = _load(path)
    if not isinstance(key, Ed25519PublicKey):
        raise _other(path, key, "a public Ed25519 key (PEM)")
    return key


def decryption_key(path: Path, passphrase: Passphrase | None = None) -> X25519PrivateKey:
    """The private key to decrypt with. Raises InputError."""
    key = _load(path, passphrase)
    if not isinstance(key, X25519PrivateKey):
        raise _other(path, key, "a private Crypt4GH key")
    return key


def recipient_key(path: Path) -> X25519PublicKey:
    """The public key to encrypt to. Raises InputError."""
    key = _load(path)
    if not isinstance(key, X25519PublicKey):
        raise _other(path, key, "a public Crypt4GH key")
    return key


def _load(path: Path, passphrase: Passphrase | None = None) -> Ed25519PrivateKey | X25519PrivateKey | PublicKey:
    expected = "a key file (Ed25519 in PEM, or Crypt4GH)"
    refuse_unlike_file(path, expected, MAKE)
    with path.open("rb") as file:
        text = file.read(LARGEST)
    told = re.match(rb"-----BEGIN ([A-Z0-9 ]+)-----", text.lstrip())
    kind = told[1].decode() if told else ""
    if "PRIVATE" in kind:
        _refuse_open_to_others(path)
    key: object = None

    def asked() -> bytes:
        if passphrase is None:
            raise _passphrase(path, "a key under a passphrase, and none is given")
        return passphrase(path)

    try:
        if kind == "CRYPT4GH PUBLIC KEY":
            key = X25519PublicKey.from_public_bytes(_c4gh_bytes(text))
        elif kind == "CRYPT4GH PRIVATE KEY":
            key = X25519PrivateKey.from_private_bytes(decoded_private_key(_c4gh_bytes(text), asked))
        elif kind == "PRIVATE KEY":
            key = load_pem_private_key(text, None)
        elif kind == "ENCRYPTED PRIVATE KEY":
            key = _decrypted_pem(text, asked())
        elif kind == "PUBLIC KEY":
            key = load_pem_public_key(text)
    except WrongPassphrase as error:
        raise _passphrase(path, "a key that does not open with the passphrase given") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise refuse(str(path), "a key file that cannot be read", expected, MAKE) from error
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey | X25519PrivateKey | X25519PublicKey):
        raise refuse(str(path), "no key of these kinds", expected, MAKE)
    return key


def _decrypted_pem(text: bytes, passphrase: bytes) -> object:
    try:
        return load_pem_private_key(text, passphrase)
    except ValueError as error:
        # the library tells a wrong passphrase from broken text by words alone
        raise WrongPassphrase from error


def _refuse_open_to_others(path: Path) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise refuse(
            str(path), f"a secret that others may read or change (mode {mode:04o})", "mode 0600",
            f"Run: chmod 600 {path}",
        )  # fmt: skip


def _other(path: Path, key: object, expected: str) -> InputError:
    half = "private" if isinstance(key, Ed25519PrivateKey | X25519PrivateKey) else "public"
    kind = "Ed25519" if isinstance(key, Ed25519PrivateKey | Ed25519PublicKey) else "X25519"
    return refuse(str(path), f"a {half} {kind} key", expected, "tessera keys show tells what a key file is.")


def _passphrase(path: Path, found: str) -> InputError:
    return refuse(str(path), found, "its passphrase", "Give --passphrase-file, or type it in a terminal.")


def _c4gh_pem(kind: str, content: bytes) -> bytes:
    body = base64.b64encode(content).decode()
    return f"-----BEGIN CRYPT4GH {kind} KEY-----\n{body}\n-----END CRYPT4GH {kind} KEY-----\n".encode()


def _c4gh_bytes(text: bytes) -> bytes:
    """What stands between the first and the last line. Raises ValueError."""
    body = re.fullmatch(rb"-----BEGIN [A-Z0-9 ]+-----\s+([A-Za-z0-9+/=\s]+?)\s+-----END [A-Z0-9 ]+-----", text.strip())
    if not body:
        raise ValueError("no PEM")
    return base64.b64decode(b"".join(body[1].split()), validate=True)
