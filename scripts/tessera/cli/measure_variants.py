"""`tessera measure-variants`: what the calls of each person of a gVCF or cohort VCF are worth."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import (
    FILE,
    build_option,
    mask_option,
    max_memory_option,
    sample_option,
    samples_option,
    workers_option,
)
from tessera.errors import refuse

if TYPE_CHECKING:
    from tessera.cohort.relatives import Doses
    from tessera.files.fasta import Reference
    from tessera.files.marker_panel import Markers
    from tessera.files.vcf import VariantFile
    from tessera.genome.build import Build
    from tessera.schemas.mask import Mask
    from tessera.summary.people import People


@click.command(name="measure-variants")
@click.option("--input", "source", type=FILE, required=True, help="Cohort VCF or BCF, or one person's gVCF.")
@samples_option
@sample_option
@click.option("--reference", type=FILE, help="FASTA; without it the call rate of a gVCF counts N bases as not called.")
@build_option
@mask_option
@workers_option
@max_memory_option
@click.option("--markers", type=FILE, help="Common SNVs far apart (BED: contig, start, end, REF, ALT), for --copies.")
@click.option("--copies", type=FILE, help="Also write what each person has at the markers (private).")
@click.option("--out", type=FILE, required=True, help="Table with one row a person (private).")
def command(
    source: Path,
    sheet: Path,
    only: tuple[str, ...],
    reference: Path | None,
    build: str,
    mask_text: str,
    workers: int,
    max_memory: str | None,
    markers: Path | None,
    copies: Path | None,
    out: Path,
) -> None:
    """Measure each person's calls on the autosomes.

    Call rate and het/hom ratio under the mask of the count; and the seven metrics that the GA4GH WGS Quality Control
    standard, version 1, names, under FILTER alone, where the file is one person's. `--copies` is what
    tessera find-relatives compares.
    """
    import polars as pl

    from tessera.cohort.call_metrics import measure_cohort, measure_gvcf
    from tessera.cohort.cluster import Workers
    from tessera.cohort.engine import reader_of
    from tessera.cohort.relatives import CountedMarkers
    from tessera.cohort.source import fitting_build
    from tessera.files.builds import read_build
    from tessera.files.fasta import Reference
    from tessera.files.input_samples import read_people
    from tessera.files.marker_copies import write_marker_copies
    from tessera.files.marker_panel import read_markers
    from tessera.files.paths import refuse_unlike_files
    from tessera.files.tables import write_tsv
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask
    from tessera.schemas.variant_metrics import VARIANT_METRICS
    from tessera.summary.people import People

    if (markers is None) is not (copies is None):
        raise refuse("--copies", "--markers and --copies, one without the other", "both, or none")
    refuse_unlike_files({
        "a VCF (plain or BGZF) or BCF": source, "a sheet of samples (TSV)": sheet, "a reference FASTA": reference,
    })  # fmt: skip
    asked = parse_mask(mask_text)
    processes, file = Workers(workers, max_memory), VariantFile(source, genotypes_only=asked.genotypes_only)
    fasta = Reference(reference) if reference else None
    fitted = fitting_build(file, read_build(build), fasta)
    mask = asked.for_fields(file.formats)
    rows = read_people(sheet, source, file.samples, only).filter(~pl.col("withdrawn"))
    people = People(tuple(rows["sample"]), tuple(rows["sex"]), tuple(rows["stratum"]))
    panel = read_markers(markers) if markers else None
    counted = CountedMarkers(panel.spelt_like(file.contig_lengths)) if panel else None
    if not people.names:
        table = pl.DataFrame(schema={"sample": pl.String, "call_rate": pl.Float64, "het_hom_ratio": pl.Float64})
    elif not file.is_gvcf():
        table = measure_cohort(file, people, fitted, mask, processes)
    elif len(people.names) == 1:
        table = measure_gvcf(reader_of(file, people)[0], people, fitted, mask, _callable_bases(fitted, fasta), counted)
    else:
        raise refuse(str(source), f"a gVCF of {len(people.names)} samples", "a gVCF of one sample",
                     "Split it: bcftools view -s SAMPLE.")  # fmt: skip
    if panel and counted and copies:
        of_one = file.is_gvcf() and people.names
        write_marker_copies(copies, people.names, counted.doses[None] if of_one else _copies(file, people, panel, mask))
    alone = len(people.names) == len(file.samples) == 1
    standard = _standard_metrics(file, people, fitted) if alone else {}
    own = VARIANT_METRICS.schema
    others = {name: standard.get(name) for name in own if name not in table.columns}
    write_tsv(out, table.with_columns(pl.lit(value, own[name]).alias(name) for name, value in others.items()).cast(own))


def _copies(file: "VariantFile", people: "People", panel: "Markers", mask: "Mask") -> "Doses":
    """What the people of a cohort file have at the markers."""
    from tessera.cohort.relatives import marker_doses

    sites = panel.spelt_like(file.contig_lengths)
    return marker_doses(file.records_over(people.names, sites), len(people.names), sites, mask)


def _standard_metrics(file: "VariantFile", person: "People", build: "Build") -> dict[str, float | None]:
    """Heterozygosity of X, and the metrics of the standard, of the one person of a file."""
    from tessera.variants.metrics import VariantTally, tallied, x_heterozygosity

    tally = VariantTally.of(1)
    for _ in tallied(file.variant_records(person.names), build, tally):
        pass
    return {"x_heterozygosity": x_heterozygosity(tally, 0), **tally.metrics(0)}


def _callable_bases(build: "Build", fasta: "Reference | None") -> dict[str, int]:
    """Contig -> its bases, without N where the sequence is at hand."""
    if fasta is None:
        return {contig.name: contig.length for contig in build.contigs}
    return {contig.name: fasta.known_bases(contig.name) for contig in build.contigs if contig.name in fasta.lengths}
