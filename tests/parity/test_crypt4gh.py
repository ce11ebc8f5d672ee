"""Crypt4GH as others write and read it: public example files, and the reference implementation in both directions."""

import io
import os
import shutil
from pathlib import Path

import crypt4gh.lib
import pytest
from crypt4gh.keys import get_private_key, get_public_key

from nation import run
from tessera.errors import InputError
from tessera.files.crypt4gh import SEGMENT, DecryptedStream, EncryptingWriter
from tessera.files.keys import decryption_key, read_key, recipient_key

#: around one and two segments
SIZES = (0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 3 * SEGMENT + 17)
#: bytes given at once
PIECES = (1_000, SEGMENT, 2 * SEGMENT + 5)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    for name in ("node", "hub"):
        run("keys", "new", "--out", folder / name)
    return folder


def encrypted(content: bytes, piece: int, *recipients: Path) -> bytes:
    """Encrypted by us, given in pieces."""
    out = io.BytesIO()
    writer = EncryptingWriter(out, [recipient_key(path) for path in recipients])
    for start in range(0, len(content), piece):
        writer.write(content[start : start + piece])
    writer.close()
    return out.getvalue()


def decrypted(content: bytes, key: Path) -> bytes:
    """Decrypted by us."""
    with io.BufferedReader(DecryptedStream(io.BytesIO(content), decryption_key(key), "bundle")) as stream:
        return stream.read()


@pytest.mark.parametrize(
    "name",
    ["bcf/spec-v4.3.bcf", "bcf/sample1-bcbio-cancer.bcf", "vcf/spec-v4.3.vcf.gz", "vcf/sample1-bcbio-cancer.vcf.gz"],
)
def test_public_files_that_alice_sent_to_bob_open_for_bob_alone(shared: Path, tmp_path: Path, name: str) -> None:
    folder = shared / "08_standards" / "crypt4gh"
    sealed = (folder / "c4gh" / f"{Path(name).name}.c4gh").read_bytes()
    keys = {}
    for person in ("alice", "bob"):
        keys[person] = Path(shutil.copyfile(folder / "c4gh" / "keys" / f"{person}.sec", tmp_path / person))
        keys[person].chmod(0o600)
        assert read_key(keys[person]).fingerprint == read_key(folder / "c4gh" / "keys" / f"{person}.pub").fingerprint
    assert decrypted(sealed, keys["bob"]) == (folder / name).read_bytes()
    with pytest.raises(InputError, match="none of them this key"):
        decrypted(sealed, keys["alice"])


@pytest.mark.parametrize("size", SIZES)
def test_the_reference_implementation_reads_what_we_write(keys: Path, size: int) -> None:
    content = os.urandom(size)
    for piece in PIECES:
        sealed = encrypted(content, piece, keys / "node" / "crypt4gh.pub", keys / "hub" / "crypt4gh.pub")
        for name in ("node", "hub"):
            out = io.BytesIO()
            secret = get_private_key(keys / name / "crypt4gh.sec", None)
            crypt4gh.lib.decrypt([(0, secret, None)], io.BytesIO(sealed), out)
            assert out.getvalue() == content


@pytest.mark.parametrize("size", SIZES)
def test_we_read_what_the_reference_implementation_writes(keys: Path, size: int) -> None:
    content, sealed = os.urandom(size), io.BytesIO()
    secret = get_private_key(keys / "node" / "crypt4gh.sec", None)
    readers = [(0, secret, get_public_key(keys / name / "crypt4gh.pub")) for name in ("node", "hub")]
    crypt4gh.lib.encrypt(readers, io.BytesIO(content), sealed)
    for name in ("node", "hub"):
        assert decrypted(sealed.getvalue(), keys / name / "crypt4gh.sec") == content


def test_we_read_keys_that_the_reference_implementation_makes(tmp_path: Path) -> None:
    from crypt4gh.keys import c4gh

    c4gh.generate(tmp_path / "sec", tmp_path / "pub", None, b"of a hub")
    content = os.urandom(100)
    assert decrypted(encrypted(content, 100, tmp_path / "pub"), tmp_path / "sec") == content


def test_a_key_under_a_passphrase_is_told(tmp_path: Path) -> None:
    from crypt4gh.keys import c4gh

    c4gh.generate(tmp_path / "sec", tmp_path / "pub", b"secret", None)
    with pytest.raises(InputError, match="a key under a passphrase, and none is given; expected its passphrase"):
        decryption_key(tmp_path / "sec")
