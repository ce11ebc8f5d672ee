"""A plan: what a run will ask of a cluster, added up from its dry run and held against what the site allows."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tessera.errors import Problem
from tessera.files.dry_run import Step
from tessera.schemas.limits import Limits


@dataclass
class Rule:
    """What a rule asks for, over all its jobs. `minutes` are of jobs whose time is known."""

    name: str
    group: str = ""
    jobs: int = 0
    unknown: int = 0
    minutes: int = 0
    core_minutes: int = 0
    processors: int = 0
    memory_mb: int = 0
    longest: int = 0
    scratch_mb: float = 0
    files: int = 0

    def add(self, step: Step) -> None:
        """Count one job."""
        minutes = step.minutes or 0
        self.group = step.group
        self.jobs += 1
        self.unknown += step.minutes is None
        self.minutes += minutes
        self.core_minutes += minutes * step.processors
        self.processors = max(self.processors, step.processors)
        self.memory_mb = max(self.memory_mb, step.memory_mb)
        self.longest = max(self.longest, minutes)
        self.scratch_mb = max(self.scratch_mb, step.scratch_mb)
        self.files += step.files


@dataclass
class Plan:
    """Everything that is submitted; people of one SLURM job take turns."""

    rules: dict[str, Rule] = field(default_factory=dict)
    #: SLURM jobs, their core-minutes, the largest of each kind of request
    jobs: int = 0
    core_minutes: int = 0
    memory_mb: int = 0
    processors: int = 0
    #: rule or group -> minutes of its longest job
    longest: dict[str, int] = field(default_factory=dict)

    def add(self, steps: Sequence[Step]) -> None:
        """Count one SLURM job: it asks for the most of its steps, and the sum of their times."""
        for step in steps:
            self.rules.setdefault(step.rule, Rule(step.rule)).add(step)
        minutes = sum(step.minutes or 0 for step in steps)
        processors = max(step.processors for step in steps)
        self.jobs += 1
        self.core_minutes += minutes * processors
        self.processors = max(self.processors, processors)
        self.memory_mb = max(self.memory_mb, *(step.memory_mb for step in steps))
        of = steps[0].group or steps[0].rule
        self.longest[of] = max(self.longest.get(of, 0), minutes)

    @property
    def files(self) -> int:
        """Files that are made at least: outputs and logs, one of Snakemake's for each output, SLURM's logs."""
        return sum(rule.files for rule in self.rules.values()) + self.jobs

    @property
    def scratch_mb(self) -> float:
        """The most that one job spills to scratch."""
        return max((rule.scratch_mb for rule in self.rules.values()), default=0)

    @property
    def unknown(self) -> int:
        """Jobs of the workflow whose time is not known yet."""
        return sum(rule.unknown for rule in self.rules.values())

    def core_hours_by(self, before: Mapping[str, float]) -> float:
        """Core-hours by what a step cost before; what has not run before by what it asks for.

        `before`: rule -> core-hours of a step; jobs of a group GROUP are of `GROUP_RULE_RULE...`, as SLURM has them.
        """
        total = 0.0
        for rule in self.rules.values():
            names = [name for name in before if name == rule.name or (rule.group and name.startswith(f"{rule.group}_"))]
            total += rule.jobs * before[names[0]] if names else rule.core_minutes / 60
        return total

    def people_per_job(self, minutes: int) -> dict[str, int]:
        """Group -> how many of its components fill a job of so many minutes, at least one; not of unknown times."""
        groups: dict[str, list[Rule]] = {}
        for rule in self.rules.values():
            if rule.group:
                groups.setdefault(rule.group, []).append(rule)
        # a component is one person: as long as the mean job of each of its rules, where that is known
        return {
            group: max(1, int(minutes / max(1.0, sum(rule.minutes / (rule.jobs - rule.unknown) for rule in rules))))
            for group, rules in sorted(groups.items())
            if all(rule.unknown < rule.jobs for rule in rules)
        }


def broken_limits(plan: Plan, limits: Limits, at_a_time: int, components: dict[str, int]) -> Iterator[Problem]:
    """Each limit that the plan does not keep; `at_a_time` are jobs in the queue, `components` people per job."""
    if not plan.rules:
        return
    yield from _too_long(plan, limits, components)
    for key, found, text, cure in (
        ("node_memory_mb", plan.memory_mb, f"a job asks for {plan.memory_mb:,} MB",
         f"Set mem_mb of {_most(plan, 'memory_mb')} lower in set-resources, or ask for larger nodes."),
        ("node_processors", plan.processors, f"a job asks for {plan.processors} processors",
         f"Write max-threads: {limits.node_processors} in the site's file."),
        ("jobs_in_queue", min(at_a_time, plan.jobs), f"{min(at_a_time, plan.jobs):,} jobs are in the queue at a time",
         f"Write jobs: {limits.jobs_in_queue} in the site's file."),
        ("core_hours", plan.core_minutes / 60, f"{plan.core_minutes / 60:,.0f} core-hours are asked for",
         "Run fewer samples at a time (a smaller sheet), or ask for more."),
        ("scratch_mb", plan.scratch_mb, f"a job of {_most(plan, 'scratch_mb')} may write {plan.scratch_mb:,.0f} MB",
         "Name a larger tmpdir under default-resources in the site's file."),
        ("inodes", plan.files, f"at least {plan.files:,} files are made",
         "Ask for more inodes, or run fewer samples in a results folder."),
    ):  # fmt: skip
        allowed = getattr(limits, key)
        if allowed is not None and found > allowed:
            yield Problem(f"limit {key}", text, f"at most {allowed:,}", cure)


def _too_long(plan: Plan, limits: Limits, components: dict[str, int]) -> Iterator[Problem]:
    """Each rule or group with a job that asks for more time than a partition gives."""
    if limits.wall_minutes is None:
        return
    fitting = plan.people_per_job(limits.wall_minutes)
    for of, minutes in plan.longest.items():
        if minutes > limits.wall_minutes:
            remedy = f"Set runtime of {of} lower in set-resources, or ask for another partition."
            if of in fitting and components.get(of, 1) > fitting[of]:
                remedy = f"Write group-components: {of}: {fitting[of]} in the site's file."
            asked = f"a job of {of} asks for {minutes:,} minutes"
            yield Problem("limit wall_minutes", asked, f"at most {limits.wall_minutes:,}", remedy)


def plan_report(plan: Plan, limits: Limits, before: Mapping[str, float]) -> dict[str, Any]:
    """The plan as a document; times are what is asked for, and beside it what they are `before` (`core_hours_by`)."""
    return {
        "rules": [asdict(rule) for rule in plan.rules.values()],
        "slurm_jobs": plan.jobs,
        "core_hours": round(plan.core_minutes / 60, 2),
        "core_hours_as_before": round(plan.core_hours_by(before), 2) if before else None,
        "time_unknown": plan.unknown,
        "longest_job_minutes": plan.longest,
        "largest_memory_mb": plan.memory_mb,
        "most_processors": plan.processors,
        "scratch_mb_of_a_job": round(plan.scratch_mb, 3),
        "files": plan.files,
        "submit_minutes": math.ceil(plan.jobs / limits.submissions_per_minute),
        "people_per_job": plan.people_per_job(limits.job_minutes),
    }


def plan_text(report: dict[str, Any], limits: Limits) -> str:
    """The plan as a page."""
    if not report["rules"]:
        return "Nothing is to be made: what is there follows from the configuration.\n"
    rows = [("rule", "in a job of", "jobs", "processors", "MB", "minutes", "core-hours")]
    for rule in report["rules"]:
        hours = f"{rule['core_minutes'] / 60:,.1f}"
        minutes = "unknown" if rule["unknown"] == rule["jobs"] else f"{rule['longest']:,}"
        cells = (f"{rule['jobs']:,}", str(rule["processors"]), f"{rule['memory_mb']:,}", minutes, hours)
        rows.append((rule["name"], rule["group"], *cells))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, group, *others in rows:
        numbers = [cell.rjust(width) for cell, width in zip(others, widths[2:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), group.ljust(widths[1]), *numbers]))
    as_before = report["core_hours_as_before"]
    atleast = "at least " if report["time_unknown"] else ""
    lines += [
        "",
        f"SLURM jobs            {report['slurm_jobs']:,}, submitted in {report['submit_minutes']:,} min",
        f"core-hours asked for  {atleast}{report['core_hours']:,.1f}",
        *([f"core-hours as before  {as_before:,.1f}"] if as_before is not None else []),
        f"longest job           {atleast}{max(report['longest_job_minutes'].values(), default=0):,} min",
        f"largest job           {report['largest_memory_mb']:,} MB, {report['most_processors']} processors",
        f"scratch of a job      up to {report['scratch_mb_of_a_job']:,.0f} MB, the size of what it reads",
        f"files                 at least {report['files']:,}",
        *(
            f"people per job        {group}: {people} for jobs of {limits.job_minutes} min (group-components)"
            for group, people in report["people_per_job"].items()
        ),
        "",
        "Times are what jobs ask for; they cost what they take, which is less.",
    ]
    if report["time_unknown"]:
        lines.append(f"Of {report['time_unknown']:,} jobs the time follows from files that are not there yet.")
    return "\n".join(lines) + "\n"


def _most(plan: Plan, what: str) -> str:
    """The rule that asks for the most."""
    return max(plan.rules.values(), key=lambda rule: float(getattr(rule, what))).name
