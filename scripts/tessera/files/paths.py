"""Paths as people write them: variables in them, and whether they lead anywhere."""

import re
from collections.abc import Mapping
from pathlib import Path

#: `$NAME` or `${NAME}`
VARIABLE = r"\$(?:\{(\w+)\}|(\w+))"


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
