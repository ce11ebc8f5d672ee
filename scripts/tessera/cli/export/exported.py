"""What all exports ask of a summary before they write it."""

from pathlib import Path
from typing import TYPE_CHECKING

from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.files.summaries import SummaryFolder


def opened(summary: Path, *, exact: bool = True) -> "SummaryFolder":
    """The summary, whole; with `exact` one in which AN is known everywhere. Raises InputError otherwise."""
    from tessera.files.summaries import SummaryFolder, refuse_altered

    folder = SummaryFolder(summary)
    refuse_altered([folder])
    if exact and not folder.manifest.is_exact:
        raise refuse(
            str(summary),
            "people of whom nothing is known where their file lists no variant (an_basis: variant_only)",
            "people whose callable bases are known",
            "AN would be too low: recount with gVCFs, or declare --callable regions. "
            "tessera export sites tells AN as an interval.",
        )
    return folder


def check_name(out: Path, *endings: str) -> None:
    """Raise InputError when a file to write does not end as its format does."""
    if not out.name.endswith(endings):
        raise refuse("--out", str(out), f"a name that ends in {' or '.join(endings)}")
