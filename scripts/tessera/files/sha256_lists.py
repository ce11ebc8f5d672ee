"""Digests of files: reckoned here, or read from the lists that `sha256sum` writes."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from tessera.errors import InputError, Problem
from tessera.files.paths import refuse_unlike_file

#: a backslash says that the name is written with escapes (GNU coreutils, "cksum output modes")
_LINE = re.compile(r"(\\?)([0-9a-f]{64}) [ *](.+)")
_ESCAPES = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, 64 hexadecimal digits. Raises InputError when there is no file."""
    refuse_unlike_file(path, "a file that the run has read or written")
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def read_sha256_list(path: Path) -> Iterator[tuple[str, str]]:
    """Path and sha256 of each file in a list. Raises InputError with every line that is none of a list."""
    refuse_unlike_file(path, "a list that sha256sum wrote")
    # newlines alone end a line
    lines = path.read_bytes().decode().removesuffix("\n").split("\n")
    found = [_LINE.fullmatch(line) for line in lines]
    wrong = [number for number, line in enumerate(found, 1) if line is None]
    if wrong:
        expected = "64 hexadecimal digits, two blanks and a path, as sha256sum writes them"
        raise InputError([Problem(f"{path} line {number}", "no digest of a file", expected) for number in wrong])
    for line in found:
        if line is not None:
            name = re.sub(r"\\[\\nr]", lambda escape: _ESCAPES[escape[0]], line[3]) if line[1] else line[3]
            yield name, line[2]
