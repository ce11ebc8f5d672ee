"""Keys of the configuration: how a schema describes one, and where the documentation tells of it."""

from pathlib import Path
from typing import Any

from tessera.schemas.document import Schema


def key(top: str, description: str, expected: str, **keywords: Any) -> Schema:
    """A key's schema; `top` is the top-level key under which the documentation tells of it."""
    remedy = f"See config/README.md#key-{top}."
    return {**keywords, "description": description, "x-expected": expected, "x-remedy": remedy}


def path(top: str, description: str, expected: str, **keywords: Any) -> Schema:
    """The schema of a path that must be given."""
    return key(top, description, expected, type="string", minLength=1, **keywords)


def optional_path(top: str, description: str, expected: str, **keywords: Any) -> Schema:
    """The schema of a path, or null."""
    more = {"type": ["string", "null"], "minLength": 1, "default": None}
    return key(top, description, expected, **more, **keywords)


def mapping(top: str, description: str, expected: str, properties: Schema, **keywords: Any) -> Schema:
    """The schema of a mapping of these keys and no others."""
    shape = {"type": "object", "additionalProperties": False, "properties": properties}
    return key(top, description, expected, **shape, **keywords)


def maybe_path(value: str | None) -> Path | None:
    """A path that may be missing."""
    return None if value is None else Path(value)
