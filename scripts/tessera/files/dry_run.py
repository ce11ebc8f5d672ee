"""What Snakemake's dry run says, heard as the events that it sends to loggers, job by job."""

import gc
import io
import logging
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tessera.errors import refuse

#: rules whose tools sort, and spill to `tmpdir` what they read
SORTING = ("align_lane", "mark_duplicates", "import_alignments")
#: a dry run takes this machine for the one where jobs run, and cuts their processors to its own
UNLIMITED = ("--cores", str(10**6))


@dataclass(frozen=True, slots=True)
class Step:
    """A job of the workflow. `minutes` is None where time follows from a file that is not there yet."""

    rule: str
    group: str
    processors: int
    memory_mb: int
    minutes: int | None
    #: outputs, logs, and Snakemake's own file for each output
    files: int
    #: what it reads and may spill to scratch, as far as it is there
    scratch_mb: float


def read_dry_run(arguments: Sequence[str], heard: Callable[[Sequence[Step]], None]) -> None:
    """Run `snakemake --dry-run` in this process; `heard` gets each SLURM job as the steps that it carries out.

    Raises InputError with what Snakemake says when it refuses.
    """
    from snakemake.cli import main
    from snakemake.logging import logger

    listener = _Listener(heard)
    said = io.StringIO()
    # Snakemake takes away the handlers it finds, and leaves filters
    logger.addFilter(listener)
    # a DAG is all alive until the end: looking through it for garbage takes a fourth of the time, and finds none
    gc.disable()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            main(["--dry-run", "--quiet", "all", *UNLIMITED, *arguments])
    except SystemExit as end:
        if end.code:
            text = said.getvalue().strip()
            raise refuse("snakemake --dry-run", f"it fails:\n{text}", "a dry run without errors") from None
    finally:
        gc.enable()
        logger.removeFilter(listener)


class _Listener(logging.Filter):
    """Hears of jobs one by one; those of a group follow the group, which says how many they are."""

    def __init__(self, heard: Callable[[Sequence[Step]], None]) -> None:
        super().__init__()
        self._heard = heard
        self._group, self._missing = "", 0
        self._steps: list[Step] = []

    def filter(self, record: logging.LogRecord) -> bool:
        """Snakemake's events are LogEvent of snakemake-interface-logger-plugins, with fields by name; warnings pass."""
        event = getattr(record, "event", None)
        if event == "group_info":
            jobs = list(record.jobs)  # type: ignore[attr-defined]
            self._group, self._missing = str(jobs[0].group or record.group_id), len(jobs)  # type: ignore[attr-defined]
        elif event == "job_info":
            # targets only collect, and have no command
            if record.shellcmd:  # type: ignore[attr-defined]
                self._steps.append(_step(record, self._group))
            self._missing = max(0, self._missing - 1)
            if not self._missing:
                if self._steps:
                    self._heard(self._steps)
                self._group, self._steps = "", []
        return record.levelno >= logging.WARNING


def _step(record: Any, group: str) -> Step:
    asked = record.resources
    minutes = asked.get("runtime")
    memory = asked.get("mem_mb")
    outputs = list(record.output)
    reads = [Path(str(name)) for name in record.input] if record.rule_name in SORTING else []
    return Step(
        rule=record.rule_name,
        group=group,
        processors=int(record.threads),
        memory_mb=memory if isinstance(memory, int) else 0,
        minutes=minutes if isinstance(minutes, int) else None,
        files=2 * len(outputs) + len(list(record.log)),
        scratch_mb=sum(path.stat().st_size for path in reads if path.is_file()) / 1e6,
    )
