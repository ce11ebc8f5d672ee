"""`tessera verify`: is a summary whole, canonical and possible?"""

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FOLDER
from tessera.errors import InputError, Problem

if TYPE_CHECKING:
    from tessera.files.summaries import SummaryFolder

LISTED = 50
AS_WRITTEN = "a summary as tessera count, merge or subtract writes it"


@click.command(name="verify")
@click.argument("summary", type=FOLDER)
def command(summary: Path) -> None:
    """Check SUMMARY: every file is the one its manifest names, and nothing else is there; only the columns of
    the schema; sorted and canonical; counts that are possible; a ledger that balances with the counts.
    """
    from tessera.files.summaries import SummaryFolder

    folder = SummaryFolder(summary)
    wrong, blocks, carriers = judge(folder)
    if wrong:
        raise InputError([Problem(str(summary), sentence, AS_WRITTEN) for sentence in wrong[:LISTED]])
    people = sum(folder.manifest.people.values())
    click.echo(
        f"{summary}: verified; {people:,} people, {blocks:,} blocks, {carriers:,} carriers, {folder.raw['fingerprint']}"
    )


def judge(folder: "SummaryFolder") -> tuple[list[str], int, int]:
    """Everything that is wrong with a summary, as sentences; and its numbers of blocks and carriers.

    Where files are not those of the manifest, nothing else is looked at.
    """
    from tessera.files.summaries import verify_members
    from tessera.schemas.variants import VARIANTS
    from tessera.summary.algebra import CARRIERS
    from tessera.summary.blocks import TABLES
    from tessera.summary.checks import check_manifest

    wrong = verify_members(folder.path, folder.raw)
    blocks = carriers = 0
    if not wrong:
        wrong = list(check_manifest(folder.manifest, folder.raw["fingerprint"]))
        for contig, table in product(folder.contigs, TABLES):
            for rows, sentences in folder.judged(table, contig):
                wrong += sentences
                carriers += sum(int(rows[name].sum()) for name in CARRIERS if table == VARIANTS.name)
        listed = folder.manifest.ledger.get("carriers_counted", 0)
        if carriers != listed:
            wrong.append(f"the leaf table holds {carriers:,} carriers, the ledger {listed:,}")
        blocks = sum(len(folder.indices(contig)) for contig in folder.contigs)
    return wrong, blocks, carriers
