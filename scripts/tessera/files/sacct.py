"""SLURM's accounting, as `sacct --parsable2` prints it: a line for each job and each of its steps."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tessera.errors import InputError, Problem, refuse

#: what is asked of sacct, in its words
FORMAT = ("JobID", "State", "ElapsedRaw", "TotalCPU", "MaxRSS", "ReqMem", "AllocCPUS", "TimelimitRaw", "Comment")
COMMAND = f"sacct --parsable2 --format {','.join(FORMAT)}"
_UNITS = {"": 1, "K": 1 / 1024, "M": 1, "G": 1024, "T": 1024**2}
#: days, hours, minutes, seconds with or without a fraction
_CPU = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class AccountedJob:
    """What a job asked for and used; None is what the accounting does not say."""

    id: str
    #: rule or group, and wildcards, as the comment of the job has them
    comment: str
    state: str
    elapsed_seconds: int
    cpu_seconds: float
    #: highest resident memory of a step, and what was asked for
    peak_mb: float | None
    asked_mb: float | None
    processors: int
    asked_minutes: int | None
    #: steps of the workflow that it carried out: srun is called for each
    steps: int


def read_sacct(lines: Iterable[str], *, where: str) -> list[AccountedJob]:
    """The finished jobs of sacct's output, with the peak memory of their steps.

    sacct(1), JOB ACCOUNTING FIELDS: a step is JOBID.STEP; MaxRSS stands on steps alone; TotalCPU of a job is the sum of
    its steps. Raises InputError with every line that is not as `COMMAND` prints it.
    """
    text = [line.rstrip("\n") for line in lines]
    if not text or tuple(text[0].split("|")) != FORMAT:
        found = f"the first line is {text[0][:100]!r}" if text else "nothing"
        raise refuse(where, found, f"the line {'|'.join(FORMAT)}", f"Make it by: {COMMAND}")
    rows: dict[str, dict[str, str]] = {}
    peaks: dict[str, float] = {}
    killed: dict[str, str] = {}
    steps: Counter[str] = Counter()
    problems: list[Problem] = []
    for number, line in enumerate(text[1:], start=2):
        row = dict(zip(FORMAT, line.split("|", len(FORMAT) - 1), strict=False))
        try:
            job, _, step = row["JobID"].partition(".")
            memory = _megabytes(row["MaxRSS"])
            if memory is not None:
                peaks[job] = max(memory, peaks.get(job, 0))
            state = row["State"].split()[0]
            steps[job] += step.isdigit()
            if state in ("OUT_OF_MEMORY", "TIMEOUT"):
                killed[job] = state
            if not step and state not in ("RUNNING", "PENDING"):
                _job(job, row, None, 0)  # numbers that are none
                rows[job] = row
        except (KeyError, ValueError, IndexError):
            problems.append(Problem(f"{where} line {number}", repr(line[:100]), "a line of sacct", f"See: {COMMAND}"))
    if problems:
        raise InputError(problems)
    # the step of a job that runs out of memory says so, the job itself only that it failed
    return [
        _job(job, row | {"State": killed.get(job, row["State"])}, peaks.get(job), steps[job])
        for job, row in rows.items()
    ]


def _job(id: str, row: dict[str, str], peak: float | None, steps: int) -> AccountedJob:
    limit = row["TimelimitRaw"]
    return AccountedJob(
        id=id,
        comment=row["Comment"],
        state=row["State"].split()[0],
        elapsed_seconds=int(row["ElapsedRaw"]),
        cpu_seconds=_seconds(row["TotalCPU"]),
        peak_mb=peak,
        asked_mb=_megabytes(row["ReqMem"]),
        processors=int(row["AllocCPUS"]),
        asked_minutes=int(limit) if limit.isdigit() else None,
        steps=steps,
    )


def _megabytes(text: str) -> float | None:
    """MB of 1024 * 1024 bytes, as SLURM counts: 1234K, 2G; before version 21.08 ReqMem ended in n or c."""
    if not text:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)[nc]?", text)
    if not match:
        raise ValueError(text)
    return float(match[1]) * (_UNITS[match[2]] if match[2] else 1 / 1024**2)


def _seconds(text: str) -> float:
    match = _CPU.fullmatch(text)
    if not match:
        raise ValueError(text)
    days, hours, minutes, seconds = match.groups()
    return int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
