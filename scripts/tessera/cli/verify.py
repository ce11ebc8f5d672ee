"""`tessera verify`: is a summary whole, canonical and possible?"""

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
    from tessera.summary.checks import check_block, check_manifest

    folder = SummaryFolder(summary)
    wrong = verify_members(summary, folder.raw)
    if not wrong:
        wrong = list(check_manifest(folder.manifest, folder.raw["fingerprint"]))
        blocks = carriers = 0
        for key in folder.block_keys():
            block = folder.unchecked(key)
            wrong += check_block(key, block, folder.manifest)
            carriers += int(block.variants.select("n_het", "n_homalt", "n_hemi").sum().sum_horizontal().sum())
            blocks += 1
        listed = folder.manifest.ledger.get("carriers_counted", 0)
        if carriers != listed:
            wrong.append(f"the leaf table holds {carriers:,} carriers, the ledger {listed:,}")
    if wrong:
        expected = "a summary as tessera count, merge or subtract writes it"
        raise InputError([Problem(str(summary), sentence, expected) for sentence in wrong[:LISTED]])
    people = sum(folder.manifest.people.values())
    click.echo(
        f"{summary}: verified; {people:,} people, {blocks:,} blocks, {carriers:,} carriers, {folder.raw['fingerprint']}"
    )
