"""A bundle: the files of a summary in one TAR, the signed manifest first, encrypted to named recipients.

bundle.json     the manifest, canonical JSON (RFC 8785)
bundle.sig      64 bytes: Ed25519 over bundle.json
summary/        the files of the summary, sorted by name

Every header of the TAR (POSIX ustar) follows from name and size alone, so a reader compares it byte by byte.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tessera.errors import InputError, refuse
from tessera.files.atomic import written_aside
from tessera.files.crypt4gh import DecryptedStream, EncryptingWriter
from tessera.files.paths import refuse_unlike_file
from tessera.schemas.bundle import LARGEST_MEMBER, check_bundle_manifest
from tessera.schemas.document import quoted

MANIFEST, SIGNATURE, SUMMARY = "bundle.json", "bundle.sig", "summary/"
BLOCK, SIGNATURE_SIZE, CHUNK = tarfile.BLOCKSIZE, 64, 2**20
END = bytes(2 * BLOCK)
#: of a summary of a build of some hundred contigs; more is not taken into memory
LARGEST_MANIFEST = 2**20
AS_PACKED = "a bundle as tessera bundle pack writes it"
ASK_AGAIN = "Nothing of it was kept: ask the node for it again."
#: what an entry of a TAR may be instead of a file
KINDS = {
    tarfile.SYMTYPE: "a link", tarfile.LNKTYPE: "a link", tarfile.DIRTYPE: "a folder", tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device", tarfile.FIFOTYPE: "a pipe",
}  # fmt: skip


class Writer(Protocol):
    """What takes bytes one after the other."""

    def write(self, data: bytes, /) -> object:
        """Take these bytes."""


@dataclass(frozen=True)
class Contents:
    """What was in a bundle that was read to its end: its manifest, and the signer whose signature it bears."""

    manifest: Mapping[str, Any]
    signer: Ed25519PublicKey

    @property
    def digest(self) -> str:
        """sha256 of the manifest, which names every file: of the whole."""
        return bundle_digest(self.manifest)


def bundle_digest(manifest: Mapping[str, Any]) -> str:
    """sha256 of a bundle's manifest as it is signed."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps(dict(manifest))).hexdigest()}"


def write_bundle(
    out: Path,
    summary: Path,
    manifest: Mapping[str, Any],
    signer: Ed25519PrivateKey,
    recipients: Sequence[X25519PublicKey] | None,
) -> None:
    """Pack the files that the manifest names, sign it and encrypt to `recipients`; None leaves the TAR as it is.

    Raises InputError when a file is no longer the one that the manifest names.
    """
    text = rfc8785.dumps(dict(manifest))
    with written_aside(out) as aside, aside.open("wb") as file:
        sealing = EncryptingWriter(file, recipients) if recipients is not None else None
        to: Writer = sealing or file
        _put(to, MANIFEST, text)
        _put(to, SIGNATURE, signer.sign(text))
        for name, facts in sorted(manifest["members"].items()):
            _put_file(to, summary, name, facts)
        to.write(END)
        if sealing:
            sealing.close()


def read_bundle(path: Path, key: X25519PrivateKey | None, signers: Sequence[Ed25519PublicKey], into: Path) -> Contents:
    """Read a bundle to its end, and write its summary's files to the folder `into`; `key` is None for a bare TAR.

    What is written is of use only when this returns. Raises InputError for the first thing that is not as
    `write_bundle` writes it: nothing after it can be believed.
    """
    with _opened(path, key) as stream:
        tar = _Tar(stream, str(path))
        contents = _contents(tar, signers, str(path))
        members = contents.manifest["members"]
        tar.belong = {SUMMARY + name for name in members}
        for name in sorted(members):
            tar.file(SUMMARY + name, members[name], into / name)
        tar.end()
    return contents


def read_contents(path: Path, key: X25519PrivateKey | None, signers: Sequence[Ed25519PublicKey]) -> Contents:
    """What the signed manifest of a bundle says; the files after it are not looked at. Raises InputError."""
    with _opened(path, key) as stream:
        return _contents(_Tar(stream, str(path)), signers, str(path))


def _contents(tar: "_Tar", signers: Sequence[Ed25519PublicKey], where: str) -> Contents:
    text = tar.small(MANIFEST, LARGEST_MANIFEST)
    signer = _signer(text, tar.small(SIGNATURE, SIGNATURE_SIZE), signers, where)
    return Contents(_manifest(text, where), signer)


@contextmanager
def _opened(path: Path, key: X25519PrivateKey | None) -> Iterator[BinaryIO]:
    refuse_unlike_file(path, "a bundle")
    with ExitStack() as stack:
        file: BinaryIO = stack.enter_context(path.open("rb"))
        if key is not None:
            file = io.BufferedReader(DecryptedStream(file, key, str(path)), CHUNK)
        elif file.peek(8)[:8] == b"crypt4gh":  # type: ignore[attr-defined]
            raise refuse(str(path), "an encrypted bundle", "--key with a recipient's private key")
        yield file


def _header(name: str, size: int) -> bytes:
    """The block before a file: no time, no owner, mode 0644."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def _padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def _put(to: Writer, name: str, content: bytes) -> None:
    to.write(_header(name, len(content)) + content + _padding(len(content)))


def _put_file(to: Writer, summary: Path, name: str, facts: Mapping[str, Any]) -> None:
    size, digest = 0, hashlib.sha256()
    to.write(_header(SUMMARY + name, facts["bytes"]))
    with (summary / name).open("rb") as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            digest.update(chunk)
            to.write(chunk)
    if (size, digest.hexdigest()) != (facts["bytes"], facts["sha256"]):
        found = "it changed while it was packed"
        raise refuse(str(summary / name), found, "a summary that nobody writes to", "Pack it again.")
    to.write(_padding(size))


def _signer(text: bytes, signature: bytes, signers: Sequence[Ed25519PublicKey], where: str) -> Ed25519PublicKey:
    for signer in signers:
        try:
            signer.verify(signature, text)
        except InvalidSignature:
            continue
        return signer
    raise refuse(
        where, "its manifest is not signed by any of the signers given", "a bundle signed by one of them",
        "Ask the node for its public signing key on another way than the bundle came, and for the bundle again.",
    )  # fmt: skip


def _manifest(text: bytes, where: str) -> dict[str, Any]:
    """The manifest of a bundle, whose signature is right: a node may still send what it should not."""
    try:
        manifest = json.loads(text)
        canonical = rfc8785.dumps(manifest)
    except (ValueError, RecursionError) as error:
        raise refuse(where, f"{MANIFEST} is not JSON ({quoted(error)[1:-1]})", AS_PACKED, ASK_AGAIN) from error
    if canonical != text:
        raise refuse(where, f"{MANIFEST} is not canonical JSON (RFC 8785)", AS_PACKED, ASK_AGAIN)
    problems = check_bundle_manifest(manifest, where=f"{where} {MANIFEST}")
    if problems:
        raise InputError(problems)
    found: dict[str, Any] = manifest
    return found


class _Tar:
    """Reads a TAR from its first byte to its last; every entry must be the one that is asked for."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream, self._where = stream, where
        self._seen: set[str] = set()
        self.belong: set[str] = {MANIFEST, SIGNATURE}

    def small(self, name: str, most: int) -> bytes:
        """The content of an entry that is read into memory."""
        content = io.BytesIO()
        self._copy(name, self._entry(name, most=most), content.write)
        return content.getvalue()

    def file(self, name: str, facts: Mapping[str, Any], out: Path) -> None:
        """Write an entry to `out`; its size and digest are those of the manifest."""
        size, digest = self._entry(name, exactly=facts["bytes"]), hashlib.sha256()
        out.parent.mkdir(exist_ok=True)
        with out.open("xb") as file:

            def take(chunk: bytes) -> None:
                digest.update(chunk)
                file.write(chunk)

            self._copy(name, size, take)
        if digest.hexdigest() != facts["sha256"]:
            raise self._refused(f"{name} is not the file the manifest names (sha256 differs)")

    def end(self) -> None:
        """Nothing comes any more but the end of the TAR."""
        block = self._block("the end")
        if block != END[:BLOCK]:
            info = self._info(block, "the end")
            raise self._refused(self._stranger(info))
        if self._stream.read(BLOCK) != END[BLOCK:] or self._stream.read(1):
            raise self._refused("it does not end where its TAR ends")

    def _entry(self, name: str, *, exactly: int | None = None, most: int = LARGEST_MEMBER) -> int:
        """Read the header of the entry that must come, and give its size."""
        block = self._block(name)
        if block == END[:BLOCK]:
            raise self._refused(f"{name} is missing")
        info = self._info(block, name)
        if info.name != name or info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            comes = info.name in self.belong - self._seen or (name == SIGNATURE and info.name.startswith(SUMMARY))
            later = info.isreg() and comes
            raise self._refused(f"{name} is missing" if later else self._stranger(info))
        if (exactly is not None and info.size != exactly) or info.size > most:
            expected = f"{exactly:,}" if exactly is not None else f"at most {most:,}"
            raise self._refused(f"{name} declares {info.size:,} bytes, expected {expected}")
        if block != _header(name, info.size):
            raise self._refused(f"{name} has a time, an owner or a mode")
        self._seen.add(name)
        return info.size

    def _info(self, block: bytes, name: str) -> tarfile.TarInfo:
        try:
            return tarfile.TarInfo.frombuf(block, "utf-8", "backslashreplace")
        except tarfile.HeaderError as error:
            raise self._refused(f"no entry of a TAR where {name} should be") from error

    def _stranger(self, info: tarfile.TarInfo) -> str:
        """What is wrong with an entry that does not belong there."""
        name = quoted(info.name, longest=100)
        if not info.isreg():
            return f"{name} is {KINDS.get(info.type, 'an entry of another kind')}"
        if info.name in self._seen:
            return f"{name} comes twice"
        if info.name.startswith("/") or ".." in info.name.split("/") or "\\" in info.name:
            return f"{name} leads out of the folder"
        return f"{name} does not belong to a bundle"

    def _block(self, name: str) -> bytes:
        block = self._stream.read(BLOCK)
        if len(block) < BLOCK:
            raise self._refused(f"it ends before {name}")
        return block

    def _copy(self, name: str, size: int, take: Callable[[bytes], object]) -> None:
        left = size
        while left:
            chunk = self._stream.read(min(left, CHUNK))
            if not chunk:
                raise self._refused(f"it ends within {name}")
            take(chunk)
            left -= len(chunk)
        padding = self._stream.read(len(_padding(size)))
        if len(padding) < len(_padding(size)):
            raise self._refused(f"it ends within {name}")
        if padding.strip(b"\0"):
            raise self._refused(f"{name} is followed by bytes that belong to nothing")

    def _refused(self, found: str) -> InputError:
        return refuse(self._where, found, AS_PACKED, ASK_AGAIN)
