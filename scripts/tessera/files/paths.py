"""Paths as people write them: variables in them, and whether they lead anywhere."""

import os
import re
from collections.abc import Iterable, Mapping, Set
from contextlib import suppress
from pathlib import Path

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
