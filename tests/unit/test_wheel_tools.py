"""The native tools out of wheels behave as the programs do: streams, threads, exit codes."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "scripts" / "wheel_tools"
BASES = "".join(random.Random(1).choices("ACGT", k=3000))
SAM = "@HD\tVN:1.6\tSO:unsorted\n@SQ\tSN:chr1\tLN:3000\n" + "".join(
    f"r{i}\t0\tchr1\t{900 - i}\t60\t50M\t*\t0\t0\t{BASES[899 - i : 949 - i]}\t{'I' * 50}\n" for i in range(800)
)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A FASTA of one contig of 3,000 bases."""
    path = tmp_path / "reference.fa"
    path.write_text(f">chr1\n{BASES}\n")
    return path


def shell(command: str, folder: Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a pipeline with the wheel tools first on PATH, under `pipefail`."""
    path = os.pathsep.join([str(TOOLS), str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=folder,
        input=given,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
        timeout=60,
    )


def pairs(number: int) -> str:
    """Interleaved FASTQ of pairs with an insert of 300."""
    reverse = str.maketrans("ACGT", "TGCA")
    reads = []
    for i in range(number):
        start = i * 37 % 2600
        for read in (BASES[start : start + 100], BASES[start + 200 : start + 300].translate(reverse)[::-1]):
            reads.append(f"@q{i}\n{read}\n+\n{'I' * 100}\n")
    return "".join(reads)


@pytest.mark.parametrize("tool", ["samtools", "bcftools", "minimap2"])
def test_each_tool_says_its_version(tool: str, tmp_path: Path) -> None:
    done = shell(f"{tool} --version", tmp_path)
    assert done.returncode == 0
    assert done.stdout.split()[-1]


def test_samtools_filters_a_stream(tmp_path: Path) -> None:
    done = shell("samtools sort -u - | samtools view -c -", tmp_path, SAM)
    assert (done.returncode, done.stdout) == (0, "800\n")


def test_bcftools_reads_a_stream_and_writes_one(reference: Path, tmp_path: Path) -> None:
    sort = "samtools faidx reference.fa && samtools sort -u - "
    done = shell(f"{sort}| bcftools mpileup -f reference.fa - | bcftools view -H", tmp_path, SAM)
    assert done.returncode == 0
    assert done.stdout.startswith("chr1\t101\t")


def test_minimap2_pairs_a_stream(reference: Path, tmp_path: Path) -> None:
    done = shell("minimap2 -ax sr -R '@RG\\tID:a\\tSM:s' reference.fa -", tmp_path, pairs(50))
    assert done.returncode == 0
    records = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("@")]
    assert len(records) == 100
    assert {int(record[1]) & 0x1 for record in records} == {1}
    assert "@RG\tID:a\tSM:s\n" in done.stdout


def test_minimap2_writes_before_it_has_read_everything(reference: Path, tmp_path: Path) -> None:
    """Its reader leaves after one line: an endless input must end by a broken pipe, not run for ever."""
    (tmp_path / "pairs.fq").write_text(pairs(200))
    endless = "while cat pairs.fq; do :; done 2>/dev/null"
    done = shell(f"{{ {endless}; }} | minimap2 -K 100k -ax sr reference.fa - | head -1", tmp_path)
    assert done.stdout.startswith("@")
    assert done.returncode != 0


@pytest.mark.parametrize(
    "command",
    [
        "samtools view missing.bam",
        "samtools no-such-command",
        "samtools view -b reads.sam > /dev/full",
        "samtools view --reference missing.fa -C reads.sam",
        "bcftools view missing.vcf",
        "bcftools no-such-command",
        "bcftools mpileup -f missing.fa reads.sam",
        "minimap2 -ax sr missing.fa pairs.fq",
        "minimap2 -ax sr reference.fa missing.fq",
        "minimap2 -ax no-such-preset reference.fa pairs.fq",
        "minimap2 -ax sr -R no-read-group reference.fa pairs.fq",
        "minimap2 -ax sr reference.fa pairs.fq > /dev/full",
    ],
)
def test_a_failure_is_an_exit_code(command: str, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "reads.sam").write_text(SAM)
    (tmp_path / "pairs.fq").write_text(pairs(5))
    done = shell(command, tmp_path)
    assert done.returncode != 0
    assert done.stderr
    assert "Segmentation fault" not in done.stderr


@pytest.mark.parametrize("command", ["samtools view reads.sam", "minimap2 -ax sr reference.fa pairs.fq"])
def test_a_reader_that_leaves_ends_the_writer(command: str, reference: Path, tmp_path: Path) -> None:
    (tmp_path / "reads.sam").write_text(SAM + SAM.split("LN:3000\n")[1] * 20)
    (tmp_path / "pairs.fq").write_text(pairs(2000))
    done = shell(f"{command} | head -1", tmp_path)
    assert done.returncode == 128 + 13
