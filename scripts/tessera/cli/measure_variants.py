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
    import polars as pl

    from tessera.cohort.cluster import Workers
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
    standard, version 1, names, under FILTER alone. `--copies` is what tessera find-relatives compares.
    """
    from tessera.cohort.cluster import Workers
    from tessera.cohort.source import fitting_build
    from tessera.files.builds import read_build
    from tessera.files.fasta import Reference
    from tessera.files.marker_copies import write_marker_copies
    from tessera.files.marker_panel import read_markers
    from tessera.files.paths import refuse_unlike_files
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask

    if (markers is None) is not (copies is None):
        raise refuse("--copies", "--markers and --copies, one without the other", "both, or none")
    refuse_unlike_files({
        "a VCF (plain or BGZF) or BCF": source, "a sheet of samples (TSV)": sheet, "a reference FASTA": reference,
    })  # fmt: skip
    asked = parse_mask(mask_text)
    processes, file = Workers(workers, max_memory), VariantFile(source, genotypes_only=asked.genotypes_only)
    fasta = Reference(reference) if reference else None
    how = (fitting_build(file, read_build(build), fasta), asked.for_fields(file.formats))
    people = _people(sheet, file, only)
    panel = read_markers(markers) if markers else None
    if people.names and file.is_gvcf():
        table, doses = _of_gvcf(file, people, *how, fasta, panel)
    else:
        table, doses = _of_cohort(file, people, *how, processes, panel)
    if copies and doses is not None:
        write_marker_copies(copies, people.names, doses)
    _write(out, table)


def _people(sheet: Path, file: "VariantFile", only: tuple[str, ...]) -> "People":
    """Those to be measured: everybody of the file whom the sheet lists, but who has withdrawn."""
    import polars as pl

    from tessera.files.input_samples import read_people
    from tessera.summary.people import People

    rows = read_people(sheet, file.path, file.samples, only).filter(~pl.col("withdrawn"))
    return People(tuple(rows["sample"]), tuple(rows["sex"]), tuple(rows["stratum"]))


def _of_gvcf(
    file: "VariantFile",
    people: "People",
    build: "Build",
    mask: "Mask",
    fasta: "Reference | None",
    panel: "Markers | None",
) -> tuple["pl.DataFrame", "Doses | None"]:
    """The metrics of the one person of a gVCF, and what the person has at the markers."""
    from tessera.cohort.call_metrics import measure_alone, measure_gvcf
    from tessera.cohort.engine import reader_of
    from tessera.cohort.relatives import CountedMarkers

    if len(people.names) > 1:
        raise refuse(str(file.path), f"a gVCF of {len(people.names)} samples", "a gVCF of one sample",
                     "Split it: bcftools view -s SAMPLE.")  # fmt: skip
    markers = CountedMarkers(panel.spelt_like(file.contig_lengths)) if panel else None
    reader, _ = reader_of(file, people)
    table = measure_gvcf(reader, people, build, mask, _callable_bases(build, fasta), markers)
    return table.hstack(measure_alone(file, people, build)), markers.doses[None] if markers else None


def _of_cohort(
    file: "VariantFile",
    people: "People",
    build: "Build",
    mask: "Mask",
    workers: "Workers",
    panel: "Markers | None",
) -> tuple["pl.DataFrame", "Doses | None"]:
    """The metrics of the people of a cohort VCF, one row each, and what they have at the markers."""
    import polars as pl

    from tessera.cohort.call_metrics import measure_cohort
    from tessera.cohort.relatives import marker_doses

    table = measure_cohort(file, people, build, mask, workers) if people.names else pl.DataFrame()
    if panel is None:
        return table, None
    sites = panel.spelt_like(file.contig_lengths)
    return table, marker_doses(file.records_over(people.names, sites), len(people.names), sites, mask)


def _write(path: Path, table: "pl.DataFrame") -> None:
    """Write what was measured; all other columns are empty."""
    import polars as pl

    from tessera.files.tables import write_tsv
    from tessera.schemas.variant_metrics import VARIANT_METRICS

    write_tsv(path, pl.concat([pl.DataFrame(schema=VARIANT_METRICS.schema), table], how="diagonal"))


def _callable_bases(build: "Build", fasta: "Reference | None") -> dict[str, int]:
    """Contig -> its bases, without N where the sequence is at hand."""
    if fasta is None:
        return {contig.name: contig.length for contig in build.contigs}
    return {contig.name: fasta.known_bases(contig.name) for contig in build.contigs if contig.name in fasta.lengths}
