"""`tessera export gnomad`: a VCF of sites with the INFO names of gnomAD."""

from pathlib import Path

import click

from tessera.cli.export.exported import check_name, opened
from tessera.cli.options import FILE, FOLDER, check_not_in_grpmax, not_in_grpmax_option


@click.command(name="gnomad")
@click.argument("summary", type=FOLDER)
@not_in_grpmax_option
@click.option("--out", type=FILE, required=True, help="File to write, .vcf.gz; its .tbi lies beside it.")
def command(summary: Path, not_in_grpmax: tuple[str, ...], out: Path) -> None:
    """Write SUMMARY as a VCF of sites with the INFO names of gnomAD.

    One record for each variant that somebody carries: AC, AN, AF, nhomalt, faf95 and faf99 of everybody, of each
    population, of XX and XY, and of both, as AC_EE_XX; grpmax and fafmax. nhet and nhemi, of the same groups, are what
    gnomAD does not tell.
    """
    from tessera.federation import gnomad_vcf as form
    from tessera.federation.groups import groups
    from tessera.files.bgzf import write_indexed_vcf

    check_name(out, ".vcf.gz")
    folder = opened(summary)
    check_not_in_grpmax(not_in_grpmax, folder.manifest.people, asked=True)
    by = groups(folder.manifest.people)
    records = (lines for some in folder.cells() for lines in form.records(some, by, not_in_grpmax))
    write_indexed_vcf(out, form.header(folder.manifest, by), records)
