"""The ledger of a cohort: one line of JSON for each thing that happened, each with the digest of the line before."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

from tessera import __version__
from tessera.errors import InputError, Problem, refuse
from tessera.files.paths import refuse_unlike_file
from tessera.schemas.cohort_ledger import check_line

Line = dict[str, Any]
PROBLEMS_SHOWN = 20
AS_APPENDED, RESTORE = "the ledger as tessera cohort wrote it", "It was edited or damaged: take a copy that is whole."


@dataclass(frozen=True)
class Ledger:
    """The lines of a ledger with the digest of each; `whole` is the number of bytes up to the last line end."""

    path: Path
    lines: Sequence[Line]
    digests: Sequence[str]
    whole: int

    @property
    def head(self) -> str:
        """Digest of the last line."""
        return self.digests[-1]


def read_ledger(path: Path) -> Ledger:
    """The ledger; what stands after the last line end is of a command that was interrupted, and no line.

    Raises InputError when a line is not JSON, or does not follow from the line before: one was edited, put in, or
    taken out. Lines that are missing at the end cannot be seen here.
    """
    refuse_unlike_file(path, "a ledger, as tessera cohort init begins it")
    texts = path.read_bytes().split(b"\n")
    torn = texts.pop()
    if not texts:
        raise refuse(str(path), "no line", AS_APPENDED, RESTORE)
    digests = [line_digest(text) for text in texts]
    lines, problems = [], []
    for number, text in enumerate(texts, start=1):
        found = _line(text)
        lines.append(found)
        if found.get("line") != number or found.get("previous") != (digests[number - 2] if number > 1 else None):
            problems.append(
                Problem(f"{path} line {number}", "does not follow from the line before", AS_APPENDED, RESTORE)
            )
    if problems:
        raise InputError(problems[:PROBLEMS_SHOWN])
    return Ledger(path, lines, digests, path.stat().st_size - len(torn))


def check_ledger(ledger: Ledger) -> list[Problem]:
    """Everything in the lines that their schemas refuse, or that is not written as we write it."""
    problems = []
    for line, digest in zip(ledger.lines, ledger.digests, strict=True):
        where = f"{ledger.path} line {line['line']}"
        wrong = check_line(line, where=where)
        if not wrong and line_digest(rfc8785.dumps(line)) != digest:
            wrong = [Problem(where, "not canonical JSON (RFC 8785)", AS_APPENDED, RESTORE)]
        problems += wrong
    return problems


def next_line(before: Ledger | None, event: str, at: str, content: Mapping[str, Any]) -> Line:
    """The line that comes after; `at` is the time in UTC."""
    follows = {"line": len(before.lines) + 1, "previous": before.head} if before else {"line": 1, "previous": None}
    return {**follows, "at": at, "tessera": __version__, "event": event, **content}


def append_line(path: Path, line: Line) -> str:
    """Write a line to the end of the ledger, safe on the disk, wholly or not at all; gives its digest."""
    text = rfc8785.dumps(line)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        before = os.fstat(handle).st_size
        try:
            _write(handle, text + b"\n")
            os.fsync(handle)
        except BaseException:
            os.ftruncate(handle, before)
            raise
    finally:
        os.close(handle)
    return line_digest(text)


def cut_torn_line(ledger: Ledger) -> None:
    """Remove what an interrupted command left after the last line end."""
    if ledger.path.stat().st_size > ledger.whole:
        os.truncate(ledger.path, ledger.whole)


def line_digest_of(line: Line) -> str:
    """The digest that a line will have when it is appended."""
    return line_digest(rfc8785.dumps(line))


def line_digest(text: bytes) -> str:
    """sha256 of a line without its line end."""
    return f"sha256:{hashlib.sha256(text).hexdigest()}"


def _write(handle: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def _line(text: bytes) -> Line:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
