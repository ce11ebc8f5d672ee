"""`tessera count`: a cohort file or one gVCF, to a summary."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import (
    FILE,
    FOLDER,
    alignment_metrics_option,
    build_option,
    callable_option,
    cluster_option,
    mask_option,
    max_memory_option,
    sample_option,
    samples_option,
    variant_metrics_option,
    workers_of,
    workers_option,
)
from tessera.errors import InputError, refuse

if TYPE_CHECKING:
    from collections import Counter

    import polars as pl

    from tessera.cohort.cluster import Workers
    from tessera.cohort.engine import Engine
    from tessera.cohort.ledger import Ledger
    from tessera.cohort.source import AnBasis
    from tessera.cohort.stretch import CountRules
    from tessera.files.fasta import Reference
    from tessera.files.summaries import SummaryWriter
    from tessera.files.vcf import VariantFile
    from tessera.genome.build import Build
    from tessera.schemas.mask import Mask
    from tessera.summary.blocks import BlockKey
    from tessera.summary.people import Listed, People
    from tessera.summary.qc_sums import QcSums

SECONDS_BETWEEN_REPORTS = 20


@click.command(name="count")
@click.option("--input", "source", type=FILE, required=True, help="Cohort VCF or BCF, or one person's gVCF.")
@samples_option
@sample_option
@click.option("--reference", type=FILE, help="FASTA the file was made on.")
@click.option(
    "--assume-normalised", is_flag=True,
    help="No FASTA at hand: take alleles as written, without REF check and left-alignment; the summary says so.",
)  # fmt: skip
@build_option
@click.option("--decisions", type=FILE, help="Who is counted (tessera gate-samples); else by consent alone.")
@callable_option
@mask_option
@alignment_metrics_option
@variant_metrics_option
@click.option("--sample-counts", "sample_table", type=FILE, help="Also write each person's counts, a private table.")
@click.option(
    "--engine", type=click.Choice(["auto", "kernel", "reference"]), default="auto", show_default=True,
    help="What counts: the compiled kernel, or plain numpy; the counts are the same.",
)  # fmt: skip
@workers_option
@max_memory_option
@cluster_option
@click.option("--out", type=FOLDER, required=True, help="Folder of the summary; an older summary there is replaced.")
def command(
    source: Path,
    sheet: Path,
    only: tuple[str, ...],
    reference: Path | None,
    assume_normalised: bool,
    build: str,
    decisions: Path | None,
    callable_bed: Path | None,
    mask_text: str,
    alignments: tuple[Path, ...],
    variants: tuple[Path, ...],
    sample_table: Path | None,
    engine: "Engine",
    workers: int,
    max_memory: str | None,
    cluster: str,
    out: Path,
) -> None:
    """Count a cohort file or one gVCF into a summary.

    The summary holds counts per variant, population and sex, the AN track and histograms; no person's record. With
    --alignments and --variants it holds QC sums of those counted as well; a metric that was not measured adds nothing.
    """
    from tessera.cohort.source import manifest_of
    from tessera.files.builds import read_build
    from tessera.files.paths import refuse_unlike_files
    from tessera.files.provenance import write_provenance
    from tessera.files.summaries import new_summary
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask
    from tessera.summary.rules import counting_rules

    if assume_normalised == (reference is not None):
        raise refuse("tessera count", "both or none of --reference and --assume-normalised", "one of them")
    mask = parse_mask(mask_text)
    # first of all: in an srun, the other tasks must not do what follows
    processes = click.get_current_context().with_resource(workers_of(cluster, workers, max_memory, out))
    refuse_unlike_files({
        "a VCF (plain or BGZF) or BCF": source, "a sheet of samples (TSV)": sheet, "a reference FASTA": reference,
        "a table of decisions (tessera gate-samples)": decisions, "a BED of callable regions": callable_bed,
    })  # fmt: skip
    file = VariantFile(source, genotypes_only=mask.genotypes_only)
    listed = _people(sheet, file, only, decisions)
    qc_sums = _qc_sums(sheet, listed.counted, alignments, variants)
    how, basis, fasta = rules_for(file, read_build(build), reference, mask, callable_bed)
    sequences = fasta.sequences(how.build) if fasta else None
    rules = counting_rules(how.build, sequences=sequences, mask=how.mask.thresholds)
    with new_summary(out) as writer:
        ledger, ran = count_into(writer, file, listed.counted, how, engine, processes)
        writer.finish(manifest_of(rules, listed, basis, ledger.entries), qc_sums=qc_sums)
    if sample_table:
        _write_sample_counts(sample_table, listed.counted, file.samples, ledger)
    arguments = {
        "input": source, "samples": sheet, "sample": " ".join(only), "reference": reference,
        "assume_normalised": assume_normalised, "build": build, "decisions": decisions, "callable": callable_bed,
        "mask": mask_text, "engine": ran,
        "alignments": " ".join(map(str, alignments)), "variants": " ".join(map(str, variants)),
    }  # fmt: skip
    write_provenance(out, "count", arguments, {"records": ledger.records, "bases": ledger.bases})
    said = (
        f"{listed.n_counted:,} of {len(listed.names):,} people counted; bases without a record: {basis}; engine: {ran}"
    )
    click.echo(f"{out}: {said}", err=True)


def rules_for(
    file: "VariantFile", build: "Build", reference: Path | None, mask: "Mask", callable_bed: Path | None
) -> tuple["CountRules", "AnBasis", "Reference | None"]:
    """How a file is counted on a build: in its contig naming, by the thresholds its fields can answer; what its bases
    without a record mean; and the reference, opened. Raises InputError where they do not fit each other.
    """
    from tessera.cohort.source import an_basis, fitting_build
    from tessera.cohort.stretch import CountRules
    from tessera.files.bed import read_bed
    from tessera.files.fasta import Reference

    fasta = Reference(reference) if reference else None
    fitted = fitting_build(file, build, fasta)
    basis = an_basis(file, has_callable=callable_bed is not None)
    spans = read_bed(callable_bed, {c.name: c.length for c in fitted.contigs}) if callable_bed else {}
    applied = mask.for_fields(file.formats)
    bases, letters = (fasta.bases, fasta.letters) if fasta else (None, None)
    how = CountRules(fitted, applied, bases, spans, unknown_outside=basis == "variant_only", letters=letters)
    return how, basis, fasta


def count_into(
    writer: "SummaryWriter",
    file: "VariantFile",
    people: "People",
    how: "CountRules",
    engine: "Engine",
    workers: "Workers",
) -> tuple["Ledger", str]:
    """Count people (in the file's order); gives the ledger, and what counted, in words. The writer is left to be
    finished."""
    from tessera.cohort.ledger import Ledger
    from tessera.cohort.shards import count_file

    ledger, progress, ran = Ledger(), _Progress(), "none"
    with _naming(file.path):
        if people.names:
            with count_file(file, people, how, ledger, engine, workers) as (blocks, ran):
                for key, block in blocks:
                    writer.write(key, block)
                    progress.tell(key, ledger)
                    del block  # before the next one is made
        _tell_left_out(ledger.records)
    return ledger, ran


def _tell_left_out(records: "Counter[str]") -> None:
    """Say how many records lie on contigs that the build does not name; refuse when all do."""
    left_out, read = records["dropped:contig_not_counted"], records["read"]
    if left_out and left_out == read:
        raise refuse(
            "records", f"all {read:,} on contigs that the build does not name", "records on the build's contigs",
            "Give the build that the file was made on (--build).",
        )  # fmt: skip
    if left_out:
        click.echo(f"{left_out:,} of {read:,} records lie on contigs that the build does not name", err=True)


def _write_sample_counts(path: Path, people: "People", samples: list[str], ledger: "Ledger") -> None:
    from tessera.cohort.engine import members_of
    from tessera.cohort.sample_counts import sample_counts
    from tessera.files.tables import write_tsv

    write_tsv(path, sample_counts(people, members_of(samples, people), ledger.tallies))


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Say of which file a problem is: the count knows records, not files."""
    try:
        yield
    except InputError as error:
        named = [p if str(file) in p.where else replace(p, where=f"{file} {p.where}") for p in error.problems]
        raise InputError(named) from error


def _people(sheet: Path, file: "VariantFile", only: tuple[str, ...], decisions: Path | None) -> "Listed":
    """The file's people, in its order."""
    from tessera.files.plain_sheet import read_plain_sheet
    from tessera.summary.people import Listed

    if not only and not decisions and (plain := read_plain_sheet(sheet, file.path, file.samples)):
        return plain
    from tessera.files.input_samples import read_people

    return Listed.of_frame(with_reasons(read_people(sheet, file.path, file.samples, only), decisions, str(file.path)))


def _qc_sums(sheet: Path, people: "People", alignments: tuple[Path, ...], variants: tuple[Path, ...]) -> "QcSums":
    if not alignments and not variants:
        return {}
    from tessera.files.metrics import read_scaled
    from tessera.summary.qc_sums import sum_people

    measured = read_scaled(sheet, people.names, alignments, variants)
    return sum_people((stratum, measured[name]) for name, stratum in zip(people.names, people.strata, strict=True))


def with_reasons(people: "pl.DataFrame", decisions: Path | None, of: str) -> "pl.DataFrame":
    """People with the reason why each is not counted (empty: counted): by decisions on everybody, else by consent."""
    import polars as pl

    from tessera.files.decisions import read_decisions
    from tessera.schemas.consent import consent_reason

    if decisions is None:
        return people.with_columns(consent_reason())
    decided = read_decisions(decisions).select("sample", "reason")
    joined = people.join(decided, on="sample", how="left", maintain_order="left")
    undecided = joined.filter(pl.col("reason").is_null())["sample"].to_list()
    if undecided:
        raise refuse(
            str(decisions), f"nothing about {', '.join(undecided[:10])}", f"a decision on every sample of {of}",
            "Run tessera gate-samples again.",
        )  # fmt: skip
    return joined


class _Progress:
    """Says on stderr how far the count is, once in a while."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def tell(self, key: "BlockKey", ledger: "Ledger") -> None:
        now = time.monotonic()
        if now - self._said >= SECONDS_BETWEEN_REPORTS:
            self._said = now
            click.echo(f"{key.contig}:{key.end:,} reached, {ledger.records['read']:,} records read", err=True)
