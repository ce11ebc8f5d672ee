"""Counting a cohort's people from their files, as its rules and its ledger say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tessera.errors import InputError, Problem, all_at_once, refuse

if TYPE_CHECKING:
    import polars as pl

    from tessera.cohort.members import Stay
    from tessera.cohort.source import AnBasis
    from tessera.cohort.stretch import CountRules
    from tessera.files.cohort_folder import CohortFolder
    from tessera.files.vcf import VariantFile
    from tessera.genome.build import Build
    from tessera.schemas.mask import Mask
    from tessera.summary.qc_sums import Scaled


def now() -> str:
    """The time in UTC, as lines of the ledger have it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Settings:
    """By what a cohort counts: `rules` are the fingerprint's, the others what a file is read by."""

    rules: Mapping[str, Any]
    build: "Build"
    mask: "Mask"
    reference: Path | None
    cohort: str


@dataclass(frozen=True)
class Task:
    """People (sample, sex, stratum, consent, reason) to count from one file, and what was measured of them."""

    file: Path
    callable_bed: Path | None
    rows: "pl.DataFrame"
    measured: Mapping[str, "Scaled"]


def settings_of(folder: "CohortFolder") -> Settings:
    """The settings of a cohort. Raises InputError when its reference is gone, or another one by its bases."""
    from tessera.files.cohort_folder import empty_summary
    from tessera.files.fasta import Reference
    from tessera.schemas.mask import parse_mask
    from tessera.summary.rules import counted_build

    rules, first = empty_summary(folder).manifest.rules, folder.ledger.lines[0]
    build = counted_build(rules)
    reference = Path(first["reference"]) if first["reference"] else None
    if reference:
        fasta = Reference(reference)
        if fasta.sequences(fasta.spelling(build)) != rules["sequences"]:
            raise refuse(
                str(reference), "other bases than when the cohort began", f"the reference {rules['reference']}",
                "Put that reference, or a link to it, back to this place.",
            )  # fmt: skip
    return Settings(rules, build, parse_mask(first["mask"]), reference, str(folder.path))


def task_of(stays: Sequence["Stay"]) -> Task:
    """The people of one recorded file, to be counted again."""
    bed = stays[0].source["callable"]
    measured = {stay.sample: stay.person.get("metrics", {}) for stay in stays}
    rows = rows_of([stay.person for stay in stays])
    return Task(Path(stays[0].source["path"]), Path(bed["path"]) if bed else None, rows, measured)


def rows_of(people: Sequence[Mapping[str, Any]]) -> "pl.DataFrame":
    """People of a ledger's line as a table to count by."""
    import polars as pl

    names = ("sample", "sex", "stratum", "consent", "reason")
    columns = {name: [person[name] for person in people] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def recorded_problems(stays: Sequence["Stay"]) -> list[Problem]:
    """Files of counted people that are gone or have changed since."""
    from tessera.files.recorded import check_recorded

    files: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for stay in stays:
        if stay.person["reason"] == "":
            for record in (stay.source, stay.source["callable"]):
                if record:
                    files.setdefault(record["path"], (record, []))[1].append(stay.sample)
    return [problem for record, names in files.values() for problem in check_recorded(record, ", ".join(names[:10]))]


def check_tasks(settings: Settings, tasks: Sequence[Task]) -> list[list[str]]:
    """The samples that each task's file holds. Raises InputError with every file that does not hold the people, or
    that the cohort's rules cannot be applied to.
    """
    held = []
    with all_at_once() as gathered:
        for task in tasks:
            with gathered.trying():
                held.append(_opened(settings, task)[0].samples)
    return held


def count_task(settings: Settings, task: Task, out: Path) -> str:
    """Count the people of a task into a summary at `out`; gives its digest. A file of nobody counted is not read."""
    import polars as pl

    from tessera.cli.count import count_into
    from tessera.cohort.cluster import Workers
    from tessera.cohort.source import manifest_of
    from tessera.files.summaries import new_summary
    from tessera.summary.people import Listed
    from tessera.summary.qc_sums import sum_people

    with new_summary(out) as writer:
        if task.rows.filter(reason="").is_empty():
            return writer.finish(manifest_of(settings.rules, Listed.of_frame(task.rows), "gvcf", {}))
        file, how, basis = _opened(settings, task)
        order = pl.DataFrame({"sample": file.samples}, schema={"sample": pl.String})
        listed = Listed.of_frame(order.join(task.rows, on="sample", how="inner", maintain_order="left"))
        people = listed.counted
        ledger, _ = count_into(writer, file, people, how, "auto", Workers())
        measured = (task.measured.get(name, {}) for name in people.names)
        qc_sums = sum_people(zip(people.strata, measured, strict=True))
        return writer.finish(manifest_of(settings.rules, listed, basis, ledger.entries), qc_sums=qc_sums)


def count_tasks(settings: Settings, tasks: Sequence[Task], folder: Path, workers: int) -> list[Path]:
    """Count each task into a summary of its own within `folder`; up to `workers` processes side by side."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    places = [folder / str(number) for number in range(len(tasks))]
    if min(workers, len(tasks)) < 2:
        for task, place in zip(tasks, places, strict=True):
            count_task(settings, task, place)
        return places
    # a forked process would inherit the threads of polars half-way
    with ProcessPoolExecutor(min(workers, len(tasks)), get_context("spawn")) as pool:
        work = [pool.submit(count_task, settings, task, place) for task, place in zip(tasks, places, strict=True)]
        with all_at_once() as gathered:
            for done in work:
                with gathered.trying():
                    done.result()
    return places


def _opened(settings: Settings, task: Task) -> tuple["VariantFile", "CountRules", "AnBasis"]:
    """A task's file and how it is counted. Raises InputError unless by the cohort's rules, and with all the people."""
    from tessera.cli.count import rules_for
    from tessera.files.vcf import VariantFile
    from tessera.summary.manifest import rule_differences
    from tessera.summary.rules import counting_rules

    file = VariantFile(task.file, genotypes_only=settings.mask.genotypes_only)
    absent = sorted(set(task.rows["sample"]) - set(file.samples))
    if absent:
        found = f"no sample named {', '.join(absent[:10])}"
        raise refuse(str(task.file), found, "everybody whom the sheet lists for it", "Give the file that holds them.")
    how, basis, _ = rules_for(file, settings.build, settings.reference, settings.mask, task.callable_bed)
    # the reference is the cohort's, judged once
    found_rules = counting_rules(how.build, sequences=settings.rules["sequences"], mask=how.mask.thresholds)
    problems = rule_differences(settings.rules, found_rules, f"the cohort {settings.cohort}", str(task.file))
    if problems:
        remedy = f"For a cohort of such files: tessera cohort init ... --like {task.file}"
        raise InputError([replace(problem, remedy=remedy) for problem in problems])
    return file, how, basis
