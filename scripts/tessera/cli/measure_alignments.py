"""`tessera measure-alignments`: samtools stats and depth of one sample in, its metrics out."""

from pathlib import Path

import click


@click.command("measure-alignments")
@click.option("--sample", required=True, help="Name of the sample.")
@click.option(
    "--stats",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="Output of samtools stats.",
)
@click.option(
    "--depth",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    required=True,
    help="Output of samtools depth -aa -s -q 20 -Q 20; - reads it from standard input.",
)
@click.option("--reference", type=click.Path(path_type=Path), required=True, help="FASTA the reads are aligned to.")
@click.option("--build", "build_name", required=True, help="GRCh38, GRCh37 or a build file.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Metrics of the sample, JSON.")
def command(sample: str, stats: Path, depth: str, reference: Path, build_name: str, out: Path) -> None:
    """Turn samtools stats and depth of one sample into its metrics.

    Names, definitions and roundings are those of the GA4GH WGS Quality Control standard, version 1. What the
    standard does not name (depth of X, Y and MT, the karyotype seen) stands apart, under "tessera". Bases
    that are N in the reference are not counted.
    """
    from dataclasses import replace

    from tessera.alignments.metrics import count_gaps, measure, parse_stats, tally_depth
    from tessera.files.builds import read_build
    from tessera.files.depth import read_depth
    from tessera.files.fasta import Reference
    from tessera.files.metrics import write_metrics

    fasta = Reference(reference)
    build = read_build(build_name).named_like(fasta.lengths)
    fasta.check_against(build)
    build = replace(build, contigs=tuple(c for c in build.contigs if c.name in fasta.lengths))
    numbers = parse_stats(stats.read_text(encoding="utf-8"), where=str(stats))
    where = "samtools depth on standard input" if depth == "-" else depth
    with click.open_file(depth, "rb") as stream:
        tally = tally_depth(read_depth(stream, where), build, where)
    for kind, gaps in count_gaps(fasta.bases, build).items():
        tally.drop_gaps(kind, gaps)
    write_metrics(out, measure(sample, numbers, tally))
