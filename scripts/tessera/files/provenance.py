"""Provenance: which tools and arguments made an artefact; it lies beside the artefact, never inside."""

import json
import platform
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from tessera import __version__
from tessera.errors import InputError, Problem
from tessera.files.atomic import written_aside
from tessera.files.json_documents import read_json

TOOLS = ("cyvcf2", "numpy", "polars", "pyarrow", "pysam")
#: how the version of a Python package looks, as far as we meet it (PEP 440)
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)*[a-z0-9.+]{0,16}")


def write_provenance(
    artefact: Path, command: str, arguments: Mapping[str, object], facts: Mapping[str, Mapping[str, int]]
) -> None:
    """Write `<artefact>.provenance.json`: command, arguments given, facts about what was read, versions."""
    content = {
        "command": command,
        "arguments": {name: str(value) for name, value in sorted(arguments.items()) if value},
        **{name: dict(sorted(numbers.items())) for name, numbers in facts.items()},
        "versions": {"tessera": __version__, "python": platform.python_version()} | {t: version(t) for t in TOOLS},
    }
    with written_aside(artefact.with_name(f"{artefact.name}.provenance.json")) as aside:
        aside.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def versions_told(paths: Iterable[Path]) -> dict[str, str]:
    """Software -> its versions, by provenance files, and Snakemake's own; several versions are joined by blanks.

    Raises InputError when a file tells no version of what it should, or tells something else.
    """
    known = ("tessera", "python", *TOOLS)
    found: dict[str, set[str]] = {name: set() for name in known}
    problems = []
    for path in sorted(paths):
        document = read_json(path, "the provenance of a count")
        told = document.get("versions") if isinstance(document, dict) else None
        for name in known:
            text = told.get(name) if isinstance(told, dict) else None
            if isinstance(text, str) and _VERSION.fullmatch(text):
                found[name].add(text)
            else:
                problems.append(
                    Problem(f"{path} versions.{name}", f"{text!r}", "a version such as 1.2.0", "Count again.")
                )
    if problems:
        raise InputError(problems)
    return {name: " ".join(sorted(texts)) for name, texts in found.items() if texts} | {
        "snakemake": version("snakemake")
    }
