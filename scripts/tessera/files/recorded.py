"""Files as they were when they were counted: path, digest and size, and whether they are still the same."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tessera.errors import Problem, refuse
from tessera.files.paths import is_file, real_path, refuse_unlike_file, unlike_file


def record_file(path: Path) -> dict[str, str]:
    """The path without links, and the digest of the bytes."""
    refuse_unlike_file(path, "a file to count")
    return {"path": recorded_path(path), "digest": _digest(path)}


def recorded_path(path: Path) -> str:
    """The path without links. Raises InputError when JSON has no text for it."""
    real = real_path(path)
    try:
        real.encode()
    except UnicodeEncodeError as error:
        raise refuse(ascii(real), "a path that is not UTF-8", "one that a ledger can hold", "Rename it.") from error
    return real


def check_recorded(record: Mapping[str, Any], of: str) -> Iterator[Problem]:
    """A problem when a recorded file is gone or holds other bytes; `of` says whose it is."""
    path, expected = Path(record["path"]), f"the file that {of} was counted from ({record['digest']})"
    found = unlike_file(path)
    if not found and _digest(path) != record["digest"]:
        found = "other bytes"
    if found:
        yield Problem(str(path), found, expected, "Put that file, or a link to it, back to this place; then run again.")


@contextmanager
def unchanged(paths: Iterable[Path]) -> Iterator[None]:
    """Raise InputError when a file was written to meanwhile, judged by size and time of its last change."""
    before = {path: _signature(path) for path in paths}
    yield
    for path, signature in before.items():
        if _signature(path) != signature:
            raise refuse(str(path), "it changed while it was counted", "a file that nobody writes to")


def _signature(path: Path) -> tuple[int, int] | None:
    """None where there is no file: whoever reads it says so."""
    if not is_file(path):
        return None
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _digest(path: Path) -> str:
    with path.open("rb") as handle:
        return f"sha256:{hashlib.file_digest(handle, 'sha256').hexdigest()}"
