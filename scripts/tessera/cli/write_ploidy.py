"""`tessera write-ploidy`: the ploidy table that bcftools call reads."""

from pathlib import Path

import click

from tessera.cli.options import FILE, build_option


@click.command(name="write-ploidy")
@build_option
@click.option("--out", type=FILE, required=True, help="File for bcftools call --ploidy-file.")
def command(build: str, out: Path) -> None:
    """Write the ploidy of every region by sex karyotype, for bcftools call --ploidy-file."""
    from tessera.files.atomic import written_aside
    from tessera.files.builds import read_build
    from tessera.variants.ploidy import ploidy_table

    table = ploidy_table(read_build(build))
    with written_aside(out) as aside:
        aside.write_text(table)
