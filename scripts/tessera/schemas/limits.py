"""What a site allows: the limits that a plan is held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tessera.errors import InputError
from tessera.schemas.document import Schema, check_document

_KEYS = {
    "wall_minutes": "longest time that the partition gives a job, in minutes",
    "node_memory_mb": "memory of a node, in MB",
    "node_processors": "processors of a node",
    "jobs_in_queue": "jobs that a user may have in the queue at a time",
    "core_hours": "what the account has left, in hours of one processor",
    "scratch_mb": "room for temporary files of one job, in MB",
    "inodes": "files that results may have",
    "job_minutes": "time that a job of several people should take, in minutes",
    "submissions_per_minute": "jobs that are submitted in a minute",
}
SCHEMA: Schema = {
    "type": "object",
    "x-expected": "keys and whole numbers",
    "properties": {
        key: {"type": "integer", "minimum": 1, "description": text, "x-expected": "a whole number above 0"}
        for key, text in _KEYS.items()
    },
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Limits:
    """What a site allows; None is no limit. Units are in the names."""

    wall_minutes: int | None = None
    node_memory_mb: int | None = None
    node_processors: int | None = None
    jobs_in_queue: int | None = None
    core_hours: int | None = None
    scratch_mb: int | None = None
    inodes: int | None = None
    job_minutes: int = 240
    #: a controller took 0.11 s for each, measured
    submissions_per_minute: int = 500


def parse_limits(document: object, *, where: str) -> Limits:
    """The limits of a document. Raises InputError with every problem."""
    problems = check_document(document, SCHEMA, where=where)
    if problems:
        raise InputError(problems)
    assert isinstance(document, Mapping)
    known: Mapping[str, Any] = document
    return Limits(**known)
