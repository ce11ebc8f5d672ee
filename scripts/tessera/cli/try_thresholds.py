"""`tessera try-thresholds`: what decisions rest on in, how many people other thresholds would move out."""

import sys
from pathlib import Path

import click

from tessera.cli.options import FILE


@click.command("try-thresholds")
@click.argument("details", type=FILE)
@click.option(
    "--bound",
    "tried",
    type=(str, click.Choice(["min", "max"]), float),
    multiple=True,
    metavar="METRIC min|max VALUE",
    help="Try this value; may be repeated, each is tried alone. Without it, each bound of the policy is moved to where "
    "1, 2, 5, 10, 20 ... people would be gained or lost.",
)
def command(details: Path, tried: tuple[tuple[str, str, float], ...]) -> None:
    """Show how many people other thresholds of the QC policy would move.

    DETAILS is what tessera gate-samples --details writes (decisions.details.tsv of a node). A person whom another rule
    keeps out does not move. Thresholds are people's own values: the table is private.
    """
    from tessera.cohort.thresholds import try_thresholds
    from tessera.files.tables import read_tsv
    from tessera.schemas.decisions import DETAILS

    table = try_thresholds(read_tsv(details, DETAILS), tried)  # type: ignore[arg-type]  # click checked min and max
    sys.stdout.write(table.write_csv(separator="\t"))
