"""A YAML document against its JSON Schema (draft 2020-12), said as problems; and the schema as documentation.

Annotations of ours stand in the schemas beside the standard keywords: `x-expected`, how a sentence says what
belongs there; `x-found`, how it opens saying what was found; `x-remedy`, what to do; and `x-default-text`,
how the documentation says a default that is no value.
"""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from tessera.errors import Problem
from tessera.schemas.table import markdown_table

Schema = dict[str, Any]


def check_document(document: object, schema: Schema, *, where: str) -> list[Problem]:
    """Everything in `document` that its schema refuses; key paths are added to `where`, the file's name."""
    odd = list(_odd_keys(document, where, ()))
    if odd:
        return odd  # JSON Schema is defined for text keys only
    errors = Draft202012Validator(schema).iter_errors(document)
    # one missing key is one error of jsonschema, which names it only within its English message
    return list(dict.fromkeys(problem for error in errors for problem in _problems(error, where)))


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that `word` was probably meant to be, if any."""
    lower = {name.lower(): name for name in reversed(known)}
    close = difflib.get_close_matches(word.strip().lower(), list(lower), n=1, cutoff=0.6)
    return lower[close[0]] if close else None


def quoted(value: object, *, longest: int = 300) -> str:
    """`value` between quotes on one line, without control characters, shortened."""
    text = str(value)
    text = text if len(text) <= longest else f"{text[:longest]}..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text) + '"'


def document_markdown(schema: Schema, *, anchor: str) -> str:
    """Each key of a schema's top level under a heading `anchor: name`, with the keys below it."""
    parts = []
    for key, value in schema["properties"].items():
        parts.append(f"### {anchor}: {key}\n\n{value['description']}\n\n{_facts(key, value, schema)}")
        below = list(_keys_below(value, key))
        if below:
            parts.append(markdown_table(("key", "required", "default", "meaning"), below))
    return "\n\n".join(parts)


def keys_markdown(schema: Schema) -> str:
    """Every key of a document, however deep, as one table."""
    return markdown_table(("key", "expected", "meaning"), _all_keys(schema, ""))


def _all_keys(schema: Schema, path: str) -> Iterator[tuple[str, str, str]]:
    for key, below in schema.get("properties", {}).items():
        yield f"`{path}{key}`", below["x-expected"], below["description"]
        yield from _all_keys(below, f"{path}{key}.")
        yield from _all_keys(below.get("items", {}), f"{path}{key}[].")


def _facts(key: str, value: Schema, schema: Schema) -> str:
    if key in schema.get("required", []):
        return f"Required. Expected: {value['x-expected']}."
    default = value.get("x-default-text") or f"`{_yaml(value['default'])}`"
    return f"Expected: {value['x-expected']}. Default: {default}."


def _keys_below(value: Schema, path: str) -> Iterator[tuple[str, str, str, str]]:
    inner = value.get("additionalProperties")
    if isinstance(inner, dict):
        yield from _keys_below(inner, f"{path}.NAME")
    holders = [(value, path), (value.get("then", {}), path), (value.get("items", {}), f"{path}[]")]
    for holder, inner_path in holders:
        for key, below in holder.get("properties", {}).items():
            required = "yes" if key in holder.get("required", []) else "no"
            default = f"`{_yaml(below['default'])}`" if "default" in below else ""
            yield f"`{inner_path}.{key}`", required, default, f"{below['description']}"
            yield from _keys_below(below, f"{inner_path}.{key}")


def _yaml(value: object) -> str:
    words = {True: "true", False: "false", None: "null"}
    if isinstance(value, bool) or value is None:
        return words[value]
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return str(value)


def _odd_keys(document: object, where: str, path: tuple[str | int, ...]) -> Iterator[Problem]:
    if isinstance(document, Mapping):
        for key, below in document.items():
            if isinstance(key, str):
                yield from _odd_keys(below, where, (*path, key))
            else:
                yield Problem(
                    _place(where, path),
                    f"the key {_yaml(key)} is no text",
                    "text for a key",
                    "YAML reads yes, no, on and off as booleans and digits as numbers; write the key between "
                    'quotes, such as "no".',
                )
    elif isinstance(document, list):
        for index, below in enumerate(document):
            yield from _odd_keys(below, where, (*path, index))


def _place(where: str, path: tuple[str | int, ...]) -> str:
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    return f"{where} {dotted}".rstrip()


def _problems(error: ValidationError, where: str) -> Iterator[Problem]:
    schema: Schema = cast(Schema, error.schema)
    found: Any = error.instance
    place = _place(where, tuple(error.absolute_path))
    if error.validator == "additionalProperties":
        yield from _unknown_keys(found, schema, place)
    elif error.validator == "required":
        yield from _missing_keys(found, schema, place)
    else:
        found_text = f"{schema.get('x-found', 'found')} {_shown(found)}"
        yield Problem(place, found_text, schema["x-expected"], schema.get("x-remedy", ""))


def _unknown_keys(found: Mapping[str, object], schema: Schema, place: str) -> Iterator[Problem]:
    known = list(schema["properties"])
    unused = [key for key in known if key not in found]
    for key in found:
        if key not in known:
            meant = nearest(key, unused)
            remedy = f'Did you mean "{meant}"?' if meant else schema.get("x-remedy", "Remove the key.")
            yield Problem(place, f"unknown key {quoted(key)}", f"one of {', '.join(known)}", remedy)


def _missing_keys(found: Mapping[str, object], schema: Schema, place: str) -> Iterator[Problem]:
    unknown = [key for key in found if key not in schema["properties"]]
    unused = [key for key in schema["properties"] if key not in found]
    meant = {nearest(key, unused) for key in unknown}
    for key in schema["required"]:
        # a misspelt key is one mistake, not an unknown key and a missing one
        if key not in found and key not in meant:
            below = schema["properties"][key]
            yield Problem(place, f"the key {key} is missing", below["x-expected"], below.get("x-remedy", ""))


def _shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else quoted(_yaml(value))[1:-1]
