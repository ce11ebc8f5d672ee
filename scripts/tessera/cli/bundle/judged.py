"""What may leave a node, asked of a summary's folder, before it is packed and after it is opened."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tessera.errors import InputError, Problem

if TYPE_CHECKING:
    from tessera.files.summaries import SummaryFolder

LISTED = 50
ALLOWED = "only what docs/federation.md lists"
KEEP = "It stays here until this is gone; tessera count makes a summary again."


def refuse_not_allowed(folder: "SummaryFolder") -> None:
    """Raise InputError with everything in a summary that is wrong, or may not leave a node."""
    from tessera.cli.verify import judge
    from tessera.federation.bundle import not_allowed
    from tessera.files.summaries import MANIFEST

    judged = judge(folder)
    wrong = list(not_allowed(folder.raw, (folder.path / MANIFEST).read_bytes())) + judged.wrong
    # the files that the manifest names, and no others, are looked into
    if not any("sha256 differs" in sentence or "is missing" in sentence for sentence in wrong):
        wrong += _in_members(folder, judged.words)
    if wrong:
        raise InputError([Problem(str(folder.path), sentence, ALLOWED, KEEP) for sentence in wrong[:LISTED]])


def members_of(folder: "SummaryFolder") -> dict[str, tuple[str, int]]:
    """Every file of a summary -> sha256 and bytes."""
    from tessera.files.summaries import MANIFEST, summary_digest

    digests = folder.raw["members"] | {MANIFEST: summary_digest(folder.path).removeprefix("sha256:")}
    return {name: (digest, (folder.path / name).stat().st_size) for name, digest in digests.items()}


def _in_members(folder: "SummaryFolder", words: Mapping[tuple[str, str], Iterable[str]]) -> Iterator[str]:
    from tessera.federation.bundle import words_not_allowed
    from tessera.files.hidden_content import hidden_content

    for name in sorted(folder.tables):
        yield from hidden_content(folder.path / name, PurePosixPath(name).parts[0])
    for (name, column), stored in sorted(words.items()):
        odd = words_not_allowed(column, stored, folder.raw["people"], PurePosixPath(name).stem)
        if odd:
            yield f"{name} holds {odd[0]!r} in the column {column} ({len(odd):,} words)"
