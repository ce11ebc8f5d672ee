"""`tessera check`: everything that is wrong with a configuration and its sample sheets, before a job runs."""

from pathlib import Path

import click


@click.command("check")
@click.option(
    "--config",
    "configs",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Configuration (YAML); given again, the later file wins key by key.",
)
def command(configs: tuple[Path, ...]) -> None:
    """Check a configuration and its sample sheets; list every problem, or say how many samples there are."""
    from tessera.files.config import merge_documents
    from tessera.files.run import check_run

    run = check_run(merge_documents(configs), where=", ".join(map(str, configs)))
    kinds = ("fastq", "bam", "cram", "gvcf", "vcf")
    rows: list[tuple[str, ...]] = [("node", "samples", *kinds, "withdrawn")]
    for node in run.nodes:
        counts = [len(run.samples(node)), *(len(run.node[node].of_kind(kind)) for kind in kinds)]
        rows.append((node, *map(str, counts), str(len(run.withdrawn(node)))))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *cells in rows:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        click.echo("  ".join([name.ljust(widths[0]), *numbers]))
    total = sum(len(run.samples(node)) for node in run.nodes)
    click.echo(f"{len(run.nodes)} {_plural('node', len(run.nodes))}, {total} {_plural('sample', total)}: ok")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
