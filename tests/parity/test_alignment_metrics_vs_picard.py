"""Picard beside the rule measure_alignments, on reads of NA12878: yield and coverage, where it is at hand."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pysam
import pytest

from tessera.alignments.metrics import count_gaps, measure, parse_stats, tally_depth
from tessera.files.depth import read_depth
from tessera.files.fasta import Reference
from tessera.genome.build import Build, Contig

ROOT = Path(__file__).parents[2]
#: standard tolerance of coverage: 1 %; what differs on real reads is the second mate's base (docs/quality.md)
COVERAGE = 0.002


@pytest.fixture
def picard() -> str:
    """Debian's command, or the usual one."""
    found = shutil.which("PicardCommandLine") or shutil.which("picard")
    if found is None:
        pytest.skip("no Picard in PATH: apt-get install picard-tools default-jre-headless")
    return found


def reference_and_reads(folder: Path) -> tuple[Path, Path]:
    """NA12878's reads of half a million bases of chromosome 20, aligned and marked by the tools of the demo."""
    fasta = folder / "ref.fa"
    shared = folder / "data"
    fasta.write_bytes((shared / "chr20mini.fa").read_bytes())
    pysam.faidx(str(fasta))
    tools = ROOT / "scripts" / "wheel_tools"
    pairs = " ".join(str(shared / f"NA12878_wgs_R{mate}.fastq.gz") for mate in (1, 2))
    run = (
        f"{tools}/minimap2 -ax sr -R '@RG\\tID:a\\tSM:NA12878\\tLB:a\\tPL:ILLUMINA' {fasta} {pairs}"
        f" | {tools}/samtools fixmate -u -m - - | {tools}/samtools sort -u -"
        f" | {tools}/samtools markdup --output-fmt bam - {folder}/reads.bam"
    )
    # the tools are run by the python that is found, which must be this one
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-o", "pipefail", "-c", run], check=True, env=os.environ | path, timeout=300)
    pysam.index(str(folder / "reads.bam"))
    return fasta, folder / "reads.bam"


def picards(picard: str, folder: Path, command: str, *arguments: str) -> dict[str, str]:
    """The first row of a metrics file, by column."""
    out = folder / f"{command}.txt"
    done = subprocess.run(
        [picard, command, *arguments, f"OUTPUT={out}", "VALIDATION_STRINGENCY=SILENT", "QUIET=true"],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = out.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("## METRICS CLASS"))
    return dict(zip(lines[at + 1].split("\t"), lines[at + 2].split("\t"), strict=False))


def ours(fasta: Path, reads: Path) -> dict[str, float]:
    """The metrics as the rule has them measured, every contig taken for an autosome."""
    samtools = [sys.executable, str(ROOT / "scripts" / "wheel_tools" / "samtools")]
    depth = [*samtools, "depth", "-aa", "-s", "-q", "20", "-Q", "20", str(reads)]
    stats = [*samtools, "stats", "-F", "QCFAIL", str(reads)]
    reference = Reference(fasta)
    build = Build("mini", tuple(Contig(name, "autosome", length) for name, length in reference.lengths.items()), ())
    told = subprocess.run(stats, check=True, capture_output=True, text=True, timeout=300).stdout
    with subprocess.Popen(depth, stdout=subprocess.PIPE) as process:
        assert process.stdout
        tally = tally_depth(read_depth(process.stdout, "depth"), build, "depth")
    for kind, gaps in count_gaps(reference.bases, build).items():
        tally.drop_gaps(kind, gaps)
    found: dict[str, float] = measure("NA12878", parse_stats(told, "stats"), tally)["wgs_qc_metrics"]["aln_metrics"]
    return found


def test_yield_and_coverage_are_picards(shared: Path, tmp_path: Path, picard: str) -> None:
    (tmp_path / "data").symlink_to(shared / "10_derived" / "grch37_chr20_mini")
    fasta, reads = reference_and_reads(tmp_path)
    found = ours(fasta, reads)
    of_yield = picards(picard, tmp_path, "CollectQualityYieldMetrics", f"INPUT={reads}")
    assert found["yield_bp_q30"] == int(of_yield["PF_Q30_BASES"])
    assert found["yield_bp_q30"] > 1_000_000
    coverage = picards(
        picard, tmp_path, "CollectWgsMetrics", f"INPUT={reads}", f"REFERENCE_SEQUENCE={fasta}",
        "MINIMUM_MAPPING_QUALITY=20", "MINIMUM_BASE_QUALITY=20", "COVERAGE_CAP=1000", "COUNT_UNPAIRED=true",
    )  # fmt: skip
    assert found["mean_autosome_coverage"] == pytest.approx(float(coverage["MEAN_COVERAGE"]), rel=COVERAGE, abs=0.006)
    assert found["mad_autosome_coverage"] == float(coverage["MAD_COVERAGE"])
    assert found["pct_autosomes_15x"] == pytest.approx(100 * float(coverage["PCT_15X"]), abs=0.05)
