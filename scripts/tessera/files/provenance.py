"""Provenance: which tools and arguments made an artefact; it lies beside the artefact, never inside."""

import json
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

from tessera import __version__
from tessera.files.atomic import written_aside

#: libraries on which an artefact may depend; told of are those that were loaded
TOOLS = ("cyvcf2", "numpy", "polars", "pyarrow", "pysam")


def write_provenance(
    artefact: Path, command: str, arguments: Mapping[str, object], facts: Mapping[str, Mapping[str, int]]
) -> None:
    """Write `<artefact>.provenance.json`: command, arguments given, facts about what was read, versions."""
    loaded = {name: sys.modules[name].__version__ for name in TOOLS if name in sys.modules}
    content = {
        "command": command,
        "arguments": {name: str(value) for name, value in sorted(arguments.items()) if value},
        **{name: dict(sorted(numbers.items())) for name, numbers in facts.items()},
        "versions": {"tessera": __version__, "python": platform.python_version()} | loaded,
    }
    with written_aside(artefact.with_name(f"{artefact.name}.provenance.json")) as aside:
        aside.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
