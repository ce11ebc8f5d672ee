"""Paths as people write them: variables in them, and whether they lead anywhere."""

import errno
import os
import re
import stat
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from pathlib import Path

from tessera.errors import all_at_once, refuse

#: `$NAME` or `${NAME}`
VARIABLE = r"\$(?:\{(\w+)\}|(\w+))"
#: from this many files on, a folder is listed once: far cheaper than a question each on parallel file systems
WORTH_A_LISTING = 50


def variables(text: str) -> list[str]:
    """The variables that a text names, in order."""
    return [match[1] or match[2] for match in re.finditer(VARIABLE, text)]


def expand(text: str, environment: Mapping[str, str]) -> str:
    """The text with its variables expanded; one that is not set stays."""
    return re.sub(VARIABLE, lambda match: environment.get(match[1] or match[2], match[0]), text)


def is_file(path: Path) -> bool:
    """Whether there is a file; a path no file can have (too long, with a NUL) is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder; a path no folder can have is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def real_path(path: Path) -> str:
    """The path without links and dots, as far as it leads anywhere; two spellings of one place are equal."""
    try:
        return os.path.realpath(path)
    except ValueError:  # a NUL
        return str(path)


def unlike_file(path: Path) -> str:
    """What is found where a file to read is wanted; empty when it is one."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return "a link to what is not there" if path.is_symlink() else "no such file"
    except OSError as error:
        return f"no file can be reached ({error.strerror})"
    except ValueError:
        return "no path, for it holds a NUL"
    if stat.S_ISDIR(mode):
        return "a folder"
    if not stat.S_ISREG(mode):
        return "a device or a pipe"
    return "" if os.access(path, os.R_OK) else f"a file that cannot be read ({os.strerror(errno.EACCES)})"


def refuse_unlike_file(path: Path, expected: str, remedy: str = "") -> None:
    """Raise InputError, with what is there instead, unless `path` is a file that can be read."""
    found = unlike_file(path)
    if found:
        raise refuse(str(path), found, expected, remedy)


def refuse_unlike_files(wanted: Mapping[str, Path | None]) -> None:
    """Raise InputError with every path that is no file that can be read; `wanted` is what each should be -> path."""
    with all_at_once() as gathered:
        for expected, path in wanted.items():
            if path is not None:
                with gathered.trying():
                    refuse_unlike_file(path, expected, "Check the path.")


def real_paths(files: Iterable[str]) -> dict[str, str]:
    """Each path -> the path of the same file without symbolic links."""
    names: dict[Path, dict[str, str]] = {}
    for file in files:
        path = Path(file)
        names.setdefault(path.parent, {})[path.name] = file
    real: dict[str, str] = {}
    for folder, named in names.items():
        place, links = folder.resolve(), _links(folder, named.keys())
        real |= {file: str((place / name).resolve() if name in links else place / name) for name, file in named.items()}
    return real


def _links(folder: Path, names: Set[str]) -> set[str]:
    """Those of a folder's names that are symbolic links."""
    if len(names) >= WORTH_A_LISTING:
        with suppress(OSError), os.scandir(folder) as entries:  # a folder may allow its files and not its listing
            return {entry.name for entry in entries if entry.name in names and entry.is_symlink()}
    return {name for name in names if (folder / name).is_symlink()}
