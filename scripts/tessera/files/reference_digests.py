"""Digests of a FASTA's sequences, kept beside it: hashing a human genome takes longer than counting a person.

    reference.fa.digests.json    {"bytes": …, "contigs": {name: {"md5": …, "refget": …}}}

They are those of the FASTA as long as it has that many bytes and is older than they are, by the time when the system
last noted a change of it (ctime, which copying and renaming move too); else whoever asks hashes it.
"""

import json
from pathlib import Path

from tessera.errors import refuse
from tessera.files.atomic import written_aside
from tessera.files.json_documents import read_json

#: contig and algorithm (`md5`, `refget`) -> digest
Digests = dict[tuple[str, str], str]


def digests_path(fasta: Path) -> Path:
    """Where the digests of a FASTA are kept."""
    return fasta.with_name(f"{fasta.name}.digests.json")


def write_digests(fasta: Path, digests: Digests) -> None:
    """Keep the digests of a FASTA as it is now."""
    contigs: dict[str, dict[str, str]] = {}
    for (contig, algorithm), digest in digests.items():
        contigs.setdefault(contig, {})[algorithm] = digest
    with written_aside(digests_path(fasta)) as aside:
        aside.write_text(
            json.dumps({"bytes": fasta.stat().st_size, "contigs": contigs}, indent=1, ensure_ascii=False) + "\n"
        )


def kept_digests(fasta: Path) -> Digests:
    """The digests that are kept of a FASTA; none where it was written to since.

    Raises InputError for a file of digests that is not one.
    """
    path = digests_path(fasta)
    if not path.is_file():
        return {}
    expected, remedy = "digests of a FASTA", f"Remove it, or run: tessera digest-reference {fasta}"
    document = read_json(path, expected, remedy)
    try:
        status = fasta.stat()
        if document["bytes"] != status.st_size or status.st_ctime_ns > path.stat().st_mtime_ns:
            return {}
        found = [(contig, kind, digest) for contig, of in document["contigs"].items() for kind, digest in of.items()]
    except (AttributeError, KeyError, TypeError) as error:
        raise refuse(str(path), "a document of other keys", expected, remedy) from error
    return {(contig, kind): str(digest) for contig, kind, digest in found}
