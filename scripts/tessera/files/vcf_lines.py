"""The lines of a text VCF, each judged before anybody counts it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tessera.errors import InputError
from tessera.files.inflated import inflated, is_compressed
from tessera.files.vcf_check import missing_newline, record_problems
from tessera.files.vcf_header import read_header


def judged_lines(path: Path) -> Iterator[str]:
    """The records of a VCF as text; nothing for a BCF. Raises InputError at the first line that breaks a rule."""
    lines = _lines(path)
    first = next(lines, "")
    if first.startswith("BCF"):
        return
    header_lines = [first]
    line = ""
    for line in lines:
        if not line.startswith("#"):
            break
        header_lines.append(line)
    else:
        line = ""
    header = read_header(iter(header_lines), str(path))
    number = len(header_lines)
    while line:
        number += 1
        problems = record_problems(line, header, number)
        if not line.endswith("\n") and not is_compressed(path):
            problems.append(missing_newline(number))
        if problems:
            raise InputError([replace(problem, where=f"{path} {problem.where}") for problem in problems])
        yield line
        line = next(lines, "")


def _lines(path: Path) -> Iterator[str]:
    rest = b""
    for piece in inflated(path):
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield f"{line.decode('utf-8', 'surrogateescape')}\n"
    if rest:
        yield rest.decode("utf-8", "surrogateescape")
