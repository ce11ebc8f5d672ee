"""A run that is killed leaves the old summary or the new one, never a half-written one, and the next run tidies up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pysam
import pytest

from handmade import write
from nation import ROOT, files_of, run
from tessera.errors import InputError

CONTIGS = [f"chr{number}" for number in range(1, 9)]
LENGTH = 16_000_000
PEOPLE = [f"p{number}" for number in range(40)]
#: runs that may end before they are killed, for each that is
SPARED = 3
#: runs by two workers that are killed; each takes some seconds to start
WORKERS_KILLED = 3
#: runs our command line after a line of Python that changes it
PATCHED = "import os, signal\nfrom tessera.files import atomic\n{patch}\nfrom tessera.cli import main\nmain()\n"
KILL = "lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two cohort files of the shape of 1000 Genomes (GT alone, long contigs), and the summary of each."""
    folder = tmp_path_factory.mktemp("inputs")
    contigs = "".join(f"  - {{name: {name}, kind: autosome, length: {LENGTH}}}\n" for name in CONTIGS)
    (folder / "build.yaml").write_text(f"name: long\ncontigs:\n{contigs}")
    (folder / "sheet.tsv").write_text("sample\tsex\tpopulation\n" + "".join(f"{p}\tXX\tXA\n" for p in PEOPLE))
    for seed, name in enumerate(("old", "new")):
        (folder / f"{name}.vcf").write_text(cohort(random.Random(seed)))
        run(*count(folder, name, folder / name))
    run("merge", folder / "old", folder / "new", "--out", folder / "merged")
    return folder


def cohort(draw: random.Random) -> str:
    """Phased genotypes of everybody at a thousand places."""
    lines = ["##fileformat=VCFv4.2", *(f"##contig=<ID={name},length={LENGTH}>" for name in CONTIGS)]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *PEOPLE]))
    for name in CONTIGS:
        for pos in sorted(draw.sample(range(1, LENGTH), 125)):
            genotypes = [draw.choice(("0|0", "0|1", "1|1")) for _ in PEOPLE]
            lines.append("\t".join([name, str(pos), ".", "A", "C", ".", "PASS", ".", "GT", *genotypes]))
    return "\n".join(lines) + "\n"


def count(inputs: Path, name: str, out: Path) -> list[str]:
    """The words of a count."""
    words = ["count", "--input", inputs / f"{name}.vcf", "--samples", inputs / "sheet.tsv", "--assume-normalised"]
    return [str(word) for word in (*words, "--build", inputs / "build.yaml", "--out", out)]


def merge(inputs: Path, name: str, out: Path) -> list[str]:
    """The words of a merge."""
    return ["merge", str(inputs / "old"), str(inputs / name), "--workers", "2", "--out", str(out)]


def start(words: Sequence[str], patch: str | None = None, *, session: bool = False) -> subprocess.Popen[bytes]:
    """Our command line as a process of its own, or of a session of its own."""
    how = ["-m", "tessera"] if patch is None else ["-c", PATCHED.format(patch=patch)]
    path = os.pathsep.join([str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, *how, *words], env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
        start_new_session=session,
    )  # fmt: skip


def leftovers(out: Path) -> list[Path]:
    """Hidden siblings of an output."""
    return sorted(path for path in out.parent.iterdir() if path.name.startswith(f".{out.name}."))


def assert_whole(out: Path, *allowed: Path) -> None:
    """The folder is one of the allowed summaries; what else verifies beside it is one of them, too."""
    summaries = [files_of(path) for path in allowed]
    assert files_of(out) in summaries
    for left in leftovers(out):
        for folder in (left, *left.iterdir()) if left.is_dir() else ():
            try:
                run("verify", folder)
            except (InputError, NotADirectoryError):
                continue
            assert files_of(folder) in summaries


@pytest.mark.parametrize(("words", "result", "kills"), [(count, "new", 6), (merge, "merged", 20)])
def test_killed_at_any_moment_it_leaves_a_whole_summary_and_the_next_run_ends_the_same(
    inputs: Path, tmp_path: Path, words: Callable[[Path, str, Path], list[str]], result: str, kills: int
) -> None:
    out, moments = tmp_path / "summary", random.Random(result)
    run("merge", inputs / "old", "--out", out)
    writes = 1.5  # seconds; learnt from the runs that were not killed in time
    killed, unfinished = 0, False
    for _ in range(kills * (1 + SPARED)):
        before, process = leftovers(out), start(words(inputs, "new", out))
        while leftovers(out) == before and process.poll() is None:
            time.sleep(0.005)
        began = time.monotonic()
        try:
            process.wait(moments.uniform(0, writes))
            writes = min(writes, 0.8 * (time.monotonic() - began))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        assert_whole(out, inputs / "old", inputs / result)
        unfinished |= bool(leftovers(out))
        if killed == kills:
            break
    assert killed == kills, "the moments must lie within the run"
    assert unfinished, "some must have been killed while they wrote"
    assert start(words(inputs, "new", out)).wait() == 0
    assert files_of(out) == files_of(inputs / result)
    assert leftovers(out) == []


def test_a_count_by_two_workers_that_is_killed_leaves_no_process_and_the_next_run_ends_the_same(
    inputs: Path, tmp_path: Path
) -> None:
    file = write(tmp_path / "new.vcf.gz", (inputs / "new.vcf").read_text())
    pysam.tabix_index(str(file), preset="vcf", csi=True)
    out, moments = tmp_path / "summary", random.Random(5)
    words = [str(file) if word == str(inputs / "new.vcf") else word for word in count(inputs, "new", out)]
    run("merge", inputs / "old", "--out", out)
    killed, writes = 0, 3.0
    for _ in range(WORKERS_KILLED * (1 + SPARED)):
        before, process = leftovers(out), start([*words, "--workers", "2"], session=True)
        while leftovers(out) == before and process.poll() is None:
            time.sleep(0.005)
        began = time.monotonic()
        try:
            process.wait(moments.uniform(0, writes))
            writes = min(writes, 0.8 * (time.monotonic() - began))
        except subprocess.TimeoutExpired:
            process.kill()
            killed += process.wait() == -signal.SIGKILL
        assert_whole(out, inputs / "old", inputs / "new")
        assert_nobody_lives_on(process.pid)
        if killed == WORKERS_KILLED:
            break
    assert killed == WORKERS_KILLED
    assert start([*words, "--workers", "2"]).wait() == 0
    assert files_of(out) == files_of(inputs / "new")
    assert leftovers(out) == []


def assert_nobody_lives_on(session: int) -> None:
    """The workers of a killed run notice it and end."""
    until = time.monotonic() + 30
    while members := [pid for pid in Path("/proc").glob("[0-9]*") if of_session(pid, session)]:
        assert time.monotonic() < until, [(pid / "cmdline").read_text() for pid in members]
        time.sleep(0.1)


def of_session(process: Path, session: int) -> bool:
    """Whether a process of /proc belongs to a session and has not ended."""
    try:
        state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return int(its_session) == session and state != "Z"


@pytest.mark.parametrize(
    ("patch", "left"),
    [
        (f"atomic._exchange = {KILL}", "old"),
        (f"atomic.remove = {KILL}", "new"),
        (f"atomic._remove_leftovers = {KILL}", "new"),
    ],
    ids=["before the swap", "after the swap", "after the old one is removed"],
)
def test_killed_around_the_swap_the_name_always_holds_a_summary(
    inputs: Path, tmp_path: Path, patch: str, left: str
) -> None:
    out = tmp_path / "summary"
    run("merge", inputs / "old", "--out", out)
    assert start(count(inputs, "new", out), patch).wait() == -signal.SIGKILL
    assert files_of(out) == files_of(inputs / left)
    assert_whole(out, inputs / left, inputs / "old", inputs / "new")
    assert start(count(inputs, "new", out)).wait() == 0
    assert files_of(out) == files_of(inputs / "new")
    assert leftovers(out) == []


def test_killed_before_there_was_anything_it_leaves_nothing_under_the_name(inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "summary"
    patch = f"from tessera.files import summaries\nsummaries.SummaryWriter.finish = {KILL}"
    assert start(count(inputs, "new", out), patch).wait() == -signal.SIGKILL
    assert not out.exists()
    assert len(leftovers(out)) == 1
    for left in leftovers(out):
        with pytest.raises(InputError, match=r"no manifest\.json"):
            run("verify", left)
    run(*count(inputs, "new", out))
    assert files_of(out) == files_of(inputs / "new")
    assert leftovers(out) == []
