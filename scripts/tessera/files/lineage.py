"""The lineage of a summary that came from others: `lineage.json`, beside the manifest and no part of its digests."""

from pathlib import Path

import rfc8785

from tessera.errors import InputError, Problem
from tessera.files.json_documents import read_json
from tessera.schemas.bundle import check_sources
from tessera.summary.lineage import Sources, as_documents, odd_sources, sources_of

LINEAGE = "lineage.json"
EXPECTED, REMEDY = "the sources of the summary", "Open the bundles again (tessera bundle open), and merge them again."


def read_sources(folder: Path, people: int) -> Sources:
    """The sources of a summary of so many people; none where it has no lineage. Raises InputError."""
    path = folder / LINEAGE
    if not path.exists():
        return ()
    document = read_json(path, EXPECTED, REMEDY)
    problems = check_sources(document, where=str(path))
    if not problems:
        sources = sources_of(document)
        problems = [Problem(str(path), said, EXPECTED, REMEDY) for said in odd_sources(sources, people)]
    if problems:
        raise InputError(problems)
    return sources


def write_sources(folder: Path, sources: Sources) -> None:
    """Write the lineage of a summary, unless it has none."""
    if sources:
        (folder / LINEAGE).write_bytes(rfc8785.dumps(as_documents(sources)) + b"\n")
