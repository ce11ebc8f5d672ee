"""BAM and CRAM that came aligned: taken over when they are the sample's, refused when they are not."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pysam
import pytest

ROOT = Path(__file__).parents[2]
BASES = "".join(random.Random(1).choices("ACGT", k=3000))
Contig = dict[str, str | int]
CHR1: Contig = {"SN": "chr1", "LN": 3000}
DECOY: Contig = {"SN": "decoy", "LN": 3000}
CHECKED = "results/node/private/logs/check_alignments/ann.log"
VERDICT = "results/node/private/qc/alignments/ann.header.txt"
CRAM = "results/node/private/alignments/imported/ann.cram"


def write_run(folder: Path, column: str, name: str, contigs: Sequence[Contig] = (CHR1,)) -> None:
    """A run of one sample, ann, whose file says that it is of `name`; its reads are not in order.

    Reads lie on each of the file's contigs.
    """
    (folder / "reference.fa").write_text(f">chr1\n{BASES}\n")
    (folder / "build.yaml").write_text("name: t\ncontigs: [{name: chr1, kind: autosome, length: 3000}]\n")
    (folder / "samples.tsv").write_text(f"sample\tsex\tpopulation\t{column}\nann\tXX\tXA\tann.{column}\n")
    (folder / "config").symlink_to(ROOT / "config")
    (folder / "config.yaml").write_text(
        "reference: reference.fa\nbuild: build.yaml\ntools: wheels\nnodes: {node: {samples: samples.tsv}}\n"
    )
    program = {"ID": "aligner", "PN": "aligner", "VN": "1", "CL": "aligner -t 8 /home/somebody/reference.fa"}
    header = {"SQ": list(contigs), "RG": [{"ID": "1", "SM": name}], "PG": [program]}
    mode, more = ("wc", {"reference_filename": str(folder / "reference.fa")}) if column == "cram" else ("wb", {})
    with pysam.AlignmentFile(str(folder / f"ann.{column}"), mode, header=header, **more) as file:
        for i, start in enumerate(random.Random(2).sample(range(2900), k=300)):
            for contig in range(len(contigs)):
                read = pysam.AlignedSegment(file.header)
                read.query_name, read.query_sequence = f"r{i}-{contig}", BASES[start : start + 100]
                read.query_qualities = pysam.qualitystring_to_array("I" * 100)
                read.reference_id, read.reference_start, read.mapping_quality = contig, start, 60
                read.cigartuples = [(0, 100)]
                read.set_tag("RG", "1")
                file.write(read)


def start(folder: Path, *more: str, path: str = "") -> subprocess.Popen[str]:
    """Ask the workflow for the imported CRAM, without a profile, in a session of its own; `path` goes before PATH."""
    workflow = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml", "--cores", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts"), "PATH": f"{path}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", CRAM, *workflow, *more]
    return subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The same, to its end."""
    process = start(folder, *more)
    said, _ = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, said, "")


@pytest.mark.parametrize("column", ["bam", "cram"])
def test_a_file_becomes_a_sorted_indexed_cram_with_all_its_reads(column: str, tmp_path: Path) -> None:
    write_run(tmp_path, column, "ann")
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    cram = tmp_path / CRAM
    assert cram.read_bytes()[:6] == b"CRAM\x03\x00"
    reference = str(tmp_path / "results" / "reference" / "reference.fa")
    with pysam.AlignmentFile(str(cram), "rc", reference_filename=reference) as file:
        starts = [read.reference_start for read in file]
        assert len(starts) == 300
        assert starts == sorted(starts)
        assert file.check_index()
        header = str(file.header)
    assert "VN:1" in header
    assert not re.search(r"UR:|CL:|/home/somebody", header)
    assert (tmp_path / f"{CRAM}.crai").stat().st_mtime_ns >= cram.stat().st_mtime_ns


def test_a_killed_run_leaves_no_half_cram_and_the_next_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann")
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    whole = {name: (tmp_path / name).read_bytes() for name in (CRAM, f"{CRAM}.crai")}
    for name in whole:
        (tmp_path / name).unlink()
    # a samtools that writes some bytes of its output and then nothing more
    stuck = tmp_path / "bin" / "samtools"
    stuck.parent.mkdir()
    stuck.write_text(
        f'#!/bin/bash\nif [ "$1" != view ]; then exec {sys.executable} {ROOT}/scripts/wheel_tools/samtools "$@"; fi\n'
        'while [ "$1" != -o ]; do shift; done\nprintf CRAM > "$2"\nexec sleep 600\n'
    )
    stuck.chmod(0o755)
    process = start(tmp_path, "--config", "tools=path", path=str(stuck.parent))
    half = tmp_path / f"{CRAM}.unfinished"
    for _ in range(1200):
        if half.exists() or process.poll() is not None:
            break
        time.sleep(0.05)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    said, _ = process.communicate()
    assert half.exists(), said
    assert not (tmp_path / CRAM).exists()
    # as if it had been killed between the last rename and Snakemake's note that the job is done
    (tmp_path / CRAM).write_bytes(whole[CRAM][:100])
    (tmp_path / f"{CRAM}.crai").write_bytes(whole[f"{CRAM}.crai"])
    assert run(tmp_path, "--unlock").returncode == 0
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert {name: (tmp_path / name).read_bytes() for name in whole} == whole
    assert not list(tmp_path.rglob("*.unfinished*"))


def test_a_file_of_another_sample_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ben")
    assert run(tmp_path).returncode != 0
    assert "ann.bam header: read groups of ben; expected SM:ann, as the sheet says" in (tmp_path / CHECKED).read_text()
    assert not (tmp_path / CRAM).exists()


def test_a_file_on_another_reference_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann", [{"SN": "chr1", "LN": 3001}])
    assert run(tmp_path).returncode != 0
    assert (
        "contig chr1: 3,001 bases; expected 3,000 bases as in the run's reference" in (tmp_path / CHECKED).read_text()
    )
    assert not (tmp_path / CRAM).exists()


def test_a_file_with_a_decoy_keeps_all_its_reads_and_it_is_said(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann", [CHR1, DECOY])
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 contig not counted, and not compared with the reference: decoy" in (tmp_path / VERDICT).read_text()
    reference = str(tmp_path / "results" / "reference" / "reference.fa")
    with (
        pysam.AlignmentFile(str(tmp_path / CRAM), "rc", reference_filename=reference) as cram,
        pysam.AlignmentFile(str(tmp_path / "ann.bam")) as bam,
    ):
        found, expected = (
            sorted((read.query_name, read.reference_name, read.query_sequence) for read in file.fetch(until_eof=True))
            for file in (cram, bam)
        )
    assert len(expected) == 600
    assert found == expected


def test_an_edited_build_checks_a_file_again_and_does_not_write_its_cram_again(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann")
    assert run(tmp_path).returncode == 0
    build = (tmp_path / "build.yaml").read_text()
    for edited, again in ((f"# a comment\n{build}", set()), (build.replace("autosome", "mt"), {"check_alignments"})):
        (tmp_path / "build.yaml").write_text(edited)
        said = run(tmp_path, "--dry-run").stdout
        assert set(re.findall(r"^rule (\w+):$", said, re.MULTILINE)) == again, said
    (tmp_path / "build.yaml").write_text(build.replace("3000", "3001"))
    done = run(tmp_path)
    assert done.returncode != 0
    assert "3,001" in (tmp_path / CHECKED).read_text()


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann")
    whole = (tmp_path / "ann.bam").read_bytes()
    (tmp_path / "ann.bam").write_bytes(whole[: len(whole) // 2])
    assert run(tmp_path).returncode != 0
    assert not (tmp_path / CRAM).exists()
