"""`tessera measure-alignments`: depth as a file or a stream, and how it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tessera.cli import tessera
from tessera.errors import InputError

STATS = """SN\tsequences:\t10
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


def refused(done: Result) -> str:
    assert isinstance(done.exception, InputError), done.exception
    return str(done.exception)


def test_all_files_that_are_not_there_are_named_at_once(sample: Path) -> None:
    for name in ("reference.fa", "build.yaml", "stats.txt"):
        (sample / name).unlink()
    said = refused(measure(sample, str(sample / "nothing.tsv")))
    assert all(f"{name}: no such file" in said for name in ("reference.fa", "build.yaml", "stats.txt", "nothing.tsv"))


@pytest.mark.parametrize(
    ("stats", "said"),
    [
        (b"", "no line 'sequences'"),
        (b"SN\n", "no line 'sequences'"),
        (b"\xff\xfe\x00SN", "no line 'sequences'"),
        (STATS.replace("\t10\n", "\tten\n").encode(), "stats.txt line 1: "),
        (STATS.replace("\t9\n", "\tnan\n").encode(), "stats.txt line 2: "),
        (STATS.replace("\t9\n", "\tinf\n").encode(), "stats.txt line 2: "),
        (STATS.replace("\t8\n", "\t-8\n").encode(), "stats.txt line 3: "),
        (STATS.encode() + b"FFQ\n", "stats.txt line 6: "),
        (STATS.encode() + b"FFQ\t1\tz\n", "stats.txt line 6: "),
        (STATS.encode() + b"LFQ\t1" + b"\t0" * 35 + b"\tz\n", "stats.txt line 6: "),
    ],
)
def test_what_is_no_output_of_samtools_stats_is_refused(sample: Path, stats: bytes, said: str) -> None:
    (sample / "stats.txt").write_bytes(stats)
    assert said in refused(measure(sample, "-", DEPTH))


@pytest.mark.parametrize(
    ("depth", "said"),
    [
        ("chr1\t1\t2\t3\n", 'lines of another shape, after "chr1\\t1\\t2\\t3"'),
        ("chr1\t1\n", "lines of another shape"),
        ("chr1\t1\t30.5\n", "lines of another shape"),
        ("chr1\tone\t30\n", "lines of another shape"),
        ("chr1\t1\t\n", "an empty field"),
        (DEPTH.replace("\t10\n", "\t-10\n"), "depth -10 at chr1:3"),
        (DEPTH.replace("\t10\n", "\t3000000000000\n"), "depth 3000000000000 at chr1:3"),
        (DEPTH.replace("chr1\t3", "chr1\t2"), "chr1: position 2; expected 3, the next"),
        (DEPTH.replace("chr1\t1", "chr1\t0"), "chr1: position 0; expected 1, the next"),
        ("".join(reversed(DEPTH.splitlines(keepends=True))), "chr1: position 4; expected 1, the next"),
        (DEPTH + "chr1\t5\t0\n", "5 bases of chr1; expected 4"),
    ],
)
def test_what_is_no_output_of_samtools_depth_is_refused(sample: Path, depth: str, said: str) -> None:
    assert said in refused(measure(sample, "-", depth))
    assert not (sample / "out.json").exists()
