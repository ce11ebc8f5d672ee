"""`tessera export beacon`: genomicVariations of Beacon v2."""

from pathlib import Path

import click

from tessera.cli.export.exported import (
    check_dataset,
    check_name,
    dataset_option,
    opened,
    opened_reference,
    reference_option,
)
from tessera.cli.options import FILE, FOLDER


@click.command(name="beacon")
@click.argument("summary", type=FOLDER)
@click.option("--source", required=True, help="Name of the study whose frequencies they are.")
@click.option("--source-reference", required=True, help="Where it is told of, a URL.")
@dataset_option
@reference_option
@click.option("--out", type=FILE, required=True, help="File to write, .jsonl or .jsonl.gz; a manifest lies beside it.")
def command(
    summary: Path, source: str, source_reference: str, dataset: str | None, reference: Path | None, out: Path
) -> None:
    """Write SUMMARY as genomicVariations of Beacon v2, one JSON document a line.

    A document for each variant that somebody carries, with the frequencies and counts of everybody (Total), of each
    population, sex, and both. With --reference sequences are named by their digests, and variants by VRS identifiers.
    """
    from tessera.federation import beacon as form
    from tessera.federation.groups import groups
    from tessera.federation.json_lines import SEXES
    from tessera.files.bgzf import write_lines
    from tessera.files.export_files import export_manifest, manifest_beside, write_manifest
    from tessera.genome.vrs import VRS_VERSION

    check_name(out, ".jsonl", ".jsonl.gz")
    check_dataset(dataset)
    folder = opened(summary)
    fasta = opened_reference(reference, folder) if reference else None
    by = groups(folder.manifest.people, SEXES)
    study = form.Source(source, source_reference, dataset)
    build = folder.manifest.rules["build"]["name"]
    write_lines(out, (lines for cells in folder.cells() for lines in form.documents(cells, by, build, study, fasta)))
    facts = {"dataset": dataset, "model": form.MODEL, "vrs_version": VRS_VERSION if fasta else None}
    write_manifest(manifest_beside(out), export_manifest("beacon", folder, **facts))
