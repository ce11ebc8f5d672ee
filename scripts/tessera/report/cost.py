"""What a run cost, by rule: time, processors and memory used, beside what was asked for."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from tessera.files.sacct import AccountedJob

#: a rule that never used so much of what it asks for asks for too much; one that used more, for too little
LITTLE, NEARLY_ALL = 0.5, 0.9
#: states that more of something would have helped
KILLED = {"OUT_OF_MEMORY": "memory", "TIMEOUT": "time"}
#: jobs whose comment SLURM does not keep
UNNAMED = "(no comment)"


@dataclass
class RuleCost:
    """The jobs of a rule, or of a group of rules whose steps SLURM does not tell apart by rule."""

    name: str
    jobs: list[AccountedJob] = field(default_factory=list)

    def report(self) -> dict[str, Any]:
        """Numbers over all jobs; None is what the accounting does not say."""
        elapsed = [job.elapsed_seconds for job in self.jobs]
        allotted = sum(job.elapsed_seconds * job.processors for job in self.jobs)
        peaks = [job.peak_mb for job in self.jobs if job.peak_mb is not None]
        used = [job.peak_mb / job.asked_mb for job in self.jobs if job.peak_mb is not None and job.asked_mb]
        times = [job.elapsed_seconds / 60 / job.asked_minutes for job in self.jobs if job.asked_minutes]
        efficiency = sum(job.cpu_seconds for job in self.jobs) / allotted if allotted else None
        return {
            "rule": self.name,
            "jobs": len(self.jobs),
            "failed": sum(job.state != "COMPLETED" for job in self.jobs),
            "core_hours": allotted / 3600,
            "elapsed_seconds": {"median": median(elapsed), "longest": max(elapsed)},
            "cpu_efficiency": efficiency,
            "peak_mb": max(peaks, default=None),
            "memory_used": max(used, default=None),
            "time_used": max(times, default=None),
            "advice": list(self._advice(max(used, default=None), max(times, default=None), efficiency)),
        }

    def _advice(self, memory: float | None, time: float | None, efficiency: float | None) -> Iterable[str]:
        killed = {KILLED[job.state] for job in self.jobs if job.state in KILLED}
        for what, share in (("memory", memory), ("time", time)):
            if what in killed:
                yield f"asks for too little {what}: jobs were killed"
            elif share is not None and share > NEARLY_ALL:
                yield f"asks for little {what}: {share:.0%} was used"
            elif share is not None and share < LITTLE:
                yield f"asks for too much {what}: {share:.0%} was used at most"
        if efficiency is not None and efficiency < LITTLE and max(job.processors for job in self.jobs) > 1:
            yield f"asks for too many processors: {efficiency:.0%} of their time was used"


def costs(jobs: Iterable[AccountedJob]) -> list[dict[str, Any]]:
    """By rule, the most core-hours first."""
    found: dict[str, RuleCost] = {}
    for job in jobs:
        name, _ = split_comment(job.comment)
        found.setdefault(name, RuleCost(name)).jobs.append(job)
    return sorted((cost.report() for cost in found.values()), key=lambda row: (-row["core_hours"], row["rule"]))


def core_hours_per_step(jobs: Iterable[AccountedJob]) -> dict[str, float]:
    """Rule, or group and rules joined by `_` -> core-hours of a step of its jobs that went well."""
    seconds: Counter[str] = Counter()
    steps: Counter[str] = Counter()
    for job in jobs:
        if job.state == "COMPLETED" and job.steps:
            name, _ = split_comment(job.comment)
            steps[name] += job.steps
            seconds[name] += job.elapsed_seconds * job.processors
    return {name: seconds[name] / 3600 / steps[name] for name in steps}


def job_rows(jobs: Iterable[AccountedJob]) -> list[dict[str, Any]]:
    """Each job with its wildcards, which name node and sample."""
    rows = []
    for job in jobs:
        rule, wildcards = split_comment(job.comment)
        allotted = job.elapsed_seconds * job.processors
        efficiency = job.cpu_seconds / allotted if allotted else None
        rows.append({"rule": rule, "wildcards": wildcards, "cpu_efficiency": efficiency} | asdict(job))
    return rows


def split_comment(comment: str) -> tuple[str, str]:
    """Rule and wildcards of a comment `rule_NAME_wildcards_VALUES`; that of several people's job has no wildcards."""
    match = re.fullmatch(r"rule_(.+?)(?:_wildcards_(.*))?\s*", comment)
    return (match[1], match[2] or "") if match else (UNNAMED, "")


def cost_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The costs as a page; `-` is what the accounting does not say."""
    table = [("rule", "jobs", "failed", "core-hours", "median s", "longest s", "CPU used", "peak MB", "memory used")]
    for row in rows:
        peak = "-" if row["peak_mb"] is None else f"{row['peak_mb']:,.0f}"
        times = (f"{row['elapsed_seconds'][which]:,.0f}" for which in ("median", "longest"))
        cells = (f"{row['jobs']:,}", f"{row['failed']:,}", f"{row['core_hours']:,.2f}", *times)
        table.append((row["rule"], *cells, _percent(row["cpu_efficiency"]), peak, _percent(row["memory_used"])))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join([name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))])
        for name, *cells in table
    ]
    advice = [f"{row['rule']} {said}" for row in rows for said in row["advice"]]
    if any(row["rule"] == UNNAMED for row in rows):
        advice.append("Jobs without a comment are of no known rule: AccountingStoreFlags=job_comment keeps comments.")
    if any(row["peak_mb"] is None for row in rows):
        advice.append("Peak memory is missing where a job ended before SLURM looked at it, or never looks.")
    return "\n".join([*lines, "", *advice]).rstrip() + "\n"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
