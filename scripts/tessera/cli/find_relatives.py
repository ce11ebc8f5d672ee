"""`tessera find-relatives`: a node's gVCFs and cohort VCFs in, pairs of related and repeated people out."""

from pathlib import Path

import click

from tessera.cli.options import FILE, mask_option, samples_option
from tessera.errors import InputError, Problem, all_at_once


@click.command("find-relatives")
@click.option(
    "--input", "sources", type=FILE, multiple=True, required=True, help="gVCF, cohort VCF or BCF; may be repeated."
)
@samples_option
@click.option("--markers", type=FILE, required=True, help="Common SNVs far apart (BED: contig, start, end, REF, ALT).")
@mask_option
@click.option("--out", type=FILE, required=True, help="Table with one row a pair (private).")
def command(sources: tuple[Path, ...], sheet: Path, markers: Path, mask_text: str, out: Path) -> None:
    """Find people of a node who are related, or there twice, by KING-robust kinship.

    Pairs of the third degree and closer are listed. The .bed of a panel of VerifyBamID2 can be the markers. Withdrawn
    people are left out.
    """
    from collections import Counter

    import numpy as np
    import polars as pl

    from tessera.cohort.relatives import FEWEST_MARKERS, find_relatives, marker_doses
    from tessera.files.input_samples import read_people
    from tessera.files.marker_panel import read_markers
    from tessera.files.tables import write_tsv
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask

    opened = {}
    with all_at_once() as gathered:
        with gathered.trying():
            mask = parse_mask(mask_text)
        with gathered.trying():
            panel = read_markers(markers)
        for source in sources:
            with gathered.trying():
                file = VariantFile(source)
                people = read_people(sheet, source, file.samples).filter(~pl.col("withdrawn"))
                opened[source] = (file, list(people["sample"]))
    twice = [name for name, times in Counter(n for _, found in opened.values() for n in found).items() if times > 1]
    if twice:
        raise InputError([Problem(f"sample {name}", "in two files", "in one --input") for name in sorted(twice)])
    parts = []
    for file, names in opened.values():
        sites = panel.spelt_like(file.contig_lengths)
        records = file.records_over(names, sites)
        parts.append(marker_doses(records, len(names), sites, mask.for_fields(file.formats)))
    names = [name for _, found in opened.values() for name in found]
    table, untold = find_relatives(names, np.concatenate(parts))
    if untold:
        click.echo(f"{untold:,} pairs share fewer than {FEWEST_MARKERS} markers, and are not told", err=True)
    write_tsv(out, table)
