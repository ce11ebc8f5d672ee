"""`tessera measure-alignments`: samtools stats and depth of one sample in, its metrics out."""

from pathlib import Path

import click

from tessera.cli.options import FILE, build_option
from tessera.errors import Problem, all_at_once


@click.command("measure-alignments")
@click.option("--sample", required=True, help="Name of the sample.")
@click.option("--stats", type=FILE, required=True, help="Output of samtools stats -F QCFAIL.")
@click.option(
    "--depth",
    required=True,
    help="Output of samtools depth -aa -s -q 20 -Q 20; - reads it from standard input.",
)
@click.option("--reference", type=FILE, required=True, help="FASTA the reads are aligned to.")
@build_option
@click.option("--alignments", type=FILE, help="The indexed BAM or CRAM itself, for --panel.")
@click.option(
    "--panel", type=FILE, help="Markers for contamination: PANEL.bed, PANEL.mu and PANEL.UD, as VerifyBamID2 has them."
)
@click.option("--out", type=FILE, required=True, help="Metrics of the sample, JSON.")
def command(
    sample: str,
    stats: Path,
    depth: str,
    reference: Path,
    build: str,
    alignments: Path | None,
    panel: Path | None,
    out: Path,
) -> None:
    """Turn samtools stats and depth of one sample, and its reads at markers, into its metrics.

    Names, definitions and roundings are those of the GA4GH WGS Quality Control standard, version 1. What the
    standard does not name (depth of X, Y and MT, the karyotype seen) stands apart, under "tessera". Bases
    that are N in the reference are not counted.
    """
    from dataclasses import replace

    from tessera.alignments.contamination import (
        COMPONENTS,
        LOWEST_QUALITY,
        QUALITIES,
        Frequencies,
        cross_contamination_rate,
    )
    from tessera.alignments.metrics import count_gaps, measure, parse_stats, tally_depth
    from tessera.files.builds import read_build
    from tessera.files.depth import read_depth
    from tessera.files.fasta import Reference
    from tessera.files.marker_panel import marker_bases, read_panel
    from tessera.files.metrics import write_metrics
    from tessera.files.paths import refuse_unlike_file, refuse_unlike_files

    markers, contamination = None, None
    with all_at_once() as gathered:
        if (alignments is None) != (panel is None):
            gathered.problems.append(Problem("--panel and --alignments", "one without the other", "both, or neither"))
        with gathered.trying():
            fasta = Reference(reference)
        with gathered.trying():
            named = read_build(build)
        with gathered.trying():
            refuse_unlike_file(stats, "the output of samtools stats")
            numbers = parse_stats(stats.read_text(encoding="utf-8", errors="replace"), where=str(stats))
        with gathered.trying():
            refuse_unlike_files({"an indexed BAM or CRAM": alignments})
            markers = read_panel(panel, COMPONENTS) if panel else None
        with gathered.trying():
            if depth != "-":
                refuse_unlike_file(Path(depth), "the output of samtools depth, or - for standard input")
    fitted = fasta.spelling(named)
    fitted = replace(fitted, contigs=tuple(c for c in fitted.contigs if c.name in fasta.lengths))
    where = "samtools depth on standard input" if depth == "-" else depth
    with click.open_file(depth, "rb") as stream:
        tally = tally_depth(read_depth(stream, where), fitted, where)
    for kind, gaps in count_gaps(fasta.bases, fitted).items():
        tally.drop_gaps(kind, gaps)
    if markers and alignments:
        bases = marker_bases(alignments, fasta, markers, lowest=LOWEST_QUALITY, qualities=QUALITIES)
        contamination = cross_contamination_rate(bases, Frequencies(markers.mean, markers.loadings))
    write_metrics(out, measure(sample, numbers, tally, contamination))
