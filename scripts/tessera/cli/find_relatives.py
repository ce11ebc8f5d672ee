"""`tessera find-relatives`: a node's gVCFs and cohort VCFs in, pairs of related and repeated people out."""

from pathlib import Path

import click

from tessera.cli.options import FILE, mask_option, samples_option
from tessera.errors import InputError, Problem, all_at_once, refuse


@click.command("find-relatives")
@click.option("--input", "sources", type=FILE, multiple=True, help="gVCF, cohort VCF or BCF; may be repeated.")
@click.option(
    "--copies",
    type=FILE,
    multiple=True,
    help="What tessera measure-variants --copies wrote; may be repeated. A folder stands for the SAMPLE.tsv of each "
    "sample that the sheet gives a file of its own for.",
)
@samples_option
@click.option("--markers", type=FILE, required=True, help="Common SNVs far apart (BED: contig, start, end, REF, ALT).")
@mask_option
@click.option("--out", type=FILE, required=True, help="Table with one row a pair (private).")
def command(
    sources: tuple[Path, ...], copies: tuple[Path, ...], sheet: Path, markers: Path, mask_text: str, out: Path
) -> None:
    """Find people of a node who are related, or there twice, by KING-robust kinship.

    Pairs of the third degree and closer are listed. The .bed of a panel of VerifyBamID2 can be the markers. Withdrawn
    people are left out.
    """
    from collections import Counter

    import numpy as np
    import polars as pl

    from tessera.cohort.relatives import FEWEST_MARKERS, find_relatives, marker_doses
    from tessera.files.input_samples import read_people
    from tessera.files.marker_copies import read_marker_copies
    from tessera.files.marker_panel import read_markers
    from tessera.files.metrics import metric_files
    from tessera.files.samples import read_samples
    from tessera.files.tables import write_tsv
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask
    from tessera.schemas.sample_rows import each_person, measured_alone

    if not sources and not copies:
        raise refuse("tessera find-relatives", "nobody's calls", "--input, --copies or both")
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
    everybody = each_person(read_samples(sheet, need_inputs=False))
    tables = metric_files(copies, measured_alone(everybody)[1], ".tsv")
    gone = everybody.filter(pl.col("withdrawn"))["sample"].to_list()
    drawn, of_drawn = read_marker_copies(tables, len(panel.pos), gone)
    listed = Counter([*drawn, *(name for _, found in opened.values() for name in found)])
    twice = [name for name, times in listed.items() if times > 1]
    if twice:
        raise InputError(
            [Problem(f"sample {name}", "in two files", "in one --input or --copies") for name in sorted(twice)]
        )
    parts = [of_drawn]
    for file, names in opened.values():
        sites = panel.spelt_like(file.contig_lengths)
        records = file.records_over(names, sites)
        parts.append(marker_doses(records, len(names), sites, mask.for_fields(file.formats)))
    names = [*drawn, *(name for _, found in opened.values() for name in found)]
    table, untold = find_relatives(names, np.concatenate(parts))
    if untold:
        click.echo(f"{untold:,} pairs share fewer than {FEWEST_MARKERS} markers, and are not told", err=True)
    write_tsv(out, table)
