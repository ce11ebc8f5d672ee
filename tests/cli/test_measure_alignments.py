"""`tessera measure-alignments`: depth as a file or a stream, and how it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tessera.cli import tessera
from tessera.errors import InputError

STATS = """SN\traw total sequences:\t10
SN\treads mapped:\t9
SN\treads properly paired:\t8
SN\tinsert size average:\t300.0
SN\tinsert size standard deviation:\t30.0
"""
DEPTH = "".join(f"chr1\t{pos}\t{depth}\n" for pos, depth in enumerate([20, 20, 10, 0], start=1))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """Reference of four bases, one of them N, its build, and the outputs of samtools."""
    (tmp_path / "reference.fa").write_text(">chr1\nACGN\n")
    (tmp_path / "reference.fa.fai").write_text("chr1\t4\t6\t4\t5\n")
    (tmp_path / "build.yaml").write_text("name: t\ncontigs: [{name: chr1, kind: autosome, length: 4}]\n")
    (tmp_path / "stats.txt").write_text(STATS)
    (tmp_path / "depth.tsv").write_text(DEPTH)
    return tmp_path


def measure(sample: Path, depth: str, given: str | None = None) -> Result:
    """Run the command."""
    paths = {"--stats": "stats.txt", "--reference": "reference.fa", "--build": "build.yaml", "--out": "out.json"}
    arguments = [word for option, name in paths.items() for word in (option, str(sample / name))]
    return CliRunner().invoke(tessera, ["measure-alignments", "--sample", "s", *arguments, "--depth", depth], given)


def test_a_file_and_a_stream_give_the_same(sample: Path) -> None:
    assert measure(sample, str(sample / "depth.tsv")).exit_code == 0
    from_file = (sample / "out.json").read_bytes()
    assert measure(sample, "-", DEPTH).exit_code == 0
    assert (sample / "out.json").read_bytes() == from_file


def test_bases_that_are_n_are_not_counted(sample: Path) -> None:
    assert measure(sample, "-", DEPTH).exit_code == 0
    metrics = json.loads((sample / "out.json").read_text())["wgs_qc_metrics"]["aln_metrics"]
    assert metrics["mean_autosome_coverage"] == 16.67
    assert metrics["pct_autosomes_15x"] == 66.67
    assert metrics["pct_reads_mapped"] == 90.0


@pytest.mark.parametrize("given", ["", DEPTH[:-7], "chr1\t1\n"])
def test_a_stream_cut_short_leaves_no_metrics(sample: Path, given: str) -> None:
    assert isinstance(measure(sample, "-", given).exception, InputError)
    assert not (sample / "out.json").exists()


def test_a_file_that_is_not_there_is_a_usage_error(sample: Path) -> None:
    done = measure(sample, str(sample / "nothing.tsv"))
    assert done.exit_code == 2
    assert "nothing.tsv" in done.output
