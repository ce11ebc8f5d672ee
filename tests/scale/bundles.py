"""The speed of bundles: MB of a summary that are packed, or verified, a second of CPU time above the command's start.

And of parts of that work alone, in this process: signing and encrypting without looking at what is packed, and reading
the Parquet files without asking anything of their rows.

    python tests/scale/bundles.py [BLOCKS]     (36 without it, which are 40 MB)

The summary is that of `exports.py` for five populations by two sexes.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from exports import POPULATIONS, write_reference, write_summary
from peers import Cost, run
from tessera.summary.blocks import BLOCK_SIZE

TURNS = 3


def pack_and_verify(summary: Path, folder: Path) -> tuple[Cost, Cost]:
    """What the two commands take."""
    keys, bundle = folder / "keys", folder / "alder.tar.c4gh"
    words = [sys.executable, "-m", "tessera", "bundle"]
    packing = ["--sign", str(keys / "sign.sec"), "--recipient", str(keys / "crypt4gh.pub"), "--out", str(bundle)]
    verifying = ["--key", str(keys / "crypt4gh.sec"), "--signer", str(keys / "sign.pub")]
    packed = run([*words, "pack", str(summary), *packing], folder / "log")
    return packed, run([*words, "verify", str(bundle), *verifying], folder / "log")


def seal(summary: Path, out: Path) -> None:
    """Pack, sign and encrypt, whatever the summary holds."""
    from tessera.cli.bundle.judged import members_of
    from tessera.federation.bundle import bundle_manifest
    from tessera.files.bundles import write_bundle
    from tessera.files.summaries import SummaryFolder

    folder = SummaryFolder(summary)
    manifest = bundle_manifest("alder", None, folder.raw, members_of(folder), folder.sources_as("alder", None))
    write_bundle(out, summary, manifest, Ed25519PrivateKey.generate(), [X25519PrivateKey.generate().public_key()])


def read(summary: Path) -> None:
    """Read every column by one thread."""
    from tessera.files.summaries import TEXTS

    for member in summary.rglob("*.parquet"):
        with pq.ParquetFile(member, read_dictionary=TEXTS[member.parent.name]) as file:
            for group in range(file.num_row_groups):
                file.read_row_group(group, use_threads=False)


def least(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest turn."""
    took = []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def main() -> None:
    """Print the table."""
    blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 36
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        summary, none, reference = folder / "summary", folder / "none", folder / "reference.fa"
        write_reference(reference, blocks * BLOCK_SIZE)
        write_summary(summary, POPULATIONS[5], blocks, reference)
        write_summary(none, POPULATIONS[5], 0, reference)
        run([sys.executable, "-m", "tessera", "keys", "new", "--out", str(folder / "keys")], folder / "log")
        size = sum(path.stat().st_size for path in summary.rglob("*") if path.is_file()) / 1e6
        starts = pack_and_verify(none, folder)
        turns = [pack_and_verify(summary, folder) for _ in range(TURNS)]
        print(f"{size:.1f} MB\n\n| what | CPU s | MB a CPU second | peak MB |\n| --- | --- | --- | --- |")
        for verb, start, *costs in zip(("pack", "verify"), starts, *turns, strict=True):
            took = min(cost.cpu_s for cost in costs) - start.cpu_s
            print(f"| {verb} | {took:.2f} | {size / took:.0f} | {max(cost.peak_mb for cost in costs):.0f} |")
        alone = {"pack, sign, encrypt alone": lambda: seal(summary, folder / "sealed"), "read": lambda: read(summary)}
        for what, work in alone.items():
            took = least(work)
            print(f"| {what} | {took:.2f} | {size / took:.0f} | |")


if __name__ == "__main__":
    main()
