"""Private keys under a passphrase: ours open with openssl and the reference implementation, theirs with us."""

import base64
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from crypt4gh.keys import get_private_key
from crypt4gh.keys.c4gh import MAGIC_WORD, encode_string, generate
from crypt4gh.keys.kdf import derive_key
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from commands import Tessera
from handmade import write
from nation import run
from sent import count_people
from tessera.errors import InputError
from tessera.files.keys import CRYPT4GH_SEC, SIGN_SEC, decryption_key, read_key, signing_key

WORDS = "a tile of a mosaic ä"


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = write(tmp_path / "passphrase", f"{WORDS}\n")
    path.chmod(0o600)
    return path


def test_keys_under_a_passphrase_are_those_of_others(secret: Path, tmp_path: Path) -> None:
    run("keys", "new", "--passphrase-file", secret, "--out", tmp_path / "keys")
    given = lambda _: WORDS.encode()  # noqa: E731
    ours = decryption_key(tmp_path / "keys" / CRYPT4GH_SEC, given)
    assert get_private_key(tmp_path / "keys" / CRYPT4GH_SEC, lambda: WORDS) == ours.private_bytes_raw()
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "keys" / SIGN_SEC).read_bytes()
    if not shutil.which("openssl"):
        assert os.environ.get("CI", "").lower() != "true", "CI has openssl"
        pytest.skip("no openssl here")
    words = ["openssl", "pkey", "-in", tmp_path / "keys" / SIGN_SEC, "-passin", f"file:{secret}", "-pubout"]
    public = subprocess.run(words, capture_output=True, check=True).stdout
    assert public == (tmp_path / "keys" / "sign.pub").read_bytes()


def test_keys_that_others_put_under_a_passphrase_open(secret: Path, tmp_path: Path) -> None:
    generate(tmp_path / "theirs.sec", tmp_path / "theirs.pub", WORDS.encode(), b"a comment")
    given = lambda _: WORDS.encode()  # noqa: E731
    public = read_key(tmp_path / "theirs.pub")
    assert read_key(tmp_path / "theirs.sec", given).fingerprint == public.fingerprint
    if shutil.which("openssl"):
        path = tmp_path / "sign.sec"
        words = ["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", f"file:{secret}", "-out", path]
        subprocess.run(words, check=True)
        path.chmod(0o600)
        signing_key(path, given)


def test_a_key_under_pbkdf2_opens_and_one_under_bcrypt_is_refused(tmp_path: Path) -> None:
    """Put together by the reference implementation's own parts; it writes scrypt alone where there is scrypt."""
    raw, salt, nonce, rounds = bytes(range(32)), b"s" * 16, b"n" * 12, 1000
    for kdf in (b"pbkdf2_hmac_sha256", b"bcrypt"):
        derived = derive_key(b"pbkdf2_hmac_sha256", WORDS.encode(), salt, rounds)
        sealed = ChaCha20Poly1305(derived).encrypt(nonce, raw, None)
        fields = [kdf, rounds.to_bytes(4, "big") + salt, b"chacha20_poly1305", nonce + sealed]
        body = base64.b64encode(MAGIC_WORD + b"".join(map(encode_string, fields))).decode()
        text = f"-----BEGIN CRYPT4GH PRIVATE KEY-----\n{body}\n-----END CRYPT4GH PRIVATE KEY-----\n"
        path = write(tmp_path / "sec", text)
        path.chmod(0o600)
        if kdf == b"bcrypt":
            with pytest.raises(InputError, match="a key file that cannot be read"):
                decryption_key(path, lambda _: WORDS.encode())
        else:
            assert get_private_key(path, lambda: WORDS) == raw
            assert decryption_key(path, lambda _: WORDS.encode()).private_bytes_raw() == raw


@pytest.mark.parametrize("name", [SIGN_SEC, CRYPT4GH_SEC])
def test_a_wrong_passphrase_and_none_are_refused(tessera: Tessera, secret: Path, tmp_path: Path, name: str) -> None:
    run("keys", "new", "--passphrase-file", secret, "--out", tmp_path / "keys")
    key = tmp_path / "keys" / name
    done = tessera("keys", "show", key)
    assert (done.code, f"{key}: a key under a passphrase, and none is given" in done.err) == (2, True)
    assert tessera("keys", "show", key, "--passphrase-file", secret).text.split("\t")[2] == "private"
    for text, said in {
        "another": f"{key}: a key that does not open with the passphrase given; expected its passphrase",
        "": "no line, several",
        f"{WORDS}\nmore": "no line, several",
    }.items():
        secret.write_text(text)
        done = tessera("keys", "show", key, "--passphrase-file", secret)
        assert (done.code, said in done.err) == (2, True), done.err
    secret.write_text(WORDS)
    secret.chmod(0o644)
    assert "a secret that others may read" in tessera("keys", "show", key, "--passphrase-file", secret).err


def test_a_bundle_goes_from_protected_keys_to_protected_keys(tessera: Tessera, secret: Path, tmp_path: Path) -> None:
    keys, summary = tmp_path / "keys", count_people(tmp_path)
    run("keys", "new", "--passphrase-file", secret, "--out", keys)
    pack = ["bundle", "pack", summary, "--sign", keys / SIGN_SEC, "--recipient", keys / "crypt4gh.pub"]
    bundle = tmp_path / "alder.tar.c4gh"
    done = tessera(*pack, "--out", bundle)
    assert (done.code, bundle.exists()) == (2, False)
    run(*pack, "--passphrase-file", secret, "--out", bundle)
    words = ["bundle", "open", bundle, "--key", keys / CRYPT4GH_SEC, "--signer", keys / "sign.pub"]
    secret.write_text("another")
    assert (
        "does not open with the passphrase" in tessera(*words, "--passphrase-file", secret, "--out", tmp_path / "o").err
    )
    assert not (tmp_path / "o").exists()
    secret.write_text(WORDS)
    assert tessera(*words, "--passphrase-file", secret, "--out", tmp_path / "o").code == 0
