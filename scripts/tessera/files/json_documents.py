"""Reading JSON that others wrote: what every reader takes for the same, and nothing that ours would trip over."""

import json
import math
from pathlib import Path
from typing import Any

from tessera.errors import refuse
from tessera.files.paths import refuse_unlike_file
from tessera.schemas.document import quoted

#: integers within which all readers agree (RFC 8259, section 6); what RFC 8785 can write
LARGEST = 2**53 - 1
#: levels of mappings and lists; ours have five
DEEPEST = 20


def read_json(path: Path, expected: str, remedy: str = "") -> Any:
    """The document of a JSON file.

    Raises InputError when it is not JSON (RFC 8259), has a key twice in a mapping, NaN or a number beyond what
    readers agree on, text that is not Unicode, or more than DEEPEST levels.
    """
    refuse_unlike_file(path, expected, remedy)
    try:
        document = json.loads(
            path.read_bytes(), parse_constant=_number, parse_float=_number, parse_int=_integer, object_pairs_hook=_once
        )
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
        _refuse_deeper(document)
    except (ValueError, RecursionError) as error:
        raise refuse(str(path), f"not JSON as it is exchanged ({quoted(error)[1:-1]})", expected, remedy) from error
    return document


def _number(text: str) -> float:
    if not math.isfinite(float(text)):
        raise ValueError(f"the number {text}")
    return float(text)


def _integer(text: str) -> int:
    if abs(float(text)) > LARGEST:
        raise ValueError(f"the number {text[:20]}..., beyond 2^53")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"a key twice among {', '.join(name for name, _ in pairs)}")
    return found


def _refuse_deeper(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [below for value in level if isinstance(value, dict | list) for below in _below(value)]
    if level:
        raise ValueError(f"more than {DEEPEST} levels")


def _below(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value
