"""The folder of a cohort that grows and shrinks: its ledger, its partial summaries, and who may change them.

ledger.jsonl    what happened, line by line
head            digest of the ledger's last line
partials/       summaries by the number of their line; never changed once the line is there
receipts/       of withdrawals
lock            held by the command that is at work
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tessera.errors import InputError, Problem, refuse
from tessera.files.atomic import directory_written_aside, remove, written_aside
from tessera.files.cohort_ledger import (
    AS_APPENDED,
    RESTORE,
    Ledger,
    Line,
    append_line,
    cut_torn_line,
    next_line,
    read_ledger,
)
from tessera.files.paths import real_path
from tessera.files.summaries import SummaryFolder, summary_digest

LEDGER, HEAD, PARTIALS, RECEIPTS, LOCK = "ledger.jsonl", "head", "partials", "receipts", "lock"
A_COHORT = "the folder of a cohort, as tessera cohort init makes it"


class CohortFolder:
    """A cohort on disk; `ledger` is as it was read when the folder was opened."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ledger: Ledger = read_ledger(path / LEDGER)
        self._check_head()

    @property
    def number(self) -> str:
        """The number of the next line, as partials and receipts are named by."""
        return _number(len(self.ledger.lines) + 1)

    def partial(self, name: str) -> Path:
        """The place of a partial summary."""
        return self.path / PARTIALS / name

    def receipt(self, name: str) -> Path:
        """The place of a receipt."""
        return self.path / RECEIPTS / f"{name}.json"

    def parts(self) -> Iterator[tuple[Line, Mapping[str, str], int]]:
        """Line, partial (name, digest) and sign of everything that makes the sum of today."""
        for line in self.ledger.lines:
            if "partial" in line:
                yield line, line["partial"], 1
            if line["event"] == "withdraw":
                yield from ((line, person["partial"], -1) for person in line["people"])

    def whole_parts(self, sign: int) -> list[Path]:
        """The partials of a sign. Raises InputError when one is not the one its line names."""
        parts = [(line, partial) for line, partial, found in self.parts() if found == sign]
        problems = [problem for line, partial in parts for problem in self.check_part(line, partial)]
        if problems:
            raise InputError(problems)
        return [self.partial(partial["name"]) for _, partial in parts]

    def check_part(self, line: Line, partial: Mapping[str, str]) -> Iterator[Problem]:
        """A problem when a partial is missing, or its manifest is not the one that the ledger names."""
        where, remedy = self.partial(partial["name"]), "Partials are never changed: take a copy of this one."
        if not (where / "manifest.json").is_file():
            yield Problem(str(where), "no summary", f"the partial of line {line['line']}", remedy)
        elif summary_digest(where) != partial["digest"]:
            yield Problem(str(where), "another manifest", f"{partial['digest']}, of line {line['line']}", remedy)

    def line(self, event: str, at: str, content: Mapping[str, Any]) -> Line:
        """What would be the next line; `at` is the time in UTC."""
        return next_line(self.ledger, event, at, content)

    def write_receipt(self, name: str, content: Mapping[str, Any]) -> None:
        """Write the receipt of a withdrawal whose line is about to be appended."""
        with written_aside(self.receipt(name)) as aside:
            aside.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")

    def append(self, line: Line) -> str:
        """Append a line whose partials and receipts are complete; gives its digest."""
        folders = [self.path / PARTIALS, self.path / RECEIPTS]
        made = [path for folder in folders for path in folder.glob(f"{_number(line['line'])}*")]
        try:
            for path in made:
                _flush(path)
            for folder in folders:
                _flush_one(folder)
            digest = append_line(self.ledger.path, line)
        except BaseException:
            for path in made:
                remove(path)
            raise
        self._write_head(digest)
        return digest

    def tidy(self) -> None:
        """Remove what an interrupted command left: of a line that is not there, under a hidden name, or half a line."""
        cut_torn_line(self.ledger)
        self._write_head(self.ledger.head)
        for folder in (self.path / PARTIALS, self.path / RECEIPTS):
            for path in folder.iterdir():
                if self._is_left_over(path.name):
                    remove(path)

    def strangers(self) -> list[Path]:
        """What lies among the partials, is named by no line, and was not left by an interrupted command."""
        named = {partial["name"] for _, partial, _ in self.parts()}
        found = (path for path in (self.path / PARTIALS).iterdir() if path.name not in named)
        return sorted(path for path in found if not self._is_left_over(path.name))

    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    def refuse_inside(self, out: Path) -> None:
        """Raise InputError when an output would lie in the folder of the cohort, or the other way round."""
        here, there = real_path(self.path), real_path(out)
        if f"{there}/".startswith(f"{here}/") or f"{here}/".startswith(f"{there}/"):
            raise refuse("--out", f"{out}, within the private folder of the cohort or around it", "another folder")

    def _is_left_over(self, name: str) -> bool:
        """Whether a partial or receipt has a hidden name, or is of a line that is not there."""
        number = re.match(r"[0-9]{6,}", name)
        return ".unfinished." in name or (number is not None and int(number[0]) > len(self.ledger.lines))

    def _check_head(self) -> None:
        """The last line is the one that was written last; an interrupted command may have left the head one behind."""
        where, expected = self.path / HEAD, f"the digest of the last line of {LEDGER}"
        found = where.read_text().strip() if where.is_file() else ""
        if found not in self.ledger.digests[-2:]:
            said = f"{found or 'nothing'}, while the ledger ends with {self.ledger.head}"
            raise refuse(str(where), said, expected, f"Lines were lost, or the last was edited. {RESTORE}")

    def _write_head(self, digest: str) -> None:
        if (self.path / HEAD).read_text() != f"{digest}\n":
            with written_aside(self.path / HEAD) as aside:
                aside.write_text(f"{digest}\n")
                _flush_one(aside)
            _flush_one(self.path)


@contextmanager
def new_cohort(path: Path) -> Iterator[Path]:
    """A folder to put the empty summary (`partials/000001`) and the first line in; it takes its name when complete.

    Raises InputError when `path` exists and is not an empty folder.
    """
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise refuse(str(path), "it is there and no folder", "a new or an empty folder")
    if path.is_dir() and any(path.iterdir()):
        found = "a cohort" if (path / LEDGER).exists() else "a folder that is not empty"
        raise refuse(str(path), found, "a new or an empty folder", "To add people to a cohort: tessera cohort add.")
    with directory_written_aside(path) as folder:
        for name in (PARTIALS, RECEIPTS):
            (folder / name).mkdir()
        (folder / LOCK).touch()
        yield folder
        _flush(folder)
    _flush_one(path.absolute().parent)


def begin_ledger(folder: Path, at: str, content: Mapping[str, Any]) -> None:
    """Write the first line of a new cohort."""
    digest = append_line(folder / LEDGER, next_line(None, "init", at, content))
    (folder / HEAD).write_text(f"{digest}\n")


@contextmanager
def opened_cohort(path: Path, *, to_change: bool) -> Iterator[CohortFolder]:
    """A cohort that no other command changes meanwhile; one that is to be changed is tidied first.

    Raises InputError when it is no cohort, its ledger was edited or cut, or another command is at work.
    """
    refuse_no_cohort(path)
    with _locked(path, alone=to_change):
        folder = CohortFolder(path)
        if to_change:
            folder.tidy()
        yield folder


@contextmanager
def _locked(path: Path, *, alone: bool) -> Iterator[None]:
    """Hold the lock of a cohort; the system lets it go when the process ends, whatever ends it."""
    # NFS gives a lock for one process alone on a file that is open for writing only
    handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            found = "another tessera cohort command is at work on it"
            raise refuse(str(path), found, "one at a time", "Run the command again when that one has ended.") from error
        yield
    finally:
        os.close(handle)


def refuse_no_cohort(path: Path) -> None:
    """Raise InputError unless there is a cohort."""
    if not (path / LEDGER).is_file():
        found = f"no {LEDGER}" if path.is_dir() else "no such folder"
        raise refuse(str(path), found, A_COHORT, f"Run: tessera cohort init {path}")


def empty_summary(folder: CohortFolder) -> SummaryFolder:
    """The summary of nobody by which the cohort began; its manifest holds the rules."""
    first = folder.ledger.lines[0]
    if first.get("event") != "init":
        raise refuse(f"{folder.ledger.path} line 1", "no line of init", AS_APPENDED, RESTORE)
    problems = list(folder.check_part(first, first["partial"]))
    if problems:
        raise InputError(problems)
    return SummaryFolder(folder.partial(first["partial"]["name"]))


def _number(line: int) -> str:
    return f"{line:06}"


def _flush(path: Path) -> None:
    """Have a file, or everything below a folder, on the disk."""
    if path.is_dir():
        for below in path.iterdir():
            _flush(below)
    _flush_one(path)


def _flush_one(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
