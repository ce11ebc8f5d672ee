"""`tessera check`: says ok in a table, or every mistake, and exits with 2."""

import os
import subprocess
import sys
from pathlib import Path

import pysam

import tessera

ROOT = Path(__file__).parents[2]

CONFIG = f"""\
build: GRCh38
assume_normalised: true
qc_policy: {ROOT}/config/policies/qc.yaml
nodes:
  alder: {{samples: samples.tsv}}
"""

HEADER = "sample\tsex\tpopulation\tconsent\tfastq_1\tfastq_2\tgvcf\tvcf\n"


def check(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    arguments = [part for word in words for part in (("--config", word) if word.endswith(".yaml") else (word,))]
    return subprocess.run(
        [sys.executable, "-m", "tessera", "check", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(tessera.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_good_configuration_is_a_table_and_ok(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "cohort.vcf.gz").touch()
    (tmp_path / "c.g.vcf.gz").touch()
    rows = "a\tXX\tEE\tDUO:0000042\t\t\t\tcohort.vcf.gz\nb\tXY\tEE\tDUO:0000042\t\t\t\tcohort.vcf.gz\n"
    rows += "c\tXY\tEE\tDUO:0000042\t\t\tc.g.vcf.gz\t\nd\tXX\tEE\twithdrawn\t\t\t\t\n"
    (tmp_path / "samples.tsv").write_text(HEADER + rows)
    done = check(tmp_path, "config.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "node   samples  fastq  bam  cram  gvcf  vcf  withdrawn\n"
        "alder        3      0    0     0     1    2          1\n"
        "1 node, 3 samples: ok\n"
    )


def test_ten_mistakes_are_ten_messages(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    for name in ("1.fq", "2.fq", "3.fq", "a.vcf", "k.g.vcf"):
        (tmp_path / name).touch()
    rows = [
        "-a\tXX\tEE\tDUO:0000042\t\t\t\ta.vcf",  # bad name
        "b\tboy\tEE\tDUO:0000042\t\t\t\ta.vcf",  # bad sex
        "c\tXX\tE-E\tDUO:0000042\t\t\t\ta.vcf",  # bad population
        "d\tXX\tEE\tGRU\t\t\t\ta.vcf",  # bad consent
        "e\tXX\tEE\tDUO:0000042\t\t\t\t",  # no input
        "f\tXX\tEE\tDUO:0000042\t\t\tk.g.vcf\ta.vcf",  # two inputs
        "g\tXX\tEE\tDUO:0000042\t1.fq\t\t\t",  # half a pair
        "h\tXX\tEE\tDUO:0000042\t2.fq\t2.fq\t\t",  # R1 = R2
        "i\tXX\tEE\tDUO:0000042\t\t\t\tgone.vcf",  # no such file
        "j\tXX\tEE",  # too few cells
    ]
    (tmp_path / "samples.tsv").write_text(HEADER + "\n".join(rows) + "\n")
    done = check(tmp_path, "config.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    said = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
    assert all(line.startswith("tessera: error: samples.tsv line ") for line in said)
    assert sorted(int(line.split(":")[2].split()[-1]) for line in said) == list(range(2, 12))
    assert "Traceback" not in done.stderr


def test_mistakes_of_configuration_and_sheet_are_listed_together(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "more.yaml").write_text("alinger: bwa\n")
    done = check(tmp_path, "config.yaml", "more.yaml")
    assert done.returncode == 2
    assert 'tessera: error: config.yaml, more.yaml: unknown key "alinger"' in done.stderr
    assert "tessera: error: samples.tsv: there is no such file" in done.stderr


def test_a_configuration_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    done = check(tmp_path, "gone.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tessera: error: gone.yaml: there is no such file; expected a YAML file.\n  Check the path.\n"
    )


def test_every_file_that_came_aligned_to_another_reference_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "build.yaml").write_text("name: t\ncontigs: [{name: chr1, kind: autosome, length: 30}]\n")
    (tmp_path / "reference.fa").write_text(f">chr1\n{'ACGTA' * 6}\n")
    (tmp_path / "config.yaml").write_text(
        CONFIG.replace("GRCh38", "build.yaml").replace("assume_normalised: true", "reference: reference.fa")
    )
    (tmp_path / "samples.tsv").write_text(
        "sample\tsex\tpopulation\tbam\n" + "".join(f"{name}\tXX\tEE\t{name}.bam\n" for name in "abc")
    )
    for name, length in (("a", 30), ("b", 31), ("c", 32)):
        header = {"SQ": [{"SN": "chr1", "LN": length}], "RG": [{"ID": "1", "SM": name}]}
        with pysam.AlignmentFile(str(tmp_path / f"{name}.bam"), "wb", header=header):
            pass
    done = check(tmp_path, "config.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    said = [line for line in done.stderr.splitlines() if not line.startswith("  ")]
    assert said == [
        f"tessera: error: {name}.bam header: contig chr1: {length} bases; expected 30 bases as in the run's reference."
        for name, length in (("b", 31), ("c", 32))
    ]
    assert not (tmp_path / "reference.fa.fai").exists()


def test_options_of_two_questions_are_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(CONFIG)
    done = check(tmp_path, "config.yaml", "--sample", "a")
    assert done.returncode == 2
    assert "expected --config, or all of --alignments, --sample, --reference and --build" in done.stderr
