"""Provenance: which tools and arguments made an artefact; it lies beside the artefact, never inside."""

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from tessera import __version__
from tessera.files.atomic import written_aside

TOOLS = ("cyvcf2", "numpy", "polars", "pyarrow", "pysam")


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
