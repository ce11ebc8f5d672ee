"""Reading a genome build: one of ours by name, or a YAML file of the same shape."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from tessera.errors import InputError, Problem, refuse
from tessera.files.paths import refuse_unlike_file
from tessera.files.yaml_documents import read_yaml
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.build import CONTIG, NAMED_BUILDS, PAR, SCHEMA
from tessera.schemas.document import Schema, check_document

NAMING = (
    "Rename the contigs (bcftools annotate --rename-chrs), give the reference (--reference), or give a build file that "
    "names contigs as this file does (docs/counting.md#contigs)."
)


def read_build(name_or_path: str) -> Build:
    """A build by name (GRCh37, GRCh38) or from a YAML file (config/README.md tells its shape).

    Raises InputError with every problem of the file.
    """
    if name_or_path in NAMED_BUILDS:
        text = files("tessera.genome").joinpath(f"builds/{name_or_path}.yaml").read_text()
        return parse_build(yaml.safe_load(text), where=name_or_path)
    path = Path(name_or_path)
    refuse_unlike_file(path, f"one of {', '.join(NAMED_BUILDS)}, or a build file (YAML)")
    return parse_build(read_yaml(path), where=name_or_path)


def parse_build(document: Any, *, where: str) -> Build:
    """The build of a YAML document. Raises InputError with every problem."""
    problems = check_document(document, SCHEMA, where=where)
    contigs = [
        Contig(str(c["name"]), c["kind"], int(c["length"]), tuple(c.get("digests", ())))
        for c in _faultless(document, "contigs", CONTIG)
    ]
    pars = [Par(p["name"], _span(p["x"]), _span(p["y"])) for p in _faultless(document, "par", PAR)]
    problems += _repeated(where, "contigs", [contig.name for contig in contigs])
    problems += _repeated(where, "par", [par.name for par in pars])
    problems += _misplaced(where, contigs, pars)
    if problems:
        raise InputError(problems)
    return Build(document["name"], tuple(contigs), tuple(pars))


def spelt_as(
    build: Build, lengths: Mapping[str, int | None], where: str, why_not: Callable[[str, Contig], str]
) -> Build:
    """The build in the spelling of a file whose contigs are `lengths` (None: not told).

    A contig of the build's name needs no proof. One in the other spelling (`1` for `chr1`) does: `why_not` says why the
    sequence of that name is not proven to be the contig's, or nothing. Raises InputError for what is not proven;
    contigs of another length are not asked, and for the caller to refuse.
    """
    fitted = build.named_like(lengths)
    unproven = [
        (there.name, mine.name, told)
        for mine, there in zip(build.contigs, fitted.contigs, strict=True)
        if mine.name != there.name and there.name in lengths and lengths[there.name] in (None, mine.length)
        if (told := why_not(there.name, mine))
    ]
    if unproven:
        name, meant, told = unproven[0]
        more = f"; and {len(unproven) - 1} more such contigs" if len(unproven) > 1 else ""
        raise refuse(
            where, f"contig {name}, which may be {meant} of build {build.name}: {told}{more}",
            f"the name {meant}, or a sequence that is proven by its digest", NAMING,
        )  # fmt: skip
    return fitted


def _faultless(document: Any, key: str, schema: Schema) -> list[Any]:
    """The entries of a list in which nothing is wrong by themselves; what is between them can still be told."""
    entries = document.get(key) if isinstance(document, dict) else None
    return [entry for entry in entries if not check_document(entry, schema, where="")] if type(entries) is list else []


def _span(ends: Sequence[int]) -> tuple[int, int]:
    return int(ends[0]), int(ends[1])


def _repeated(where: str, key: str, names: Sequence[str]) -> list[Problem]:
    twice = [name for name, times in Counter(names).items() if times > 1]
    return [Problem(f"{where} {key}", f"{name} is listed twice", "each name once") for name in twice]


def _misplaced(where: str, contigs: Sequence[Contig], pars: Sequence[Par]) -> Iterator[Problem]:
    """PARs that are empty, beyond the end of their contig, or over each other.

    A PAR may have another length on X than on Y (T2T-CHM13).
    """
    for kind in ("x", "y"):
        spans = sorted((par.x if kind == "x" else par.y, par.name) for par in pars)
        for (start, end), name in spans:
            if start >= end:
                yield Problem(f"{where} par", f"{name} is {start}-{end} on {kind.upper()}", "start < end")
            for contig in contigs:
                if contig.kind == kind and end > contig.length:
                    found = f"{name} at {start}-{end}, beyond the end of {contig.name}"
                    yield Problem(f"{where} par", found, f"at most {contig.length}")
        for ((_, end), name), ((start, _), other) in pairwise(spans):
            if start < end:
                yield Problem(
                    f"{where} par", f"{other} overlaps {name} on {kind.upper()}", "PARs apart from each other"
                )
