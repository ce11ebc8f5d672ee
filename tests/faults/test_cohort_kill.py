"""A cohort whose command is killed is as it was before or as it is after, and the next command goes on from there."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from growing import Growing, grown
from nation import ROOT, files_of, run
from tessera.files.cohort_ledger import read_ledger

PATCHED = "import os, signal\n{patch}\nfrom tessera.cli import main\nmain()\n"
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
#: where an add is killed -> Python that sees to it, and the lines of the ledger afterwards
MOMENTS = {
    "while a person is counted": (
        f"from tessera.files import summaries\nsummaries.SummaryWriter.finish = lambda *_, **__: {KILL}", 2,
    ),
    "before the partial has its name": (
        "from tessera.files import summary_sums, summaries\nfinish = summaries.SummaryWriter.finish\n"
        "def last(self, manifest, *others, **more):\n    finish(self, manifest, *others, **more)\n"
        f"    sum(manifest.people.values()) == 2 and {KILL}\nsummaries.SummaryWriter.finish = last", 2,
    ),
    "before its line": (f"from tessera.files import cohort_folder\ncohort_folder.append_line = lambda *_: {KILL}", 2),
    "in the middle of its line": (
        "from tessera.files import cohort_ledger\ndef half(handle, text):\n    os.write(handle, text[:200])\n"
        f"    {KILL}\ncohort_ledger._write = half", 2,
    ),
    "before the head follows": (
        f"from tessera.files import cohort_folder\ncohort_folder.CohortFolder._write_head = lambda self, digest: "
        f"digest == self.ledger.head or {KILL}", 3,
    ),
}  # fmt: skip
#: how often a command is killed at random moments, and is begun to be killed
KILLS, ATTEMPTS = 20, 80


@pytest.fixture
def growing(tmp_path: Path) -> Growing:
    """Everybody's gVCF, and a cohort with Ann in it."""
    growing = grown(tmp_path / "people", shared=False)
    run("cohort", "init", tmp_path / "cohort", *growing.rules)
    run("cohort", "add", tmp_path / "cohort", "--samples", growing.sheet(["ann-1"]))
    return growing


def start(words: list[object], patch: str) -> subprocess.Popen[bytes]:
    """Our command line as a process of its own."""
    path = os.pathsep.join([str(ROOT / "scripts"), os.environ.get("PYTHONPATH", "")])
    code = [sys.executable, "-c", PATCHED.format(patch=patch), *map(str, words)]
    return subprocess.Popen(code, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL)


def assert_sound(cohort: Path, lines: int) -> None:
    """What is left is whole: the old state, or the new one."""
    run("cohort", "verify", cohort)
    run("cohort", "status", cohort)
    assert len(read_ledger(cohort / "ledger.jsonl").lines) == lines


def assert_goes_on(growing: Growing, cohort: Path, here: Path) -> None:
    """Whatever was left, adding who is missing gives the bytes of one count, and nothing is left over."""
    if len(read_ledger(cohort / "ledger.jsonl").lines) == 2:
        run("cohort", "add", cohort, "--samples", growing.sheet(["ben-2", "cat-3"]))
    run("cohort", "release", cohort, "--out", here / "release")
    expected = growing.counted_in_one_go(["ann-1", "ben-2", "cat-3"], here / "one-go")
    assert files_of(here / "release") == files_of(expected)
    assert sorted(path.name for path in (cohort / "partials").iterdir()) == ["000001", "000002", "000003"]
    assert sorted(path.name for path in cohort.iterdir()) == ["head", "ledger.jsonl", "lock", "partials", "receipts"]
    run("cohort", "verify", cohort, "--recount", 2)


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_add_that_is_killed_leaves_the_old_cohort_or_the_new(growing: Growing, tmp_path: Path, moment: str) -> None:
    patch, lines = MOMENTS[moment]
    cohort = tmp_path / "cohort"
    words: list[object] = ["cohort", "add", cohort, "--samples", growing.sheet(["ben-2", "cat-3"])]
    assert start(words, patch).wait() == -signal.SIGKILL
    assert_sound(cohort, lines)
    assert_goes_on(growing, cohort, tmp_path)


@pytest.mark.parametrize("command", ["add", "withdraw"])
def test_what_is_killed_at_any_moment_leaves_the_old_cohort_or_the_new(
    growing: Growing, tmp_path: Path, command: str
) -> None:
    cohort, moments, kills, writes = tmp_path / "cohort", random.Random(3), 0, 1.0
    joining: list[object] = ["cohort", "add", cohort, "--samples", growing.sheet(["ben-2", "cat-3"])]
    words, people, old = joining, ["ann-1", "ben-2", "cat-3"], 2
    if command == "withdraw":
        run(*joining)
        words, people, old = ["cohort", "withdraw", cohort, "ben-2"], ["ann-1", "cat-3"], 3
    shutil.copytree(cohort, tmp_path / "old")
    for _ in range(ATTEMPTS):
        before, process = hidden(cohort), start(words, "")
        while process.poll() is None and hidden(cohort) <= before:
            time.sleep(0.002)
        try:
            process.wait(moments.uniform(0, writes))
            writes /= 2
        except subprocess.TimeoutExpired:
            process.kill()
            kills += process.wait() == -signal.SIGKILL
        lines = len(read_ledger(cohort / "ledger.jsonl").lines)
        assert lines in (old, old + 1)
        assert_sound(cohort, lines)
        if kills == KILLS:
            break
        if lines > old:
            shutil.rmtree(cohort)
            shutil.copytree(tmp_path / "old", cohort)
    assert kills == KILLS
    if len(read_ledger(cohort / "ledger.jsonl").lines) == old:
        run(*words)
    run("cohort", "release", cohort, "--out", tmp_path / "release")
    assert files_of(tmp_path / "release") == files_of(growing.counted_in_one_go(people, tmp_path / "one-go"))
    run("cohort", "verify", cohort, "--recount", len(people))


def hidden(folder: Path) -> set[Path]:
    """What is under way in the folder of partials, or was when it was killed."""
    return {path for path in folder.glob("partials/.*") if ".unfinished." in path.name}


def test_a_withdrawal_that_is_killed_before_its_line_has_not_been(growing: Growing, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort"
    run("cohort", "add", cohort, "--samples", growing.sheet(["ben-2", "cat-3"]))
    patch = MOMENTS["before its line"][0]
    assert start(["cohort", "withdraw", cohort, "ben-2"], patch).wait() == -signal.SIGKILL
    assert_sound(cohort, 3)
    assert [path.name for path in (cohort / "receipts").iterdir()] == ["000004-ben-2.json"]
    run("cohort", "release", cohort, "--out", tmp_path / "release")
    assert list((cohort / "receipts").iterdir()) == []
    expected = growing.counted_in_one_go(["ann-1", "ben-2", "cat-3"], tmp_path / "one-go")
    assert files_of(tmp_path / "release") == files_of(expected)
    run("cohort", "withdraw", cohort, "ben-2")
    run("cohort", "verify", cohort, "--recount", 3)


def test_no_release_is_out_that_the_ledger_does_not_know_of(growing: Growing, tmp_path: Path) -> None:
    cohort, out = tmp_path / "cohort", tmp_path / "release"
    words: list[object] = ["cohort", "release", cohort, "--out", out]
    assert start(words, MOMENTS["before its line"][0]).wait() == -signal.SIGKILL
    assert_sound(cohort, 2)
    assert not out.exists()
    assert start(words, MOMENTS["before the head follows"][0]).wait() == -signal.SIGKILL
    assert_sound(cohort, 3)
    assert not out.exists()
    assert list(tmp_path.glob(".release.*")) != []
    run(*words)
    assert list(tmp_path.glob(".release.*")) == []
    assert files_of(out) == files_of(growing.counted_in_one_go(["ann-1"], tmp_path / "one-go"))


def test_an_init_that_is_killed_leaves_nothing_under_the_name(growing: Growing, tmp_path: Path) -> None:
    new = tmp_path / "new"
    patch = f"from tessera.files import cohort_folder\ncohort_folder.append_line = lambda *_: {KILL}"
    assert start(["cohort", "init", new, *growing.rules], patch).wait() == -signal.SIGKILL
    assert not new.exists()
    run("cohort", "init", new, *growing.rules)
    run("cohort", "verify", new)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
