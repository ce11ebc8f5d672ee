"""`tessera gate-samples`: sample sheet, QC policy and measurements in, who is counted out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.options import FILE, alignment_metrics_option, samples_option, variant_metrics_option
from tessera.errors import InputError, Problem, all_at_once

if TYPE_CHECKING:
    import polars as pl


@click.command("gate-samples")
@samples_option
@click.option("--sample", "only", multiple=True, help="Decide on this sample only; may be repeated.")
@click.option("--policy", type=FILE, required=True, help="QC policy (YAML).")
@click.option("--consent", multiple=True, required=True, help="DUO code that permits counting; may be repeated.")
@alignment_metrics_option
@variant_metrics_option
@click.option("--relatives", type=FILE, help="Pairs of tessera find-relatives, for a policy on max_kinship.")
@click.option("--details", type=FILE, help="Also write what each decision rests on, to this file (TSV).")
@click.option("--out", type=FILE, required=True, help="Decisions: sample, counted, reason (TSV).")
def command(
    sheet: Path,
    only: tuple[str, ...],
    policy: Path,
    consent: tuple[str, ...],
    alignments: tuple[Path, ...],
    variants: tuple[Path, ...],
    relatives: Path | None,
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
    from tessera.files.metrics import read_measured
    from tessera.files.samples import read_samples
    from tessera.files.tables import read_tsv, write_tsv
    from tessera.schemas.consent import check_permitting
    from tessera.schemas.decisions import DETAILS
    from tessera.schemas.relatives import RELATIVES
    from tessera.schemas.sample_rows import each_person

    with all_at_once() as gathered:
        gathered.problems.extend(check_permitting(consent, where="--consent"))
        with gathered.trying():
            rules = read_policy(policy)
        with gathered.trying():
            people = _chosen(each_person(read_samples(sheet, need_inputs=False)), only, sheet)
    with all_at_once() as gathered:
        with gathered.trying():
            on_alignments, on_calls = read_measured(people, alignments, variants)
        with gathered.trying():
            pairs = read_tsv(relatives, RELATIVES) if relatives else None
    measured = Measured(on_alignments, on_calls, pairs)
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
