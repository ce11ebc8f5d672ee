"""`tessera cohort add`: new people, counted once, into a partial summary of their own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.cohort.counting import Task, check_tasks, count_tasks, now, settings_of
from tessera.cli.options import (
    FILE,
    alignment_metrics_option,
    callable_option,
    cohort_argument,
    sample_option,
    samples_option,
    side_by_side_option,
    variant_metrics_option,
)
from tessera.errors import InputError, Problem, refuse

if TYPE_CHECKING:
    import polars as pl

    from tessera.cohort.members import History
    from tessera.files.cohort_folder import CohortFolder


@dataclass(frozen=True)
class Batch:
    """Who comes in: tasks, and of each whether its file holds nobody else and what the ledger records of the file."""

    tasks: Sequence[Task]
    personal: Sequence[bool]
    sources: Sequence[Mapping[str, Any]]


@click.command(name="add")
@cohort_argument
@samples_option
@sample_option
@click.option("--input", "source", type=FILE, help="File that holds them all; else the gvcf or vcf cell of each.")
@click.option("--decisions", type=FILE, help="Who is counted (tessera gate-samples); else by consent alone.")
@callable_option
@alignment_metrics_option
@variant_metrics_option
@click.option(
    "--reconsented", multiple=True, metavar="SAMPLE",
    help="Person who had withdrawn and has consented again; may be repeated.",
)  # fmt: skip
@side_by_side_option
def command(
    cohort: Path,
    sheet: Path,
    only: tuple[str, ...],
    source: Path | None,
    decisions: Path | None,
    callable_bed: Path | None,
    alignments: tuple[Path, ...],
    variants: tuple[Path, ...],
    reconsented: tuple[str, ...],
    workers: int,
) -> None:
    """Count the new people of a sheet into COHORT; nobody else is read again.

    A cohort VCF may hold more people than the sheet lists. People who are in, or have withdrawn, are refused. What was
    measured of people (--alignments, --variants) goes into the ledger, and into QC sums.
    """
    from tessera.cohort.members import replay
    from tessera.files.atomic import directory_beside
    from tessera.files.cohort_folder import opened_cohort
    from tessera.files.metrics import read_scaled
    from tessera.files.recorded import unchanged

    with opened_cohort(cohort, to_change=True) as folder:
        history = replay(folder.ledger.lines, str(folder.ledger.path))
        people = _newcomers(history, cohort, sheet, only, source, decisions, reconsented)
        settings = settings_of(folder)
        measured = read_scaled(sheet, people.filter(reason="")["sample"].to_list(), alignments, variants)
        tasks = [
            Task(Path(str(file)), callable_bed, rows, measured)
            for (file,), rows in people.group_by("file", maintain_order=True)
        ]
        held = check_tasks(settings, tasks)
        with directory_beside(folder.partial(folder.number)) as aside:
            with unchanged(file for task in tasks for file in (task.file, task.callable_bed) if file):
                batch = _recorded(history, tasks, held)
                places = count_tasks(settings, tasks, aside, workers)
            line = _summed(folder, history, batch, places, workers, reconsented)
        folder.append(line)
    counted, known = sum(person["reason"] == "" for person in line["people"]), len(history.present)
    said = f"{counted:,} of {len(people):,} new people counted; {known + len(people):,} people in"
    click.echo(f"{cohort}: {said}", err=True)


def _newcomers(
    history: "History",
    cohort: Path,
    sheet: Path,
    only: Sequence[str],
    source: Path | None,
    decisions: Path | None,
    reconsented: Sequence[str],
) -> "pl.DataFrame":
    """The people to add, with the reason why each is not counted (empty: counted) and the file of each."""
    import polars as pl

    from tessera.cli.count import with_reasons
    from tessera.cohort.members import newcomer_problems, withdrawn_problems
    from tessera.files.input_samples import read_people_with_files

    listed = read_people_with_files(sheet, only, source)
    gone, people = listed.filter("withdrawn")["sample"].to_list(), listed.filter(~pl.col("withdrawn"))
    problems = withdrawn_problems(history, gone, str(sheet), str(cohort))
    problems += newcomer_problems(history, people["sample"].to_list(), reconsented, str(sheet))
    if problems:
        raise InputError(problems)
    if gone:
        click.echo(f"{sheet}: withdrawn, and not added: {', '.join(gone)}", err=True)
    if people.is_empty():
        raise refuse(str(sheet), "nobody to add", "at least one person who has not withdrawn")
    return with_reasons(people, decisions, str(sheet))


def _recorded(history: "History", tasks: Sequence[Task], held: Sequence[Sequence[str]]) -> Batch:
    """What the ledger records of the files. Raises InputError for each that was somebody else's, or has changed."""
    from tessera.cohort.members import source_problems
    from tessera.files.recorded import record_file

    bed = tasks[0].callable_bed
    spans = record_file(bed) if bed else None
    personal = [len(samples) == 1 for samples in held]
    sources: list[Mapping[str, Any]] = []
    problems: list[Problem] = []
    for task, alone in zip(tasks, personal, strict=True):
        sources.append({**record_file(task.file), "bytes": task.file.stat().st_size, "callable": spans})
        problems += source_problems(history, sources[-1], task.rows["sample"].to_list(), personal=alone)
    if problems:
        raise InputError(problems)
    return Batch(tasks, personal, sources)


def _summed(
    folder: "CohortFolder",
    history: "History",
    batch: Batch,
    places: Sequence[Path],
    workers: int,
    reconsented: Sequence[str],
) -> dict[str, Any]:
    """Add up a batch, counted at `places`, into the partial of the next line, and give that line."""
    from tessera.cohort.members import copy_problems
    from tessera.files.summaries import SummaryFolder
    from tessera.files.summary_sums import sum_of_parts

    counts = [SummaryFolder(place) for place in places]
    people = list(_people(batch, [count.tables_digest for count in counts]))
    listed = {i for i, count in enumerate(counts) if batch.personal[i] and count.lists_variants}
    problems = copy_problems(history, [person for person in people if person["source"] in listed])
    if problems:
        raise InputError(problems)
    with sum_of_parts(places, [], folder.partial(folder.number), workers) as digest:
        pass
    partial = {"name": folder.number, "digest": digest}
    content = {"partial": partial, "sources": batch.sources, "people": people, "reconsented": list(reconsented)}
    return folder.line("add", now(), content)


def _people(batch: Batch, digests: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Everybody of a batch as its line holds them."""
    for number, (task, alone) in enumerate(zip(batch.tasks, batch.personal, strict=True)):
        for person in task.rows.select("sample", "sex", "stratum", "consent", "reason").iter_rows(named=True):
            measured = task.measured.get(person["sample"])
            told = {"metrics": dict(measured)} if measured else {}
            yield person | told | {"source": number, "tables": digests[number] if alone else None}
