"""What all exports ask of a summary before they write it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.files.fasta import Reference
    from tessera.files.summaries import SummaryFolder

dataset_option = click.option("--dataset", help="Id of the data set, such as GOE-EE-UT-20260301120000000.")
reference_option = click.option(
    "--reference", type=FILE, help="FASTA that the people were counted on, for computed identifiers (VRS)."
)


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


def opened_reference(path: Path, folder: "SummaryFolder") -> "Reference":
    """The FASTA. Raises InputError when it is not the one that the people were counted on."""
    from tessera.files.fasta import Reference
    from tessera.summary.rules import counted_build, reference_digest

    reference, expected = Reference(path), folder.manifest.rules["reference"]
    missing = [contig for contig in folder.contigs if contig not in reference.lengths]
    if missing:
        raise refuse(str(path), f"no contig {missing[0]}", f"the contigs of {folder.path}")
    build = counted_build(folder.manifest.rules)
    names = [contig.name for contig in build.contigs]
    found = reference_digest(names, reference.sequences(build)) if expected else None
    if found != expected:
        raise refuse(
            str(path), f"the digest {found}", f"{expected} as in {folder.path}",
            "Give the FASTA that the people were counted on.",
        )  # fmt: skip
    return reference


def check_dataset(dataset: str | None) -> None:
    """Raise InputError when it is no id of a data set."""
    from tessera.schemas.bundle import DATASET
    from tessera.schemas.document import check_document

    if dataset is not None and check_document(dataset, DATASET, where="--dataset"):
        raise refuse("--dataset", repr(dataset), "a data set such as GOE-EE-UT-20260301120000000")
