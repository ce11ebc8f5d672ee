"""`tessera check`: what is wrong with a configuration, its sheets and what came aligned, before a job runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE
from tessera.errors import InputError, Problem, refuse

if TYPE_CHECKING:
    from tessera.files.run import Run


@click.command("check")
@click.option(
    "--config",
    "configs",
    type=FILE,
    multiple=True,
    help="Configuration (YAML); given again, the later file wins key by key.",
)
@click.option("--alignments", type=FILE, help="Instead of a configuration: one BAM or CRAM that came aligned.")
@click.option("--sample", help="With --alignments: whose reads they are.")
@click.option("--reference", type=FILE, help="With --alignments: indexed FASTA they must be on.")
@click.option("--build", help="With --alignments: GRCh38, GRCh37, or a build file (YAML).")
def command(
    configs: tuple[Path, ...], alignments: Path | None, sample: str | None, reference: Path | None, build: str | None
) -> None:
    """Check a configuration, its sample sheets and BAM and CRAM headers; list every problem, or count the samples."""
    if configs and not (alignments or sample or reference or build):
        _check_configuration(configs)
    elif alignments and sample and reference and build and not configs:
        _check_alignments(alignments, sample, reference, build)
    else:
        expected = "--config, or all of --alignments, --sample, --reference and --build"
        raise refuse("tessera check", "other options", expected)


def _check_configuration(configs: tuple[Path, ...]) -> None:
    from tessera.files.config import merge_documents
    from tessera.files.run import check_run

    run = check_run(merge_documents(configs), where=", ".join(map(str, configs)))
    problems = _problems_of_alignments(run)
    if problems:
        raise InputError(problems)
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


def _problems_of_alignments(run: "Run") -> list[Problem]:
    """What headers tell of BAM and CRAM; bases are compared where the reference has an index already."""
    from tessera.files.alignments import AlignmentChecks, is_indexed

    came = [(node, sample) for node in run.nodes for sample in run.node[node].of_kind("bam", "cram")]
    if not came or run.config.reference is None:
        return []
    fasta = run.config.reference
    try:
        checks = AlignmentChecks(run.build, fasta if is_indexed(fasta) else None)
    except InputError as error:
        return error.problems
    problems: list[Problem] = []
    for node, sample in came:
        try:
            checks.check(Path(run.file(node, sample)), sample)
        except InputError as error:
            problems += error.problems
    return problems


def _check_alignments(alignments: Path, sample: str, reference: Path, build: str) -> None:
    from tessera.files.alignments import AlignmentChecks
    from tessera.files.builds import read_build

    others = AlignmentChecks(read_build(build), reference).check(alignments, sample)
    click.echo(f"reads of {sample}, on the contigs of {reference} that {build} counts: ok")
    if others:
        number = f"{len(others)} {_plural('contig', len(others))}"
        click.echo(f"{number} not counted, and not compared with the reference: {', '.join(others)}")


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"
