"""Reading a genome build: one of ours by name, or a YAML file of the same shape."""

import re
from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import yaml

from tessera.errors import InputError, Problem
from tessera.genome.build import Build, Contig, ContigKind, Par
from tessera.schemas.config import NAMED_BUILDS

CONTIG_NAME = re.compile(r"[A-Za-z0-9._-]+")


def read_build(name_or_path: str) -> Build:
    """A build by name (GRCh37, GRCh38) or from a YAML file (config/README.md tells its shape).

    Raises InputError with every problem of the file.
    """
    if name_or_path in NAMED_BUILDS:
        text = files("tessera.genome").joinpath(f"builds/{name_or_path}.yaml").read_text()
        return _build(yaml.safe_load(text), name_or_path)
    path = Path(name_or_path)
    expected = f"one of {', '.join(NAMED_BUILDS)}, or a build file (YAML)"
    if not path.is_file():
        raise InputError([Problem("build", f"no file or build named {name_or_path!r}", expected)])
    try:
        return _build(yaml.safe_load(path.read_text()), str(path))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError([Problem(str(path), f"not YAML ({error})", expected)]) from error


def _build(raw: Any, where: str) -> Build:
    problems: list[Problem] = []
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str) or not raw.get("contigs"):
        raise InputError([Problem(where, "no name or no contigs", "keys name, contigs and par")])
    for key in sorted(set(raw) - {"name", "contigs", "par"}):
        problems.append(Problem(where, f"unknown key {key!r}", "keys name, contigs and par"))
    contigs = [_contig(entry, where, problems) for entry in raw["contigs"]]
    names = [contig.name for contig in contigs if contig]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(Problem(where, f"contig {name} is listed twice", "each contig once"))
    pars = [_par(entry, where, problems) for entry in raw.get("par") or []]
    build = Build(raw["name"], tuple(c for c in contigs if c), tuple(p for p in pars if p))
    problems += _misplaced(build, where)
    if problems:
        raise InputError(problems)
    return build


def _misplaced(build: Build, where: str) -> Iterator[Problem]:
    """PARs beyond the end of their contig, or over each other; their lengths on X and Y may differ (T2T-CHM13)."""
    for contig in build.contigs:
        if contig.kind not in ("x", "y"):
            continue
        spans = sorted((par.x if contig.kind == "x" else par.y, par.name) for par in build.par)
        for (start, end), name in spans:
            if end > contig.length:
                yield Problem(
                    where, f"{name} at {start}-{end}, beyond the end of {contig.name}", f"at most {contig.length}"
                )
        for ((_, end), name), ((start, _), other) in pairwise(spans):
            if start < end:
                yield Problem(where, f"{other} overlaps {name} on {contig.name}", "PARs apart from each other")


def _contig(entry: Any, where: str, problems: list[Problem]) -> Contig | None:
    match entry:
        # a contig named 20 is a number to YAML
        case {"name": str() | int() as name, "kind": kind, "length": int(length)} if (
            len(entry) == 3 and kind in get_args(ContigKind) and length > 0 and CONTIG_NAME.fullmatch(str(name))
        ):
            return Contig(str(name), kind, length)
    kinds = ", ".join(get_args(ContigKind))
    problems.append(
        Problem(where, f"contig {entry!r}", f"name (letters, digits, . _ -), kind ({kinds}), length in bases")
    )
    return None


def _par(entry: Any, where: str, problems: list[Problem]) -> Par | None:
    match entry:
        case {"name": str(name), "x": [int(x0), int(x1)], "y": [int(y0), int(y1)]} if (
            len(entry) == 3 and 0 <= x0 < x1 and 0 <= y0 < y1
        ):
            return Par(name, (x0, x1), (y0, y1))
    problems.append(Problem(where, f"par {entry!r}", "name, x: [start, end], y: [start, end], 0-based half-open"))
    return None
