"""`tessera verify`: is a summary whole, canonical and possible?"""

from collections import defaultdict
from dataclasses import dataclass, field
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
    found = judge(folder)
    if found.wrong:
        raise InputError([Problem(str(summary), sentence, AS_WRITTEN) for sentence in found.wrong[:LISTED]])
    people = sum(folder.manifest.people.values())
    click.echo(
        f"{summary}: verified; {people:,} people, {found.blocks:,} blocks, {found.carriers:,} carriers, "
        f"rules {folder.raw['fingerprint']}"
    )


@dataclass
class Judged:
    """What was found in one pass over a summary.

    `words`: member and text column -> every word that is stored for it, also where no row uses it.
    """

    wrong: list[str]
    blocks: int = 0
    carriers: int = 0
    words: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))


def judge(folder: "SummaryFolder") -> Judged:
    """Everything that is wrong with a summary, as sentences; its numbers of blocks and carriers, and its words.

    Where files are not those of the manifest, nothing else is looked at.
    """
    from tessera.files.qc_sums import judged_qc_sums
    from tessera.files.summaries import verify_members
    from tessera.schemas.variants import VARIANTS
    from tessera.summary.algebra import CARRIERS
    from tessera.summary.blocks import TABLES
    from tessera.summary.checks import check_manifest

    found = Judged(verify_members(folder.path, folder.raw))
    if not found.wrong:
        found.wrong += check_manifest(folder.manifest, folder.raw["fingerprint"])
        found.wrong += judged_qc_sums(folder.path, folder.manifest.people)[1]
        for contig, table in product(folder.contigs, TABLES):
            for rows, sentences in folder.judged(table, contig):
                found.wrong += sentences
                found.carriers += sum(int(rows[name].sum()) for name in CARRIERS if table == VARIANTS.name)
                for column, words in rows.words.items():
                    found.words[f"{table}/{contig}.parquet", column].update(words)
        listed = folder.manifest.ledger.get("carriers_counted", 0)
        if found.carriers != listed:
            found.wrong.append(f"the leaf table holds {found.carriers:,} carriers, the ledger {listed:,}")
        found.blocks = sum(len(folder.indices(contig)) for contig in folder.contigs)
    return found
