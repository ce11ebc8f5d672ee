"""`tessera merge`: the sum of summaries."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, FOLDER
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.summary.manifest import Manifest


@click.command(name="merge")
@click.argument("summaries", type=FOLDER, nargs=-1)
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Contigs added side by side.")
@click.option("--build", help="Of a sum of nobody: GRCh38, GRCh37, or a build file (YAML).")
@click.option("--reference", type=FILE, help="Of a sum of nobody: FASTA; without it alleles are taken as written.")
@click.option("--mask", "mask_text", help="Of a sum of nobody: as for tessera count; adj without it.")
@click.option("--check", is_flag=True, help="Only say whether they add up, what is converted and what to note.")
@click.option("--out", type=FOLDER, help="Folder of the sum; an older summary there is replaced.")
def command(
    summaries: tuple[Path, ...],
    workers: int,
    build: str | None,
    reference: Path | None,
    mask_text: str | None,
    check: bool,
    out: Path | None,
) -> None:
    """Add SUMMARIES: exactly what counting all their people together gives, in any order.

    Summaries that were counted by different rules are refused, with every rule that differs, and so is a node that is
    in two of them. Contigs spelt otherwise (1 and chr1) are joined where the digests of their sequences agree. The sum
    of none is the empty summary; its rules are those of --build, --reference and --mask.
    """
    from tessera.files.summaries import new_summary
    from tessera.files.summary_sums import merge_summaries, refuse_unlike

    if summaries and (build or reference or mask_text):
        raise refuse(
            "tessera merge",
            "summaries, and rules beside them",
            "their own rules: leave --build, --reference and --mask out",
        )
    if check == (out is not None):
        raise refuse("tessera merge", "both or none of --out and --check", "one of them")
    if summaries:
        found = merge_summaries(summaries, out, workers) if out is not None else refuse_unlike(summaries, None)
        for sentence in (*found.converted, *found.noted):
            click.echo(sentence, err=True)
        return
    if build is None:
        raise refuse("tessera merge", "no summaries and no --build", "summaries, or the rules of an empty sum")
    if out is None:
        raise refuse("tessera merge", "no summaries", "summaries to check")
    empty = _empty(build, reference, mask_text or "adj")
    with new_summary(out) as writer:
        writer.finish(empty)


def _empty(build_name: str, reference: Path | None, mask_text: str) -> "Manifest":
    """The manifest of nobody, by the rules by which people of this configuration are counted."""
    from tessera.files.builds import read_build
    from tessera.files.fasta import Reference
    from tessera.schemas.mask import parse_mask
    from tessera.summary.manifest import Manifest
    from tessera.summary.rules import counting_rules

    build, sequences = read_build(build_name), None
    if reference:
        fasta = Reference(reference)
        build = fasta.spelling(build)
        sequences = fasta.sequences(build)
    return Manifest(counting_rules(build, sequences=sequences, mask=parse_mask(mask_text).thresholds))
