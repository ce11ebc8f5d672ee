"""A summary is packed, signed, encrypted and opened; and of every way to break a bundle one sentence tells."""

import io
import json
import os
import shutil
import stat
import struct
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from commands import Tessera
from nation import Nation, counts_of, files_of, run
from sent import Parts, count_people, entry
from tessera.files import crypt4gh
from tessera.files.crypt4gh import EncryptingWriter
from tessera.files.keys import decryption_key, recipient_key


@dataclass(frozen=True)
class Sent:
    """A node's keys and a hub's, a summary, and its bundle for the hub, bare and encrypted."""

    folder: Path

    def __getattr__(self, name: str) -> Path:
        return self.folder / name

    @property
    def bare(self) -> bytes:
        return (self.folder / "alder.tar").read_bytes()

    def parts(self) -> Parts:
        signer = load_pem_private_key((self.node / "sign.sec").read_bytes(), None)
        return Parts(self.bare, signer)  # type: ignore[arg-type]

    def encrypted(self, content: bytes) -> bytes:
        out = io.BytesIO()
        writer = EncryptingWriter(out, [recipient_key(self.hub / "crypt4gh.pub")])
        writer.write(content)
        writer.close()
        return out.getvalue()


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    folder = tmp_path_factory.mktemp("sent")
    for name in ("node", "hub", "stranger"):
        run("keys", "new", "--out", folder / name)
    summary = count_people(folder)
    pack = ["bundle", "pack", summary, "--sign", folder / "node" / "sign.sec"]
    run(*pack, "--unencrypted", "--out", folder / "alder.tar")
    run(*pack, "--recipient", folder / "hub" / "crypt4gh.pub", "--out", folder / "alder.tar.c4gh")
    return Sent(folder)


FIRST, LAST, MEMBER = "summary/an_track/chr1.parquet", "summary/variants/chrM.parquet", "summary/manifest.json"
Break = Callable[[Parts], bytes]


def changed(name: str, **attributes: object) -> Break:
    """The header of an entry says something else."""

    def broken(parts: Parts) -> bytes:
        parts.entries[name] = entry(name, parts.files[name], **attributes)
        return parts.tar()

    return broken


def flipped(name: str, at: int) -> Break:
    """One bit of an entry differs; its header has 512 bytes."""

    def broken(parts: Parts) -> bytes:
        altered = bytearray(parts.entries[name])
        altered[at] ^= 1
        parts.entries[name] = bytes(altered)
        return parts.tar()

    return broken


def cut(name: str, at: int) -> Break:
    """The file ends `at` bytes into an entry."""

    def broken(parts: Parts) -> bytes:
        return parts.tar()[: parts.tar().index(parts.entries[name]) + at]

    return broken


def without(name: str) -> Break:
    return lambda parts: parts.tar([other for other in parts.entries if other != name])


def before(name: str, *stranger: bytes | str) -> Break:
    """Other entries, or entries of the bundle once more, come before an entry."""

    def broken(parts: Parts) -> bytes:
        more = b"".join(parts.entries[one] if isinstance(one, str) else one for one in stranger)
        parts.entries[name] = more + parts.entries[name]
        return parts.tar()

    return broken


def swapped(parts: Parts) -> bytes:
    names = list(parts.entries)
    return parts.tar([*names[:2], names[3], names[2], *names[4:]])


def says(**told: object) -> Break:
    """The signed manifest says something else."""

    def broken(parts: Parts) -> bytes:
        parts.manifest |= told
        parts.sign()
        return parts.tar()

    return broken


def signed(text: Callable[[Parts], bytes]) -> Break:
    """The signed manifest is another text."""

    def broken(parts: Parts) -> bytes:
        parts.sign(text(parts))
        return parts.tar()

    return broken


def replaced(name: str, content: bytes) -> Break:
    """Another file, for which the node signs."""

    def broken(parts: Parts) -> bytes:
        parts.replace(name, content)
        return parts.tar()

    return broken


def named(name: str) -> Break:
    """The node signs for a file of this name."""

    def broken(parts: Parts) -> bytes:
        parts.manifest["members"][name] = parts.manifest["members"]["manifest.json"]
        parts.sign()
        return parts.tar()

    return broken


def long_name(parts: Parts) -> bytes:
    info = tarfile.TarInfo("n" * 200)
    parts.entries[LAST] += info.tobuf(tarfile.GNU_FORMAT)
    return parts.tar()


def extended(parts: Parts) -> bytes:
    info = tarfile.TarInfo(FIRST)
    info.pax_headers = {"comment": "ann is in it"}
    parts.entries[FIRST] = info.tobuf(tarfile.PAX_FORMAT) + parts.entries[FIRST]
    return parts.tar()


def linked(kind: bytes) -> bytes:
    return entry(FIRST, b"", type=kind, linkname="/etc/passwd")


DIGEST = f"sha256:{'0' * 64}"
OTHER_DIGEST = DIGEST.replace("0", "1")
SOURCE = {"node": "alder", "dataset": None, "digest": DIGEST, "people": 3}
UNSIGNED = "its manifest is not signed by any of the signers given"
BROKEN: dict[str, tuple[Break, str]] = {
    "empty": (lambda parts: b"", "it ends before bundle.json"),
    "no TAR": (lambda parts: b"x" * 2000, "no entry of a TAR where bundle.json should be"),
    "cut in the first header": (cut("bundle.json", 100), "it ends before bundle.json"),
    "cut in the manifest": (cut("bundle.json", 600), "it ends within bundle.json"),
    "cut in a member": (cut(LAST, 600), f"it ends within {LAST}"),
    "cut in padding": (lambda parts: parts.tar()[:-1025], f"it ends within {LAST}"),
    "cut between members": (cut(FIRST, 0), f"it ends before {FIRST}"),
    "cut before the end": (lambda parts: parts.tar()[:-1024], "it ends before the end"),
    "half an end": (lambda parts: parts.tar()[:-512], "it does not end where its TAR ends"),
    "bytes after the end": (lambda parts: parts.tar() + b"ann", "it does not end where its TAR ends"),
    "a second TAR after the end": (lambda parts: parts.tar() * 2, "it does not end where its TAR ends"),
    "flipped bit in a header": (flipped(FIRST, 3), f"no entry of a TAR where {FIRST} should be"),
    "flipped bit in a member": (flipped(FIRST, 700), f"{FIRST} is not the file the manifest names (sha256 differs)"),
    "flipped bit in padding": (flipped("bundle.sig", 1000), "bundle.sig is followed by bytes that belong to nothing"),
    "flipped bit in the manifest": (flipped("bundle.json", 530), UNSIGNED),
    "flipped bit in the signature": (flipped("bundle.sig", 530), UNSIGNED),
    "short signature": (lambda parts: parts.entries.update({"bundle.sig": entry("bundle.sig", b"s")}) or parts.tar(),
                        UNSIGNED),
    "no manifest": (without("bundle.json"), "bundle.json is missing"),
    "no signature": (without("bundle.sig"), 'bundle.sig is missing'),
    "first member missing": (without(FIRST), f"{FIRST} is missing"),
    "last member missing": (without(LAST), f"{LAST} is missing"),
    "out of order": (swapped, f"{FIRST} is missing"),
    "extra member at the end": (lambda parts: parts.tar()[:-1024] + entry("summary/x", b"x") + bytes(1024),
                                '"summary/x" does not belong to a bundle'),
    "extra member within": (before(LAST, entry("samples.tsv", b"ann")), '"samples.tsv" does not belong to a bundle'),
    "member twice": (before(LAST, FIRST), f'"{FIRST}" comes twice'),
    "manifest twice": (before(FIRST, "bundle.json"), '"bundle.json" comes twice'),
    "from the root": (before(LAST, entry("/etc/x", b"x")), '"/etc/x" leads out of the folder'),
    "upwards": (before(LAST, entry("../x", b"x")), '"../x" leads out of the folder'),
    "upwards from within": (before(LAST, entry("summary/../../x", b"x")), '"summary/../../x" leads out of the folder'),
    "upwards by backslash": (before(LAST, entry("..\\x", b"x")), "leads out of the folder"),
    "symbolic link": (before(FIRST, linked(tarfile.SYMTYPE)), f'"{FIRST}" is a link'),
    "hard link": (before(FIRST, linked(tarfile.LNKTYPE)), f'"{FIRST}" is a link'),
    "folder": (before(FIRST, entry("summary/an_track", b"", type=tarfile.DIRTYPE)), '"summary/an_track" is a folder'),
    "device": (before(FIRST, linked(tarfile.CHRTYPE)), f'"{FIRST}" is a device'),
    "pipe": (before(FIRST, linked(tarfile.FIFOTYPE)), f'"{FIRST}" is a pipe'),
    "extended header": (extended, "is an entry of another kind"),
    "long name": (long_name, "is an entry of another kind"),
    "member larger than it should be": (changed(FIRST, size=2**32), f"{FIRST} declares 4,294,967,296 bytes, expected "),
    "manifest of gigabytes": (changed("bundle.json", size=2**32),
                              "bundle.json declares 4,294,967,296 bytes, expected at most 1,048,576"),
    "signature of gigabytes": (changed("bundle.sig", size=2**32), "expected at most 64"),
    "time": (changed(FIRST, mtime=1), f"{FIRST} has a time, an owner or a mode"),
    "owner": (changed(FIRST, uname="ann"), f"{FIRST} has a time, an owner or a mode"),
    "mode": (changed(FIRST, mode=0o4755), f"{FIRST} has a time, an owner or a mode"),
    "manifest that is no JSON": (signed(lambda parts: b"ann"), "bundle.json is not JSON"),
    "manifest of a hundred thousand levels": (signed(lambda parts: b"[" * 100_000), "bundle.json is not JSON"),
    "manifest that is not canonical": (signed(lambda parts: json.dumps(parts.manifest).encode()),
                                       "bundle.json is not canonical JSON (RFC 8785)"),
    "key twice": (signed(lambda parts: b'{"node":"a",' + rfc8785.dumps(parts.manifest)[1:]), "is not canonical JSON"),
    "manifest that is a list": (signed(lambda parts: b"[]"), "expected a mapping with schema, node"),
    "unknown key": (says(samples=["ann"]), 'unknown key "samples"'),
    "missing key": (lambda parts: parts.manifest.pop("duo") and says()(parts), "the key duo is missing"),
    "other version": (says(schema=2), "bundle.json schema: found 2; expected version 1"),
    "other policy": (says(policy={"tier": "T1", "floor": 10}), "expected tier T1 and floor 0"),
    "node that is a text": (says(node="Ann Smith, Tartu"), 'bundle.json node: found "Ann Smith, Tartu"'),
    "data set that is a text": (says(dataset="of Ann"), 'bundle.json dataset: found "of Ann"'),
    "stratum of a person": (says(strata={"HG00096_F": 1}), 'the name "HG00096_F"; expected a leaf stratum'),
    "other strata": (says(strata={"EE_F": 9}), "bundle.json tells another strata than its summary"),
    "source of a text": (says(sources=[{"node": "Ann Smith", "dataset": None, "digest": DIGEST, "people": 3}]),
                         'bundle.json sources[0].node: found "Ann Smith"'),
    "source of a sample": (says(sources=[{**SOURCE, "samples": ["ann"]}]), 'sources[0]: unknown key "samples"'),
    "source of nobody": (says(sources=[{**SOURCE, "people": 0}]), "sources[0].people: found 0; expected a number of"),
    "source without a digest": (says(sources=[{**SOURCE, "digest": "x"}]), 'sources[0].digest: found "x"; expected'),
    "sources that are none": (says(sources="alder"), 'sources: found "alder"; expected a list of sources'),
    "fewer people by source": (says(sources=[{**SOURCE, "people": 2}]), "the sources have 2 of the 3 people counted"),
    "more people by source": (says(sources=[{**SOURCE, "people": 4}]), "the sources have more people than the 3"),
    "source twice": (says(sources=[{**SOURCE, "people": 1}, {**SOURCE, "people": 2, "digest": OTHER_DIGEST}]),
                     "the node alder comes twice among the sources"),
    "no sources": (says(sources=[]), "the sources have 0 of the 3 people counted"),
    "sources left out": (lambda parts: parts.manifest.pop("sources") and says()(parts), "the key sources is missing"),
    "other reference": (says(reference="a" * 32), "bundle.json tells another reference than its summary"),
    "other fingerprint": (says(fingerprint="sha256:" + "0" * 64), "bundle.json tells another fingerprint than"),
    "consent of nobody": (says(duo={"DUO:0000006": 3}), "bundle.json tells another duo than its summary"),
    "signed name upwards": (named("../x"), 'the name "../x"; expected the name of a file of a summary'),
    "signed name from the root": (named("/x"), 'the name "/x"; expected the name of a file of a summary'),
    "signed name that is hidden": (named("variants/.x"), 'the name "variants/.x"; expected the name of a file'),
    "signed stranger": (replaced("summary/notes.txt", b"ann"), "notes.txt does not belong to a summary"),
    "signed table that is none": (replaced(FIRST, b"ann"), "an_track/chr1.parquet is not the file the manifest names"),
    "signed summary that is none": (replaced(MEMBER, b"[]"), "missing or unknown keys: list"),
}  # fmt: skip


def refused(tessera: Tessera, sent: Sent, bundle: Path, sentence: str, *words: object) -> None:
    """Neither opening nor verifying accepts a bundle; both say why in one sentence, and leave nothing."""
    there = sorted(bundle.parent.iterdir())
    for verb, more in {"open": ["--out", bundle.parent / "out"], "verify": []}.items():
        done = tessera("bundle", verb, bundle, *words, *more)
        assert done.code == 2
        assert sentence in done.err
        assert done.err.count("tessera: error") == 1
        assert str(bundle) in done.err or "tessera bundle" in done.err or "key" in done.err
        assert sorted(bundle.parent.iterdir()) == there


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_bundle_is_refused_in_one_sentence(tessera: Tessera, sent: Sent, tmp_path: Path, name: str) -> None:
    broken, sentence = BROKEN[name]
    bundle = tmp_path / "alder.tar"
    bundle.write_bytes(broken(sent.parts()))
    refused(tessera, sent, bundle, sentence, "--unencrypted", "--signer", sent.node / "sign.pub")
    encrypted = tmp_path / "alder.tar.c4gh"
    encrypted.write_bytes(sent.encrypted(bundle.read_bytes()))
    refused(tessera, sent, encrypted, sentence, "--key", sent.hub / "crypt4gh.sec", "--signer", sent.node / "sign.pub")


def test_what_is_put_together_rightly_opens(tessera: Tessera, sent: Sent, tmp_path: Path) -> None:
    parts = sent.parts()
    parts.sign()
    assert parts.tar() == sent.bare
    (tmp_path / "alder.tar").write_bytes(parts.tar())
    words = ["--unencrypted", "--signer", sent.node / "sign.pub", "--out", tmp_path / "out"]
    assert tessera("bundle", "open", tmp_path / "alder.tar", *words).code == 0
    assert counts_of(tmp_path / "out") == files_of(sent.summary)


def with_header(at: int, value: bytes) -> Callable[[bytes], bytes]:
    return lambda sealed: sealed[:at] + value + sealed[at + len(value) :]


def flipped_byte(at: int) -> Callable[[bytes], bytes]:
    return lambda sealed: sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]


#: 16 bytes, then one packet of 108
HEADER = 124
ENVELOPES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda sealed: b"", "a file that is not encrypted as Crypt4GH"),
    "another magic": (with_header(0, b"crypt5gh"), "a file that is not encrypted as Crypt4GH"),
    "another version": (with_header(8, struct.pack("<I", 2)), "Crypt4GH version 2; expected version 1"),
    "cut in the start": (lambda sealed: sealed[:12], "it ends within the Crypt4GH header"),
    "cut in a packet": (lambda sealed: sealed[:60], "it ends within the Crypt4GH header"),
    "cut after the count": (lambda sealed: sealed[:16], "it ends within the Crypt4GH header"),
    "for nobody": (with_header(12, bytes(4)), "encrypted to 0 recipients, none of them this key"),
    "for billions": (with_header(12, b"\xff\xff\xff\xff"), "a header for 4,294,967,295 recipients; expected at most"),
    "packet of gigabytes": (with_header(16, b"\xff\xff\xff\xff"), "a header packet of 4,294,967,295 bytes"),
    "packet of no bytes": (with_header(16, bytes(4)), "a header packet of 0 bytes"),
    "flipped bit in the packet": (flipped_byte(HEADER - 20), "encrypted to 1 recipients, none of them this key"),
    "flipped bit in the writer's key": (flipped_byte(30), "encrypted to 1 recipients, none of them this key"),
    "flipped bit in a nonce": (flipped_byte(HEADER), "segment 1 does not decrypt"),
    "flipped bit in the content": (flipped_byte(HEADER + 5000), "segment 1 does not decrypt"),
    "cut by one byte": (lambda sealed: sealed[:-1], "segment 1 does not decrypt"),
    "longer by one byte": (lambda sealed: sealed + b"x", "segment 1 does not decrypt"),
    "cut in a tag": (lambda sealed: sealed[: HEADER + 20], "segment 1 does not decrypt"),
    "all segments gone": (lambda sealed: sealed[:HEADER], "it ends before bundle.json"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_broken_envelope_is_refused_in_one_sentence(tessera: Tessera, sent: Sent, tmp_path: Path, name: str) -> None:
    broken, sentence = ENVELOPES[name]
    bundle = tmp_path / "alder.tar.c4gh"
    bundle.write_bytes(broken((sent.folder / "alder.tar.c4gh").read_bytes()))
    refused(tessera, sent, bundle, sentence, "--key", sent.hub / "crypt4gh.sec", "--signer", sent.node / "sign.pub")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [(1, "an edit list, by which parts are left out"), (7, "a header packet of an unknown kind")],
)
def test_an_edit_list_and_unknown_packets_are_refused(
    tessera: Tessera, sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: int, sentence: str
) -> None:
    monkeypatch.setattr(crypt4gh, "SESSION_KEY", kind)
    sealed = sent.encrypted(sent.bare)
    monkeypatch.undo()
    bundle = tmp_path / "alder.tar.c4gh"
    bundle.write_bytes(sealed)
    refused(tessera, sent, bundle, sentence, "--key", sent.hub / "crypt4gh.sec", "--signer", sent.node / "sign.pub")


KEYS = {
    "wrong key": (["--key", "stranger/crypt4gh.sec", "--signer", "node/sign.pub"], "none of them this key"),
    "wrong signer": (["--key", "hub/crypt4gh.sec", "--signer", "stranger/sign.pub"], UNSIGNED),
    "no key": (["--signer", "node/sign.pub"], "no --key"),
    "key and no need": (["--key", "hub/crypt4gh.sec", "--unencrypted", "--signer", "node/sign.pub"], "both --key"),
    "encrypted after all": (["--unencrypted", "--signer", "node/sign.pub"], "an encrypted bundle; expected --key"),
    "public key to decrypt": (["--key", "hub/crypt4gh.pub", "--signer", "node/sign.pub"], "a public X25519 key"),
    "signing key to decrypt": (["--key", "hub/sign.sec", "--signer", "node/sign.pub"], "a private Ed25519 key"),
    "encryption key as signer": (["--key", "hub/crypt4gh.sec", "--signer", "node/crypt4gh.pub"], "a public X25519 key"),
    "no such key": (["--key", "hub/none.sec", "--signer", "node/sign.pub"], "no such file"),
    "a bundle for a key": (["--key", "alder.tar", "--signer", "node/sign.pub"], "no key of these kinds"),
}


@pytest.mark.parametrize("name", KEYS)
def test_other_keys_are_refused(tessera: Tessera, sent: Sent, name: str) -> None:
    words, sentence = KEYS[name]
    paths = [sent.folder / word if "/" in word or word.startswith("alder") else word for word in words]
    refused(tessera, sent, sent.folder / "alder.tar.c4gh", sentence, *paths)


def test_a_bare_bundle_is_refused_where_an_encrypted_one_is_asked_for(tessera: Tessera, sent: Sent) -> None:
    words = ["--key", sent.hub / "crypt4gh.sec", "--signer", sent.node / "sign.pub"]
    refused(tessera, sent, sent.folder / "alder.tar", "a file that is not encrypted as Crypt4GH", *words)


def test_every_recipient_opens_it_and_one_of_several_signers_is_told(
    tessera: Tessera, sent: Sent, tmp_path: Path
) -> None:
    words = [word for name in ("hub", "stranger") for word in ("--recipient", sent.folder / name / "crypt4gh.pub")]
    run("bundle", "pack", sent.summary, "--sign", sent.node / "sign.sec", *words, "--out", tmp_path / "a.tar.c4gh")
    fingerprint = tessera("keys", "show", sent.node / "sign.pub").text.split()[-1]
    signers = ["--signer", sent.hub / "sign.pub", "--signer", sent.node / "sign.pub"]
    for name in ("hub", "stranger"):
        key = ["--key", sent.folder / name / "crypt4gh.sec"]
        done = tessera("bundle", "open", tmp_path / "a.tar.c4gh", *key, *signers, "--out", tmp_path / name)
        assert (done.code, done.err) == (0, "")
        assert f"node a, data set none, 3 people, signed by {fingerprint}" in done.text
        assert counts_of(tmp_path / name) == files_of(sent.summary)


def test_packing_twice_gives_the_same_tar_and_another_envelope(sent: Sent, tmp_path: Path) -> None:
    copy = shutil.copytree(sent.summary, tmp_path / "copy")
    pack = ["bundle", "pack", copy, "--sign", sent.node / "sign.sec"]
    run(*pack, "--unencrypted", "--out", tmp_path / "alder.tar")
    assert (tmp_path / "alder.tar").read_bytes() == sent.bare
    run(*pack, "--recipient", sent.hub / "crypt4gh.pub", "--out", tmp_path / "alder.tar.c4gh")
    assert (tmp_path / "alder.tar.c4gh").read_bytes() != (sent.folder / "alder.tar.c4gh").read_bytes()


def test_tar_and_openssl_read_a_bare_bundle(sent: Sent, tmp_path: Path) -> None:
    if not shutil.which("tar") or not shutil.which("openssl"):
        assert os.environ.get("CI", "").lower() != "true", "CI has tar and openssl"
        pytest.skip("no tar or openssl here")
    subprocess.run(["tar", "-xf", sent.folder / "alder.tar", "-C", tmp_path], check=True)
    assert files_of(tmp_path / "summary") == files_of(sent.summary)
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", sent.node / "sign.pub", "-rawin"]
    subprocess.run([*verify, "-in", "bundle.json", "-sigfile", "bundle.sig"], cwd=tmp_path, check=True)
    text = (tmp_path / "bundle.json").read_bytes()
    (tmp_path / "bundle.json").write_bytes(text.replace(b"alder", b"birch"))
    done = subprocess.run([*verify, "-in", "bundle.json", "-sigfile", "bundle.sig"], cwd=tmp_path, check=False)
    assert done.returncode != 0


def test_the_manifest_says_what_was_counted(sent: Sent) -> None:
    told = sent.parts().manifest
    strata, people = {"EE_F": 1, "EE_M": 1, "FI_U": 1}, {"declared": 3}
    assert (told["node"], told["strata"], told["an_basis"]) == ("alder", strata, people)
    assert told["duo"] == {"DUO:0000042": 3}
    assert (told["reference"], told["policy"]) == (None, {"tier": "T1", "floor": 0})
    assert {name: facts["bytes"] for name, facts in told["members"].items()} == {
        name: len(content) for name, content in files_of(sent.summary).items()
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--recipient", "hub/crypt4gh.pub", "--unencrypted"], "both --recipient and --unencrypted"),
        ([], "no --recipient; expected --recipient for each"),
        (["--recipient", "hub/crypt4gh.sec"], "a private X25519 key; expected a public Crypt4GH key"),
        (["--recipient", "hub/sign.pub"], "a public Ed25519 key; expected a public Crypt4GH key"),
        (["--unencrypted", "--node", "Ann Smith"], 'node: found "Ann Smith"'),
        (["--unencrypted", "--node", "x/../y"], 'node: found "x/../y"'),
        (["--unencrypted", "--dataset", "GOE-EE-UT-2026"], 'dataset: found "GOE-EE-UT-2026"'),
    ],
)
def test_packing_asks_for_recipients_and_plain_names(
    tessera: Tessera, sent: Sent, tmp_path: Path, words: list[str], sentence: str
) -> None:
    paths = [sent.folder / word if word.startswith("hub/") else word for word in words]
    out = tmp_path / "alder.tar"
    done = tessera("bundle", "pack", sent.summary, "--sign", sent.node / "sign.sec", *paths, "--out", out)
    assert done.code == 2
    assert sentence in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_not_written_into_its_summary_nor_opened_over_a_folder(tessera: Tessera, sent: Sent) -> None:
    inside = ["--unencrypted", "--out", sent.summary / "alder.tar"]
    packed = tessera("bundle", "pack", sent.summary, "--sign", sent.node / "sign.sec", *inside)
    assert "within the summary" in packed.err
    words = ["--key", sent.hub / "crypt4gh.sec", "--signer", sent.node / "sign.pub", "--out", sent.summary]
    assert "is there" in tessera("bundle", "open", sent.folder / "alder.tar.c4gh", *words).err
    assert not (sent.summary / "alder.tar").exists()


def test_private_keys_are_their_owners_alone_and_never_overwritten(tessera: Tessera, tmp_path: Path) -> None:
    before_umask = os.umask(0)
    try:
        run("keys", "new", "--out", tmp_path / "keys")
    finally:
        os.umask(before_umask)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()}
    assert modes == {"sign.sec": 0o600, "crypt4gh.sec": 0o600, "sign.pub": 0o644, "crypt4gh.pub": 0o644}
    kept = files_of(tmp_path / "keys")
    done = tessera("keys", "new", "--out", tmp_path / "keys")
    assert (done.code, "it is there; expected a new folder" in done.err) == (2, True)
    assert files_of(tmp_path / "keys") == kept
    (tmp_path / "keys" / "sign.sec").chmod(0o640)
    done = tessera("keys", "show", tmp_path / "keys" / "sign.sec")
    assert "a secret that others may read or change (mode 0640); expected mode 0600" in done.err


def test_showing_keys_tells_nothing_secret(tessera: Tessera, sent: Sent) -> None:
    done = tessera("keys", "show", *(sent.node / name for name in ("sign.sec", "sign.pub", "crypt4gh.sec")))
    lines = [line.split("\t")[1:] for line in done.text.splitlines()]
    assert [line[:2] for line in lines] == [["sign", "private"], ["sign", "public"], ["encrypt", "private"]]
    assert lines[0][2] == lines[1][2]
    secret: X25519PrivateKey = decryption_key(sent.node / "crypt4gh.sec")
    assert secret.private_bytes_raw().hex() not in done.text


KEY_FILES = {
    "empty": b"",
    "other key": b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    "no base64": b"-----BEGIN CRYPT4GH PUBLIC KEY-----\n!!!!\n-----END CRYPT4GH PUBLIC KEY-----\n",
    "short": b"-----BEGIN CRYPT4GH PUBLIC KEY-----\nAAAA\n-----END CRYPT4GH PUBLIC KEY-----\n",
    "no end": b"-----BEGIN CRYPT4GH PUBLIC KEY-----\nAAAA\n",
    "private without magic": b"-----BEGIN CRYPT4GH PRIVATE KEY-----\nAAAA\n-----END CRYPT4GH PRIVATE KEY-----\n",
    "no PEM": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
}


@pytest.mark.parametrize("name", KEY_FILES)
def test_a_file_that_is_no_key_is_refused(tessera: Tessera, tmp_path: Path, name: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY_FILES[name])
    path.chmod(0o600)
    done = tessera("keys", "show", path)
    assert done.code == 2
    assert f"{path}: " in done.err
    assert "expected a key file" in done.err


def test_nodes_exchange_files_alone_and_the_hub_gets_the_sum(nation: Nation, tmp_path: Path) -> None:
    run("keys", "new", "--out", tmp_path / "hub" / "keys")
    hub = tmp_path / "hub"
    for node in ("birch", "cedar"):
        run("keys", "new", "--out", tmp_path / node / "keys")
        shutil.copy(hub / "keys" / "crypt4gh.pub", tmp_path / node / "hub.pub")
        keys = ["--sign", tmp_path / node / "keys" / "sign.sec", "--recipient", tmp_path / node / "hub.pub"]
        run("bundle", "pack", nation.summaries / node, *keys, "--out", tmp_path / node / f"{node}.tar.c4gh")
        shutil.copy(tmp_path / node / f"{node}.tar.c4gh", hub)
        shutil.copy(tmp_path / node / "keys" / "sign.pub", hub / f"{node}.pub")
        keys = ["--key", hub / "keys" / "crypt4gh.sec", "--signer", hub / f"{node}.pub"]
        run("bundle", "open", hub / f"{node}.tar.c4gh", *keys, "--out", hub / node)
    run("merge", hub / "birch", hub / "cedar", "--out", hub / "both")
    assert counts_of(hub / "both") == files_of(nation.summaries / "both")
