"""`tessera count`: a cohort file or one gVCF, to a summary."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import (
    FILE,
    FOLDER,
    build_option,
    callable_option,
    mask_option,
    sample_option,
    samples_option,
)
from tessera.errors import InputError, refuse

if TYPE_CHECKING:
    from collections import Counter

    import polars as pl

    from tessera.cohort.count import Ledger
    from tessera.cohort.engine import Engine
    from tessera.summary.blocks import BlockKey
    from tessera.summary.manifest import Manifest
    from tessera.summary.people import People

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
@click.option("--sample-counts", "sample_table", type=FILE, help="Also write each person's counts, a private table.")
@click.option(
    "--engine", type=click.Choice(["auto", "kernel", "reference"]), default="auto", show_default=True,
    help="What counts: the compiled kernel, or plain numpy; the counts are the same.",
)  # fmt: skip
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
    sample_table: Path | None,
    engine: "Engine",
    out: Path,
) -> None:
    """Count a cohort file or one gVCF into a summary.

    The summary holds counts per variant, population and sex, the AN track and histograms; no person's record.
    """
    from tessera.cohort.count import CountRules, Ledger, count_sites
    from tessera.cohort.engine import reader_of
    from tessera.cohort.source import an_basis, fitting_build
    from tessera.files.bed import read_bed
    from tessera.files.builds import read_build
    from tessera.files.fasta import Reference
    from tessera.files.provenance import write_provenance
    from tessera.files.summaries import new_summary
    from tessera.files.vcf import VariantFile
    from tessera.schemas.mask import parse_mask
    from tessera.summary.people import People
    from tessera.summary.rules import counting_rules

    if assume_normalised == (reference is not None):
        raise refuse("tessera count", "both or none of --reference and --assume-normalised", "one of them")
    mask = parse_mask(mask_text)
    file = VariantFile(source)
    fasta = Reference(reference) if reference else None
    fitted = fitting_build(file, read_build(build), fasta)
    rows = _people(sheet, file.path, file.samples, only, decisions)
    basis = an_basis(file, has_callable=callable_bed is not None)
    spans = read_bed(callable_bed, {c.name: c.length for c in fitted.contigs}) if callable_bed else {}
    applied = mask.for_fields(file.formats)
    seqcol = fasta.seqcol(fitted) if fasta else None
    how = CountRules(fitted, applied, fasta.bases if fasta else None, spans, unknown_outside=basis == "variant_only")
    counted = rows.filter(reason="")
    people = People(tuple(counted["sample"]), tuple(counted["sex"]), tuple(counted["stratum"]))
    ledger, progress, ran = Ledger(), _Progress(), "none"
    with _naming(source), new_summary(out) as writer:
        if people.names:
            reader, ran = reader_of(file, people, engine)
            for key, block in count_sites(reader, people, how, ledger):
                writer.write(key, block)
                progress.tell(key, ledger)
        _tell_left_out(ledger.records)
        rules = counting_rules(fitted, seqcol=seqcol, mask=asdict(applied))
        writer.finish(_manifest(rules, rows, basis, ledger))
    if sample_table:
        _write_sample_counts(sample_table, people, file.samples, ledger)
    arguments = {
        "input": source, "samples": sheet, "sample": " ".join(only), "reference": reference,
        "assume_normalised": assume_normalised, "build": build, "decisions": decisions, "callable": callable_bed,
        "mask": mask_text, "engine": ran,
    }  # fmt: skip
    write_provenance(out, "count", arguments, ledger.records)
    said = f"{len(counted):,} of {len(rows):,} people counted; bases without a record: {basis}; engine: {ran}"
    click.echo(f"{out}: {said}", err=True)


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


def _people(
    sheet: Path, file: Path, file_samples: list[str], only: tuple[str, ...], decisions: Path | None
) -> "pl.DataFrame":
    """The file's people with the reason why each is not counted (empty: counted)."""
    import polars as pl

    from tessera.files.decisions import read_decisions
    from tessera.files.input_samples import read_people
    from tessera.schemas.consent import consent_reason

    people = read_people(sheet, file, file_samples, only)
    if decisions is None:
        return people.with_columns(consent_reason())
    decided = read_decisions(decisions).select("sample", "reason")
    joined = people.join(decided, on="sample", how="left", maintain_order="left")
    undecided = joined.filter(pl.col("reason").is_null())["sample"].to_list()
    if undecided:
        raise refuse(
            str(decisions), f"nothing about {', '.join(undecided[:10])}", f"a decision on every sample of {file}",
            "Run tessera gate-samples again.",
        )  # fmt: skip
    return joined


def _manifest(rules: dict[str, object], rows: "pl.DataFrame", basis: str, ledger: "Ledger") -> "Manifest":
    from tessera.summary.manifest import Manifest

    counted = rows.filter(reason="")
    return Manifest(
        rules=rules,
        people=_tally(counted["stratum"]),
        an_basis={basis: len(counted)} if len(counted) else {},
        consent=_tally(counted["consent"].fill_null("not stated")),
        not_counted=_tally(rows["reason"].replace("", None).drop_nulls()),
        # a zero is not stored, so that a sum minus its other parts is this summary again
        ledger={name: n for name, n in sorted(ledger.entries.items()) if n},
    )


def _tally(values: "pl.Series") -> dict[str, int]:
    return dict(sorted(values.value_counts().iter_rows()))


class _Progress:
    """Says on stderr how far the count is, once in a while."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def tell(self, key: "BlockKey", ledger: "Ledger") -> None:
        now = time.monotonic()
        if now - self._said >= SECONDS_BETWEEN_REPORTS:
            self._said = now
            click.echo(f"{key.contig}:{key.end:,} reached, {ledger.records['read']:,} records read", err=True)
