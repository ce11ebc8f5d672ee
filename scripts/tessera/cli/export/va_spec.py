"""`tessera export va-spec`: cohort allele frequencies of GA4GH VA-Spec."""

from pathlib import Path

import click

from tessera.cli.export.exported import check_dataset, check_name, dataset_option, opened, opened_reference
from tessera.cli.options import FILE, FOLDER


@click.command(name="va-spec")
@click.argument("summary", type=FOLDER)
@click.option("--reference", type=FILE, required=True, help="FASTA that the people were counted on.")
@click.option("--va-spec", "version", type=click.Choice(["1.0.1"]), default="1.0.1", show_default=True)
@dataset_option
@click.option(
    "--out", type=FILE, required=True, help="File to write, .ndjson or .ndjson.gz; a manifest lies beside it."
)
def command(summary: Path, reference: Path, version: str, dataset: str | None, out: Path) -> None:
    """Write SUMMARY as CohortAlleleFrequencyStudyResults of GA4GH VA-Spec, one JSON document a line.

    A result for each variant that somebody carries, about its VRS 2.0.1 Allele, whose identifier is computed from the
    reference. Populations and sexes are subcohorts, sexes within populations theirs.
    """
    from tessera.federation import va_spec as form
    from tessera.federation.groups import groups
    from tessera.federation.json_lines import SEXES
    from tessera.files.bgzf import write_lines
    from tessera.files.export_files import export_manifest, manifest_beside, write_manifest
    from tessera.genome.vrs import VRS_VERSION

    check_name(out, ".ndjson", ".ndjson.gz")
    check_dataset(dataset)
    folder = opened(summary)
    fasta = opened_reference(reference, folder)
    by = groups(folder.manifest.people, SEXES)
    write_lines(out, (lines for cells in folder.cells() for lines in form.documents(cells, by, dataset, fasta)))
    facts = {"dataset": dataset, "va_spec_version": version, "vrs_version": VRS_VERSION}
    write_manifest(manifest_beside(out), export_manifest("va-spec", folder, **facts))
