"""`tessera merge`: the sum of summaries."""

from pathlib import Path

import click

from tessera.cli.options import FOLDER


@click.command(name="merge")
@click.argument("summaries", type=FOLDER, nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Contigs added side by side.")
@click.option("--out", type=FOLDER, required=True, help="Folder of the sum; an older summary there is replaced.")
def command(summaries: tuple[Path, ...], workers: int, out: Path) -> None:
    """Add SUMMARIES: exactly what counting all their people together gives, in any order.

    Summaries that were counted by different rules are refused, with every rule that differs.
    """
    from tessera.files.summary_sums import merge_summaries

    merge_summaries(summaries, out, workers)
