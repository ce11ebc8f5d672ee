"""`tessera cohort verify`: is a cohort what its ledger says, and its ledger whole?"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tessera.cli.cohort.counting import count_tasks, recorded_problems, settings_of, task_of
from tessera.cli.options import cohort_argument, side_by_side_option
from tessera.errors import InputError, Problem

if TYPE_CHECKING:
    from tessera.cohort.members import History, Line, Stay
    from tessera.files.cohort_folder import CohortFolder

LISTED = 50
RELEASE_REMEDY = "Make a release in its place: tessera cohort release."
RECOUNT_REMEDY = (
    "The partial, a file, or the version of tessera is not what it was: the line of the ledger names all three."
)


@click.command(name="verify")
@cohort_argument
@click.option(
    "--recount", type=click.IntRange(min=0), default=0, show_default=True,
    help="Count this many batches again from the people's files, those who have left apart, and compare.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Which batches are drawn.")
@click.option("--head", "heads", multiple=True, help="Digest of a line that must be there; may be repeated.")
@side_by_side_option
def command(cohort: Path, recount: int, seed: int, heads: tuple[str, ...], workers: int) -> None:
    """Check COHORT: the ledger's chain and every line; every partial, its numbers and its people; that the parts add
    up; receipts; and the last release, when nobody came or left since.
    """
    from tessera.cohort.members import replay
    from tessera.files.cohort_folder import opened_cohort
    from tessera.files.cohort_ledger import check_ledger

    with opened_cohort(cohort, to_change=False) as folder:
        problems = check_ledger(folder.ledger)
        if not problems:
            history = replay(folder.ledger.lines, str(folder.ledger.path))
            problems = [*_heads(folder, heads), *_parts(folder, history), *_receipts(folder, history)]
        if not problems:
            problems = [*_sum(folder, history, workers)]
            drawn = random.Random(seed).sample(history.batches, min(recount, len(history.batches)))
            problems += recounted(folder, history, drawn, workers)
    if problems:
        raise InputError(problems[:LISTED])
    said = f"{len(folder.ledger.lines):,} lines, {sum(1 for _ in folder.parts()):,} partials, {len(drawn):,} recounted"
    click.echo(f"{cohort}: verified; {said}; {len(history.present):,} people in; head {folder.ledger.head}")


def _heads(folder: "CohortFolder", heads: Sequence[str]) -> Iterator[Problem]:
    for head in heads:
        if head not in folder.ledger.digests:
            yield Problem(str(folder.ledger.path), f"no line with the digest {head}", "every line that was ever there")


def _parts(folder: "CohortFolder", history: "History") -> Iterator[Problem]:
    """Partials that are not what a line names, not sound in themselves, or not about the people of the line."""
    from tessera.cli.cohort.counting import rows_of
    from tessera.cli.verify import AS_WRITTEN, judge
    from tessera.cohort.source import people_counts
    from tessera.files.summaries import SummaryFolder
    from tessera.summary.people import Listed
    from tessera.summary.qc_sums import sum_people

    fingerprint = folder.ledger.lines[0]["fingerprint"]
    left = {stay.partial["name"]: [stay.person] for stay in history.ended if stay.partial}
    for line, partial, sign in folder.parts():
        place = folder.partial(partial["name"])
        missing = list(folder.check_part(line, partial))
        yield from missing
        if missing:
            continue
        summary = SummaryFolder(place)
        wrong = judge(summary).wrong
        yield from (Problem(str(place), sentence, AS_WRITTEN) for sentence in wrong)
        if summary.manifest.fingerprint != fingerprint:
            yield Problem(str(place), f"counted by the rules {summary.manifest.fingerprint}", fingerprint)
        people = left[partial["name"]] if sign < 0 else [stay.person for stay in history.of_batch.get(line["line"], ())]
        expected = people_counts(Listed.of_frame(rows_of(people)))
        found = {name: dict(getattr(summary.manifest, name)) for name in expected}
        if found != expected:
            yield Problem(str(place), f"of {found}", f"the people of line {line['line']}: {expected}")
        counted = [person for person in people if person["reason"] == ""]
        measured = sum_people((person["stratum"], person.get("metrics", {})) for person in counted)
        if not wrong and summary.qc_sums != measured:
            yield Problem(str(place), "other QC sums", f"those of the people of line {line['line']}")
    for stranger in folder.strangers():
        yield Problem(str(stranger), "no line names it", "partials of the ledger", "Take it away: it is in no sum.")


def _receipts(folder: "CohortFolder", history: "History") -> Iterator[Problem]:
    """Receipts that are missing, or other than the ledger gives them."""
    from tessera.cohort.receipts import receipt
    from tessera.files.json_documents import read_json

    for stay in history.ended:
        assert stay.withdrawn is not None
        line, digest = folder.ledger.lines[stay.withdrawn - 1], folder.ledger.digests[stay.withdrawn - 1]
        person = next(person for person in line["people"] if person["sample"] == stay.sample)
        place = folder.receipt(f"{line['line']:06}-{stay.sample}")
        expected = receipt(stay, person, line, digest, folder.ledger.lines, history.releases)
        try:
            right = read_json(place, "a receipt") == expected
        except InputError as error:
            yield from error.problems
            continue
        if not right:
            yield Problem(str(place), "another text", f"the receipt of line {line['line']}")


def _sum(folder: "CohortFolder", history: "History", workers: int) -> Iterator[Problem]:
    """What keeps the parts from adding up to the people who are in, or to the last release if nothing changed since."""
    from tessera.files.atomic import directory_beside
    from tessera.files.summary_sums import sum_of_parts

    with directory_beside(folder.partial("sum")) as aside:
        try:
            with sum_of_parts(folder.whole_parts(1), folder.whole_parts(-1), aside / "sum", workers) as digest:
                pass
        except InputError as error:
            yield from error.problems
            return
    last = max((line["line"] for line in folder.ledger.lines if line["event"] != "release"), default=0)
    for release in history.releases:
        if release["line"] > last and digest not in (release["digest"], _as_written_now(folder, release, workers)):
            where = f"{folder.ledger.path} line {release['line']}"
            yield Problem(where, f"a release {release['digest']}", f"{digest}, the sum of the parts", RELEASE_REMEDY)


def _as_written_now(folder: "CohortFolder", release: "Line", workers: int) -> str:
    """The digest of a release, where it still is, had this version written it: another writes other bytes."""
    from tessera.files.atomic import directory_beside
    from tessera.files.summaries import summary_digest
    from tessera.files.summary_sums import sum_of_parts

    place = Path(release["out"])
    try:
        if summary_digest(place) != release["digest"]:
            return ""
        with (
            directory_beside(folder.partial("release")) as aside,
            sum_of_parts([place], [], aside / "sum", workers) as digest,
        ):
            return digest
    except (InputError, OSError):
        return ""


def recounted(folder: "CohortFolder", history: "History", drawn: Sequence["Line"], workers: int) -> Iterator[Problem]:
    """Batches whose people who are still in, counted again from their files, are not the partial without who left."""
    from tessera.files.atomic import directory_beside
    from tessera.files.summary_sums import sum_of_parts

    settings = settings_of(folder) if drawn else None
    for line in drawn:
        stays = history.of_batch[line["line"]]
        remaining = [stay for stay in stays if stay.withdrawn is None]
        changed = recorded_problems(remaining)
        yield from changed
        if changed:
            continue
        assert settings is not None
        taken = [folder.partial(stay.partial["name"]) for stay in stays if stay.partial]
        empty = folder.partial(folder.ledger.lines[0]["partial"]["name"])
        with directory_beside(folder.partial("recount")) as aside:
            tasks = [task_of(group) for group in _by_file(remaining)]
            places = count_tasks(settings, tasks, aside / "people", workers)
            with sum_of_parts([empty, *places], [], aside / "found", workers) as found:
                pass
            with sum_of_parts([folder.partial(line["partial"]["name"])], taken, aside / "kept", workers) as kept:
                pass
        if found != kept:
            where = str(folder.partial(line["partial"]["name"]))
            yield Problem(where, f"recounted: {found}", f"{kept}, as it was counted", RECOUNT_REMEDY)


def _by_file(stays: Sequence["Stay"]) -> list[list["Stay"]]:
    files: dict[str, list[Stay]] = {}
    for stay in stays:
        files.setdefault(stay.source["path"], []).append(stay)
    return list(files.values())
