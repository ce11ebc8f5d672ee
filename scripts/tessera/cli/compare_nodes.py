"""`tessera compare-nodes`: where nodes differ more than chance lets them."""

from pathlib import Path

import click

from tessera.cli.options import FILE, FOLDER
from tessera.errors import refuse


@click.command(name="compare-nodes")
@click.argument("summaries", type=FOLDER, nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, help="The list, a TSV; an older one is replaced.")
def command(summaries: tuple[Path, ...], out: Path) -> None:
    """List the variants in which SUMMARIES, one of each node, differ more than chance lets them (node_discordant).

    Allele counts and call rates are tested over the strata (population and sex) that nodes share, each variant by a
    Cochran-Mantel-Haenszel test. Listed is what is significant at 0.05 over all tests (Bonferroni); of call rates, what
    is 0.1 apart, too. A node that calls otherwise than the rest shows in many variants at once.
    """
    from tessera.federation.discordance import Comparison, Node
    from tessera.files.summary_sums import comparable, contig_parts
    from tessera.files.tables import write_tsv
    from tessera.summary.rules import counted_build

    if len(summaries) < 2:
        raise refuse("tessera compare-nodes", "one summary", "two or more, of different nodes")
    folders = comparable(summaries)
    nodes = [Node(folder.name, dict(folder.manifest.people)) for folder in folders]
    comparison = Comparison(nodes, counted_build(folders[0].manifest.rules))
    for contig, variants, tracks in contig_parts(folders):
        comparison.take(contig, variants, tracks)
    found = comparison.discordant()
    write_tsv(out, found)
    click.echo(
        f"{out}: {len(found):,} of {comparison.variants:,} variants are discordant; {comparison.tests:,} tests, "
        f"significant from p = {comparison.threshold:.2g}"
    )
