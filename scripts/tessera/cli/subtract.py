"""`tessera subtract`: one summary taken out of another."""

from pathlib import Path

import click

from tessera.cli.options import FOLDER


@click.command(name="subtract")
@click.argument("whole", type=FOLDER)
@click.argument("part", type=FOLDER)
@click.option(
    "--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Contigs worked side by side."
)
@click.option("--out", type=FOLDER, required=True, help="Folder of the difference; an older summary there is replaced.")
def command(whole: Path, part: Path, workers: int, out: Path) -> None:
    """Take PART out of WHOLE: exactly what counting WHOLE's other people gives.

    A PART that is not contained in WHOLE is refused.
    """
    from tessera.files.summary_sums import subtract_summary

    subtract_summary(whole, part, out, workers)
