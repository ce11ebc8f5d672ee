"""`tessera export sites`: every count of every group of people, a row for each variant."""

from pathlib import Path

import click

from tessera.cli.export.exported import check_name, opened
from tessera.cli.options import FILE, FOLDER


@click.command(name="sites")
@click.argument("summary", type=FOLDER)
@click.option("--out", type=FILE, required=True, help="File to write, .parquet; a manifest lies beside it.")
def command(summary: Path, out: Path) -> None:
    """Write SUMMARY as a Parquet of sites: every variant in one row, with all counts.

    AC, AN, AF, n_dip, n_hap, n_het, n_homalt, n_hemi and AN_unknown of everybody, of each sex (F, M, U), each
    population, and both, as AC_EE_F; POS counted from 1. Where AN is not known it lies in [AN, AN + AN_unknown].
    """
    from tessera.federation import sites as form
    from tessera.federation.groups import groups
    from tessera.files.export_files import export_manifest, manifest_beside, write_manifest, write_parquet

    check_name(out, ".parquet")
    folder = opened(summary, exact=False)
    by = groups(folder.manifest.people, form.SEXES)
    write_parquet(out, form.schema(by), (form.table(cells, by) for cells in folder.cells()))
    write_manifest(manifest_beside(out), export_manifest("sites", folder))
