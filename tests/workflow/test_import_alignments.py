"""BAM and CRAM that came aligned: taken over when they are the sample's, refused when they are not."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pysam
import pytest

ROOT = Path(__file__).parents[2]
BASES = "".join(random.Random(1).choices("ACGT", k=3000))
CRAM = "results/node/private/alignments/imported/ann.cram"


def write_run(folder: Path, column: str, name: str) -> None:
    """A run of one sample, ann, whose file says that it is of `name`; its reads are not in order."""
    (folder / "reference.fa").write_text(f">chr1\n{BASES}\n")
    (folder / "build.yaml").write_text("name: t\ncontigs: [{name: chr1, kind: autosome, length: 3000}]\n")
    (folder / "samples.tsv").write_text(f"sample\tsex\tpopulation\t{column}\nann\tXX\tXA\tann.{column}\n")
    (folder / "config").symlink_to(ROOT / "config")
    (folder / "config.yaml").write_text(
        "reference: reference.fa\nbuild: build.yaml\ntools: wheels\nnodes: {node: {samples: samples.tsv}}\n"
    )
    header = {"SQ": [{"SN": "chr1", "LN": 3000}], "RG": [{"ID": "1", "SM": name}]}
    mode, more = ("wc", {"reference_filename": str(folder / "reference.fa")}) if column == "cram" else ("wb", {})
    with pysam.AlignmentFile(str(folder / f"ann.{column}"), mode, header=header, **more) as file:
        for i, start in enumerate(random.Random(2).sample(range(2900), k=300)):
            read = pysam.AlignedSegment(file.header)
            read.query_name, read.query_sequence = f"r{i}", BASES[start : start + 100]
            read.query_qualities = pysam.qualitystring_to_array("I" * 100)
            read.reference_id, read.reference_start, read.mapping_quality = 0, start, 60
            read.cigartuples = [(0, 100)]
            read.set_tag("RG", "1")
            file.write(read)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask the workflow for the imported CRAM."""
    workflow = ["--snakefile", str(ROOT / "Snakefile"), "--configfile", "config.yaml", "--cores", "1", CRAM]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "scripts")}
    command = [sys.executable, "-m", "snakemake", *workflow]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)


@pytest.mark.parametrize("column", ["bam", "cram"])
def test_a_file_becomes_a_sorted_indexed_cram_with_all_its_reads(column: str, tmp_path: Path) -> None:
    write_run(tmp_path, column, "ann")
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    cram = tmp_path / CRAM
    assert cram.read_bytes()[:6] == b"CRAM\x03\x00"
    reference = str(tmp_path / "results" / "reference" / "reference.fa")
    with pysam.AlignmentFile(str(cram), "rc", reference_filename=reference) as file:
        starts = [read.reference_start for read in file]
        assert len(starts) == 300
        assert starts == sorted(starts)
        assert file.check_index()


def test_a_file_of_another_sample_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ben")
    assert run(tmp_path).returncode != 0
    log = tmp_path / "results" / "node" / "private" / "logs" / "import_alignments" / "ann.log"
    assert "ann.bam: read groups of ben; expected SM:ann, as the sheet says" in log.read_text()
    assert not (tmp_path / CRAM).exists()


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    write_run(tmp_path, "bam", "ann")
    whole = (tmp_path / "ann.bam").read_bytes()
    (tmp_path / "ann.bam").write_bytes(whole[: len(whole) // 2])
    assert run(tmp_path).returncode != 0
    assert not (tmp_path / CRAM).exists()
