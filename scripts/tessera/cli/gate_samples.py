"""`tessera gate-samples`: sample sheet, QC policy and measurements in, who is counted out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, samples_option
from tessera.errors import InputError, Problem, all_at_once

if TYPE_CHECKING:
    import polars as pl


@click.command("gate-samples")
@samples_option
@click.option("--sample", "only", multiple=True, help="Decide on this sample only; may be repeated.")
@click.option("--policy", type=FILE, required=True, help="QC policy (YAML).")
@click.option("--consent", multiple=True, required=True, help="DUO code that permits counting; may be repeated.")
@click.option(
    "--alignments",
    type=FILE,
    multiple=True,
    help="Metrics of tessera measure-alignments; may be repeated. A folder stands for the SAMPLE.json of each "
    "sample that the sheet gives reads or alignments for.",
)
@click.option(
    "--variants",
    type=FILE,
    multiple=True,
    help="Metrics of tessera measure-variants; may be repeated. A folder stands for the SAMPLE.tsv of each sample "
    "that the sheet gives a file of its own for.",
)
@click.option("--details", type=FILE, help="Also write what each decision rests on, to this file (TSV).")
@click.option("--out", type=FILE, required=True, help="Decisions: sample, counted, reason (TSV).")
def command(
    sheet: Path,
    only: tuple[str, ...],
    policy: Path,
    consent: tuple[str, ...],
    alignments: tuple[Path, ...],
    variants: tuple[Path, ...],
    details: Path | None,
    out: Path,
) -> None:
    """Decide who is counted, by consent and QC policy, and say why not.

    Both tables are of persons and stay in the node.
    """
    import hashlib

    import polars as pl

    from tessera.cohort.decisions import Measured, decide, decisions
    from tessera.files.config import read_policy
    from tessera.files.metrics import read_alignment_metrics, read_variant_metrics
    from tessera.files.samples import read_samples
    from tessera.files.tables import write_tsv
    from tessera.schemas.consent import check_permitting
    from tessera.schemas.decisions import DETAILS
    from tessera.schemas.samples import CALLED_KINDS, each_person

    with all_at_once() as gathered:
        gathered.problems.extend(check_permitting(consent, where="--consent"))
        with gathered.trying():
            rules = read_policy(policy)
        with gathered.trying():
            people = _chosen(each_person(read_samples(sheet, need_inputs=False)), only, sheet)
    present = people.filter(~pl.col("withdrawn"))
    aligned = present.filter(pl.col("kind").is_in(CALLED_KINDS))["sample"].to_list()
    called = present.filter(pl.col("kind") != "vcf")["sample"].to_list()
    with all_at_once() as gathered:
        with gathered.trying():
            on_alignments = read_alignment_metrics(_files(alignments, aligned, ".json"))
        with gathered.trying():
            on_variants = read_variant_metrics(_files(variants, called, ".tsv"))
    measured = Measured(on_alignments, on_variants)
    judged = decide(people, measured, policy=rules, consent=consent)
    write_tsv(out, decisions(people, judged))
    if details:
        digest = f"sha256:{hashlib.sha256(policy.read_bytes()).hexdigest()}"
        write_tsv(details, judged.with_columns(policy=pl.lit(digest)).select(DETAILS.names))


def _chosen(people: "pl.DataFrame", only: Sequence[str], sheet: Path) -> "pl.DataFrame":
    if not only:
        return people
    unknown = sorted(set(only) - set(people["sample"]))
    if unknown:
        raise InputError([Problem("--sample", name, f"a sample of {sheet}") for name in unknown])
    return people.filter(people["sample"].is_in(list(only)))


def _files(given: Sequence[Path], samples: Sequence[str], suffix: str) -> list[Path]:
    """The given files; a folder stands for the file of each of `samples` in it."""
    from tessera.files.paths import unlike_file

    files: list[Path] = []
    for path in given:
        files += [path / f"{sample}{suffix}" for sample in samples] if path.is_dir() else [path]
    found = {path: unlike_file(path) for path in files}
    problems = [Problem(str(path), what, "metrics of a sample") for path, what in found.items() if what]
    if problems:
        raise InputError(problems)
    return files
