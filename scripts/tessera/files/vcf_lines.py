"""The lines of a text VCF, each judged before anybody counts it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tessera.errors import InputError
from tessera.files.inflated import inflated, is_compressed
from tessera.files.vcf_check import missing_newline, record_problems
from tessera.files.vcf_header import VcfHeader, VcfProblem, read_header


def judged_lines(path: Path) -> Iterator[str]:
    """The records of a VCF as text; nothing for a BCF. Raises InputError at the first line that breaks a rule."""
    lines = _lines(path)
    header, line = _read_header(path, lines)
    if header is None:
        return
    number = header.lines
    while line:
        number += 1
        problems = record_problems(line, header, number)
        if not line.endswith("\n") and not is_compressed(path):
            problems.append(missing_newline(number))
        if problems:
            raise InputError([_of_file(path, problem) for problem in problems])
        yield line
        line = next(lines, "")


def read_text_header(path: Path) -> VcfHeader | None:
    """The header of a VCF, None for a BCF. Raises InputError with every rule that it breaks."""
    return _read_header(path, _lines(path))[0]


def _read_header(path: Path, lines: Iterator[str]) -> tuple[VcfHeader | None, str]:
    """The header and the first line behind it."""
    first = next(lines, "")
    if first.startswith("BCF"):
        return None, ""
    taken = [first]

    def header_lines() -> Iterator[str]:
        yield first
        for line in lines:
            taken[:] = [line]
            yield line

    header = read_header(header_lines(), str(path))
    if not taken[-1].endswith("\n") and not is_compressed(path):
        raise InputError([_of_file(path, missing_newline(header.lines))])
    return header, next(lines, "")


def _of_file(path: Path, problem: VcfProblem) -> VcfProblem:
    return replace(problem, where=f"{path} {problem.where}")


def _lines(path: Path) -> Iterator[str]:
    rest = b""
    for piece in inflated(path):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield f"{line.decode('utf-8', 'surrogateescape')}\n"
    if rest:
        yield rest.decode("utf-8", "surrogateescape")
