"""`tessera export gdi-parquet`: the allele-frequency Parquet of GDI's nodes."""

from pathlib import Path

import click

from tessera.cli.export.exported import check_dataset, dataset_option, opened
from tessera.cli.options import FOLDER


@click.command(name="gdi-parquet")
@click.argument("summary", type=FOLDER)
@dataset_option
@click.option(
    "--out", type=FOLDER, required=True, help="Folder to write; GDI's nodes want the data set's id as its name."
)
def command(summary: Path, dataset: str | None, out: Path) -> None:
    """Write SUMMARY as the allele-frequency Parquet that GDI's nodes read.

    BUILD/allele-freq-chrC.N.parquet for each contig and ten million bases, POS counted from 0; a row for each variant
    that somebody carries and population, sex, and both, in which somebody is called. manifest.json tells the rest.
    """
    from tessera.federation import gdi_parquet as form
    from tessera.federation.allele_frequency_vcf import check_populations
    from tessera.federation.groups import groups
    from tessera.files.export_files import export_manifest, parquet_folder, write_manifest
    from tessera.files.summaries import MANIFEST
    from tessera.schemas.exports import GDI_ALLELE_FREQUENCIES

    check_dataset(dataset)
    folder = opened(summary)
    check_populations(folder.manifest)
    chromosomes = form.chromosomes(folder.manifest)
    by = [group for group in groups(folder.manifest.people) if group.name]
    build = folder.manifest.rules["build"]["name"]
    with parquet_folder(out, build, GDI_ALLELE_FREQUENCIES.schema, "POS") as target:
        for cells in folder.cells():
            for index, rows in form.tables(cells, by):
                target.append(form.file_name(chromosomes[cells.contig], index), rows)
        write_manifest(target.top / MANIFEST, export_manifest("gdi-parquet", folder, dataset=dataset))
