"""`tessera export`: a summary in the formats of others. A format is a file of this folder."""

import click

from tessera.cli.export import beacon, gdi_parquet, gnomad, sites, va_spec, vcf


@click.group(name="export")
def command() -> None:
    """Write a summary in the formats of others."""


for form in (vcf, gdi_parquet, beacon, va_spec, gnomad, sites):
    command.add_command(form.command)
