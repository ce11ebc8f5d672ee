"""`tessera cohort withdraw`: people out of the cohort, each counted once more, alone, from the recorded file."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tessera.cli.cohort.counting import Settings, count_task, now, recorded_problems, settings_of, task_of
from tessera.cli.cohort.verify import recounted
from tessera.cli.options import cohort_argument
from tessera.errors import InputError, Problem

if TYPE_CHECKING:
    from tessera.cohort.members import Stay


@click.command(name="withdraw")
@cohort_argument
@click.argument("samples", metavar="SAMPLE...", nargs=-1, required=True)
def command(cohort: Path, samples: tuple[str, ...]) -> None:
    """Take SAMPLEs out of COHORT: the next release is exactly that of the people who remain.

    Each person's file must hold the bytes that were counted; nobody else's is read, but for those of the batch where
    another version of tessera counted the person in. What a release held before it
    still holds: the receipt, in the folder `receipts` and on standard output, names them.
    """
    from tessera.cohort.members import leavers, replay
    from tessera.cohort.receipts import receipt, receipt_text
    from tessera.files.atomic import directory_beside
    from tessera.files.cohort_folder import opened_cohort
    from tessera.files.cohort_ledger import line_digest_of
    from tessera.files.recorded import unchanged

    with opened_cohort(cohort, to_change=True) as folder:
        history = replay(folder.ledger.lines, str(folder.ledger.path))
        stays = leavers(history, samples, str(cohort))
        settings = settings_of(folder)
        with directory_beside(folder.partial(folder.number)) as aside:
            with unchanged({Path(stay.source["path"]) for stay in stays if stay.person["reason"] == ""}):
                problems = recorded_problems(stays)
                if problems:
                    raise InputError(problems)
                people, odd = _count_alone(settings, stays, folder.number, aside)
            batches = [folder.ledger.lines[line - 1] for line in sorted({stay.added for stay in odd})]
            # another version may write the same numbers into other bytes: then the batch is, in numbers, what it was
            if problems := list(recounted(folder, history, batches, workers=1)):
                raise InputError([*map(_other_numbers, odd), *problems])
            for person in people:
                name = person["partial"]["name"]
                (aside / name).replace(folder.partial(name))
        line = folder.line("withdraw", now(), {"people": people})
        digest = line_digest_of(line)
        receipts = [receipt(stay, person, line, digest, folder.ledger.lines, history.releases)
                    for stay, person in zip(stays, people, strict=True)]  # fmt: skip
        for told in receipts:
            folder.write_receipt(f"{folder.number}-{told['sample']}", told)
        folder.append(line)
    click.echo("\n\n".join("\n".join(receipt_text(told, str(cohort))) for told in receipts))


def _count_alone(
    settings: Settings, stays: Sequence["Stay"], number: str, folder: Path
) -> tuple[list[dict[str, Any]], list["Stay"]]:
    """Count each person into a partial of line `number`, within `folder`; gives what the line says of them, and who
    has other bytes than those that came in."""
    from tessera.cohort.receipts import touched
    from tessera.files.summaries import SummaryFolder

    people: list[dict[str, Any]] = []
    odd: list[Stay] = []
    for at, stay in enumerate(stays, start=1):
        name = f"{number}-{at}"
        digest = count_task(settings, task_of([stay]), folder / name)
        alone = SummaryFolder(folder / name)
        if stay.person["tables"] not in (None, alone.tables_digest):
            odd.append(stay)
        rows, counts = touched(block for _, block in alone.blocks())
        partial = {"name": name, "digest": digest}
        people.append({"sample": stay.sample, "partial": partial, "rows": rows, "counts": counts})
    return people, odd


def _other_numbers(stay: "Stay") -> Problem:
    return Problem(
        stay.sample, "counted again, other numbers than those that came in", "the same",
        "Use the version of tessera that counted the person in: the line of the ledger names it.",
    )  # fmt: skip
