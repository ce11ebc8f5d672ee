"""`tessera verify`: is a summary whole, canonical and possible?"""

from itertools import product
from pathlib import Path

import click

from tessera.cli.options import FOLDER
from tessera.errors import InputError, Problem

LISTED = 50


@click.command(name="verify")
@click.argument("summary", type=FOLDER)
def command(summary: Path) -> None:
    """Check SUMMARY: every file is the one its manifest names, and nothing else is there; only the columns of
    the schema; sorted and canonical; counts that are possible; a ledger that balances with the counts.
    """
    from tessera.files.summaries import SummaryFolder, verify_members
    from tessera.schemas.variants import VARIANTS
    from tessera.summary.algebra import CARRIERS
    from tessera.summary.blocks import TABLES
    from tessera.summary.checks import check_manifest

    folder = SummaryFolder(summary)
    wrong = verify_members(summary, folder.raw)
    if not wrong:
        wrong = list(check_manifest(folder.manifest, folder.raw["fingerprint"]))
        carriers = 0
        for contig, table in product(folder.contigs, TABLES):
            for rows, sentences in folder.judged(table, contig):
                wrong += sentences
                carriers += sum(int(rows[name].sum()) for name in CARRIERS if table == VARIANTS.name)
        listed = folder.manifest.ledger.get("carriers_counted", 0)
        if carriers != listed:
            wrong.append(f"the leaf table holds {carriers:,} carriers, the ledger {listed:,}")
    if wrong:
        expected = "a summary as tessera count, merge or subtract writes it"
        raise InputError([Problem(str(summary), sentence, expected) for sentence in wrong[:LISTED]])
    blocks = sum(len(folder.indices(contig)) for contig in folder.contigs)
    people = sum(folder.manifest.people.values())
    click.echo(
        f"{summary}: verified; {people:,} people, {blocks:,} blocks, {carriers:,} carriers, {folder.raw['fingerprint']}"
    )
