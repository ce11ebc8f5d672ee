"""A small summary to send, and a bundle taken apart so that tests can put it together wrongly.

The TAR is put together by the standard library and signed by `cryptography`, not by our own code.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handmade import sheet, vcf, write
from nation import run

LENGTHS = {"chr1": 2_500_000, "chrM": 100}
BUILD = """\
name: long
contigs:
  - {name: chr1, kind: autosome, length: 2500000}
  - {name: chrM, kind: mt, length: 100}
par: []
"""
PEOPLE = {"ann": "XX EE", "ben": "XY EE", "cai": "NA FI"}
LINES = [
    "chr1 500 A C,G . . GT:GQ:DP:AD 0/1:50:30:15,15,0 1/2:50:30:0,14,16 0/0:50:30:30,0,0",
    "chr1 1500000 A T . . GT:GQ:DP:AD 0/1:50:30:15,15 0/0:50:30:30,0 0/0:50:9:9,0",
    "chrM 7 A T . . GT:GQ:DP:AD 0/1:50:30:15,15 1:50:30:0,30 0:50:30:30,0",
]


def count_people(folder: Path) -> Path:
    """A summary of three people, two contigs and three blocks."""
    inputs = {
        "--input": write(folder / "cohort.vcf", vcf(list(PEOPLE), LINES, LENGTHS)),
        "--samples": write(folder / "samples.tsv", sheet(PEOPLE, "consent DUO:0000042")),
        "--build": write(folder / "build.yaml", BUILD),
        "--callable": write(folder / "callable.bed", "chr1\t100\t900\nchr1\t950\t1600000\nchrM\t0\t50\n"),
        "--out": folder / "summary",
    }
    run("count", *(word for option in inputs.items() for word in option), "--assume-normalised")
    return folder / "summary"


def manifest_of(summary: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((summary / "manifest.json").read_text())
    return found


def put_manifest(summary: Path, manifest: dict[str, Any]) -> None:
    """Write a manifest whose digests and fingerprint are right, as a node that hides something would."""
    files = [path for path in summary.rglob("*") if path.is_file() and path.name != "manifest.json"]
    listed = {str(path.relative_to(summary)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    manifest["members"] = {name: listed.get(name, "0" * 64) for name in manifest["members"]}
    manifest["fingerprint"] = f"sha256:{hashlib.sha256(rfc8785.dumps(manifest['rules'])).hexdigest()}"
    (summary / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def groups_of(path: Path) -> list[pl.DataFrame]:
    """The row groups of a member."""
    with pq.ParquetFile(path) as file:
        return [pl.DataFrame(pl.from_arrow(file.read_row_group(i))) for i in range(file.num_row_groups)]


def entry(name: str, content: bytes, **changed: Any) -> bytes:
    """A file of a TAR; `changed` are attributes of its header."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for attribute, value in changed.items():
        setattr(info, attribute, value)
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


class Parts:
    """A bundle in parts: `entries` is name -> the bytes of its entry, in order."""

    def __init__(self, packed: bytes, signer: Ed25519PrivateKey) -> None:
        self._signer = signer
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            self.files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
        self.entries = {name: entry(name, content) for name, content in self.files.items()}
        self.manifest: dict[str, Any] = json.loads(self.files["bundle.json"])

    def sign(self, text: bytes | None = None) -> None:
        """Put in a manifest, by default the changed one, and its right signature."""
        text = rfc8785.dumps(self.manifest) if text is None else text
        self.entries["bundle.json"] = entry("bundle.json", text)
        self.entries["bundle.sig"] = entry("bundle.sig", self._signer.sign(text))

    def replace(self, name: str, content: bytes) -> None:
        """Put another file in, and sign for it."""
        facts = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
        self.manifest["members"][name.removeprefix("summary/")] = facts
        self.entries[name] = entry(name, content)
        first = ["bundle.json", "bundle.sig"]
        self.entries = {name: self.entries[name] for name in [*first, *sorted(set(self.entries) - {*first})]}
        self.sign()

    def tar(self, names: Sequence[str] | None = None) -> bytes:
        """The TAR of some entries."""
        return b"".join(self.entries[name] for name in names or self.entries) + bytes(1024)
