"""What the chain from FASTQ to CRAM costs beside the aligner alone, against a reference of 100 million bases.

    python tests/scale/chain.py FOLDER [--pairs 100000] [--bases 100000000]

Runs the commands of the rules align_lane and mark_duplicates, as they stand in workflow/rules, and `bwa mem` on the
same reads, by turns. Prints CPU seconds, their ratio, and the most temporary disk by the bytes of the reads. bwa,
samtools and cutadapt are of PATH.
"""

import argparse
import ast
import gzip
import json
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

RULES = Path(__file__).parents[2] / "workflow" / "rules"
COST = Path(__file__).parent / "cost.py"
READ, INSERT, INSERT_SD = 150, 400, 60
#: a third of the reference is copies of these, a twentieth of their bases changed
REPEATS, REPEAT = 300, 3000
ADAPTER = b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", b"AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"
#: qualities as instruments bin them, and how often each is
QUALITIES, SHARES = b"#,:F", (0.01, 0.03, 0.08, 0.88)
BASES = np.frombuffer(b"ACGT", np.uint8)
COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")
Bytes = npt.NDArray[np.uint8]


def main() -> None:
    """Make what is missing, measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--bases", type=int, default=100_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    make_inputs(folder, asked.bases, asked.pairs)
    commands = {"bwa": bare(folder), "chain": chain(folder)}
    cpu: dict[str, list[float]] = {name: [] for name in commands}
    disk = 0
    for _ in range(asked.rounds):
        for name, command in commands.items():
            cost, most = measured(command, folder)
            cpu[name].append(cost)
            disk = max(disk, most) if name == "chain" else disk
    reads = sum((folder / f"reads_{mate}.fq.gz").stat().st_size for mate in (1, 2))
    best = {name: min(seconds) for name, seconds in cpu.items()}
    told = {"cpu_s": cpu, "ratio": best["chain"] / best["bwa"], "disk_by_reads": disk / reads}
    print(json.dumps(told | {"pairs": asked.pairs, "bases": asked.bases}))


def make_inputs(folder: Path, bases: int, pairs: int) -> None:
    """Reference, its indexes, and pairs with errors, some with adapters; only what is not there yet."""
    draw = np.random.default_rng(1)
    fasta = folder / "reference.fa"
    sequence = reference(draw, bases)
    if not (folder / "index.sa").exists():
        text = sequence.tobytes().decode()
        fasta.write_text(">chr1\n" + "\n".join(text[at : at + 100] for at in range(0, bases, 100)) + "\n")
        subprocess.run(["samtools", "faidx", fasta], check=True)
        subprocess.run(["bwa", "index", "-p", folder / "index", fasta], check=True, stderr=subprocess.DEVNULL)
    write_pairs(folder, sequence, draw, pairs)


def reference(draw: np.random.Generator, bases: int) -> Bytes:
    """(bases,) letters: random, with copies of a few repeats that are not quite alike."""
    sequence = BASES[draw.integers(0, 4, bases)]
    repeats = BASES[draw.integers(0, 4, (REPEATS, REPEAT))]
    for start in draw.integers(0, bases - REPEAT, bases // REPEAT // 3):
        copy = repeats[draw.integers(REPEATS)].copy()
        changed = draw.random(REPEAT) < 0.05
        copy[changed] = BASES[draw.integers(0, 4, int(changed.sum()))]
        sequence[start : start + REPEAT] = copy
    return sequence


def write_pairs(folder: Path, sequence: Bytes, draw: np.random.Generator, pairs: int) -> None:
    """Pairs of reads of the sequence, with one wrong base in 300; of a short insert the rest is adapter."""
    starts = draw.integers(0, len(sequence) - 2 * INSERT, pairs).tolist()
    inserts = np.clip(draw.normal(INSERT, INSERT_SD, pairs), 60, 2 * INSERT).astype(int)
    inserts[draw.random(pairs) < 0.03] = 120
    texts: tuple[list[bytes], list[bytes]] = ([], [])
    for number, (start, insert) in enumerate(zip(starts, inserts.tolist(), strict=True)):
        piece = sequence[start : start + insert].tobytes()
        if number % 2:
            piece = piece[::-1].translate(COMPLEMENT)
        ends = piece, piece[::-1].translate(COMPLEMENT)
        for mate, (text, end, adapter) in enumerate(zip(texts, ends, ADAPTER, strict=True), start=1):
            read = np.frombuffer((end + adapter + b"G" * READ)[:READ], np.uint8).copy()
            wrong = draw.random(READ) < 1 / 300
            read[wrong] = BASES[draw.integers(0, 4, int(wrong.sum()))]
            qualities = draw.choice(np.frombuffer(QUALITIES, np.uint8), READ, p=SHARES)
            text.append(b"@pair%d/%d\n%b\n+\n%b\n" % (number, mate, read.tobytes(), qualities.tobytes()))
    for mate, text in enumerate(texts, start=1):
        (folder / f"reads_{mate}.fq.gz").write_bytes(gzip.compress(b"".join(text), 6, mtime=0))


def bare(folder: Path) -> str:
    """The aligner alone, what it writes thrown away."""
    return f"bwa mem -t 2 {folder}/index {folder}/reads_1.fq.gz {folder}/reads_2.fq.gz > /dev/null"


def chain(folder: Path) -> str:
    """The two rules, one after the other."""
    (folder / "tmp").mkdir(exist_ok=True)
    smk = (RULES / "alignments.smk").read_text()
    without_paths = re.search(r'^WITHOUT_PATHS = r"(.*)"$', smk, re.MULTILINE)
    assert without_paths
    common = {"threads": "2", "resources.tmpdir:q": str(folder / "tmp"), "log:q": str(folder / "log")}
    lane = filled(command_of("reads", "align_lane"), common | {
        "output.trimming:q": f"{folder}/trimming.json", "output.bam:q": f"{folder}/tmp/lane.bam",
        "input.fastq:q": f"{folder}/reads_1.fq.gz {folder}/reads_2.fq.gz", "params.align": "bwa mem -p",
        "params.read_group:q": r"'@RG\tID:s.1\tSM:s\tLB:s\tPL:ILLUMINA'", "params.index:q": f"{folder}/index",
    })  # fmt: skip
    sample = filled(command_of("alignments", "mark_duplicates"), common | {
        "input.lanes:q": f"{folder}/tmp/lane.bam", "input.reference:q": f"{folder}/reference.fa",
        "output.cram:q": f"{folder}/sample.cram", "output.index:q": f"{folder}/sample.cram.crai",
        "params.without_paths:q": f'"{without_paths[1]}"',
    })  # fmt: skip
    return f"set -euo pipefail; {lane}; {sample}"


def command_of(chapter: str, rule: str) -> str:
    """The shell command of a rule, its braces unfilled."""
    text = (RULES / f"{chapter}.smk").read_text().split(f"\nrule {rule}:\n")[1].split("shell:\n")[1]
    strings = text.split("\n\n")[0]
    command: str = ast.literal_eval(f"({strings})")
    return command


def filled(command: str, values: Mapping[str, str]) -> str:
    """The command with values for its names; a name without one is a KeyError."""
    return re.sub(r"\{([a-z_.]+(?::q)?)\}", lambda found: values[found[1]], command)


def measured(command: str, folder: Path) -> tuple[float, int]:
    """CPU seconds of a command and all it started, and the most bytes that lay in the temporary folder meanwhile."""
    for left in (folder / "tmp").glob("*"):
        left.unlink()
    ended, most = threading.Event(), [0]

    def watch() -> None:
        while not ended.wait(0.2):
            most[0] = max(most[0], sum(size(path) for path in (folder / "tmp").glob("**/*")))

    watcher = threading.Thread(target=watch)
    watcher.start()
    log = folder / "cost.log"
    done = subprocess.run(
        [sys.executable, "-I", "-S", COST, log, "bash", "-c", command], capture_output=True, text=True, check=True
    )
    ended.set()
    watcher.join()
    cost = json.loads(done.stdout)
    if cost["code"]:
        sys.exit(f"exit code {cost['code']}: {command}\n{log.read_text()}{(folder / 'log').read_text()}")
    return float(cost["cpu_s"]), most[0]


def size(path: Path) -> int:
    """Bytes of a file, which may be gone by now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


if __name__ == "__main__":
    main()
