"""The header of a BAM or CRAM that came aligned: whose reads it holds, and on which reference they were aligned."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pysam
from pysam.utils import SamtoolsError

from tessera.errors import InputError, Problem, refuse
from tessera.files.fasta import Reference
from tessera.files.paths import is_file
from tessera.genome.build import Build
from tessera.schemas.config import ALIGNERS

#: as aligners write theirs: 2.31-r1302, 0.7.17-r1188
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)+(-r[0-9]+)?")
_REALIGN = "Align the reads to the run's reference, or give the reference that they are on."
_COPY = "Copy it again, and compare its checksum with the original's."
_REHEAD = "Give the file of this sample, or correct its read groups (samtools addreplacerg or reheader)."


class AlignmentChecks:
    """Checks headers against the contigs of the run's reference that the build counts."""

    def __init__(self, build: Build, fasta: Path | None) -> None:
        """`fasta`: an indexed FASTA; without one, names and lengths are the build's, in either naming of contigs."""
        self._reference = Reference(fasta) if fasta else None
        self._build = self._reference.spelling(build) if self._reference else build

    def check(self, path: Path, sample: str) -> list[str]:
        """Refuse what is cut short, somebody else's, or on another reference; the contigs that are not counted, else.

        Each counted contig must be there with its length and, where the header states M5, with its bases.
        """
        header = _read_header(path)
        found = {str(line["SN"]): line for line in header.get("SQ", [])}
        expected = self._expected(found)
        problems = [
            *_cut_short(path),
            *_whose(path, header, sample),
            *self._on_another_reference(path, found, expected),
        ]
        if problems:
            raise InputError(problems)
        return [name for name in found if name not in expected]

    def _expected(self, found: Mapping[str, Any]) -> dict[str, int]:
        """Contigs that a file must have -> length in bases."""
        known = self._reference.lengths if self._reference else found
        contigs = self._build.contigs if self._reference else self._build.named_like(found).contigs
        return {c.name: c.length for c in contigs if c.name in known} or {c.name: c.length for c in contigs}

    def _on_another_reference(
        self, path: Path, found: Mapping[str, Mapping[str, Any]], expected: Mapping[str, int]
    ) -> Iterator[Problem]:
        """One problem for all contigs: they differ in most when they differ in one."""
        differing = [(name, *told) for name in expected if (told := self._difference(found, name, expected[name]))]
        if differing:
            name, is_there, should_be = differing[0]
            more = f", and {len(differing) - 1} more contigs differ" if len(differing) > 1 else ""
            said = f"contig {name}: {is_there}{more}"
            yield Problem(f"{path} header", said, f"{should_be} as in the run's reference", _REALIGN)

    def _difference(self, found: Mapping[str, Mapping[str, Any]], name: str, length: int) -> tuple[str, str] | None:
        """What a contig is in a file and what it should be; None where they agree."""
        if name not in found:
            return f"none of that name among {', '.join(list(found)[:3]) or 'no contigs'}", f"{length:,} bases"
        if found[name]["LN"] != length:
            return f"{found[name]['LN']:,} bases", f"{length:,} bases"
        stated = str(found[name].get("M5", "")).lower()
        if stated and self._reference and stated != self._reference.md5(name):
            return f"bases with MD5 {stated}", f"MD5 {self._reference.md5(name)}"
        return None


def is_indexed(fasta: Path) -> bool:
    """Whether a FASTA can be read without writing an index beside it."""
    return is_file(Path(f"{fasta}.fai")) and (fasta.suffix != ".gz" or is_file(Path(f"{fasta}.gzi")))


def aligner_versions(paths: Iterable[Path]) -> dict[str, str]:
    """Aligner -> its versions, joined by blanks, by the `@PG` lines of BAM and CRAM that the run aligned."""
    found: dict[str, set[str]] = {}
    for path in paths:
        for program in _read_header(path).get("PG", []):
            name, version = str(program.get("PN")), str(program.get("VN"))
            if name in ALIGNERS and _VERSION.fullmatch(version):
                found.setdefault(name, set()).add(version)
    return {name: " ".join(sorted(versions)) for name, versions in sorted(found.items())}


def _read_header(path: Path) -> dict[str, Any]:
    verbosity = pysam.set_verbosity(0)  # HTSlib's own words about what we say better
    try:
        with pysam.AlignmentFile(str(path), check_sq=False) as file:
            return dict(file.header.to_dict())
    except (OSError, ValueError) as error:
        raise refuse(str(path), f"not readable as BAM or CRAM ({error})", "a BAM or CRAM file, whole", _COPY) from error
    finally:
        pysam.set_verbosity(verbosity)


def _cut_short(path: Path) -> Iterator[Problem]:
    """The block that ends a file (SAM specification, section 4.1.2; CRAM 3.0, section 9) is not there."""
    try:
        pysam.quickcheck("-u", str(path))  # -u: contigs are ours to compare
    except SamtoolsError:
        yield Problem(str(path), "cut short: no end-of-file block", "a BAM or CRAM file, whole", _COPY)


def _whose(path: Path, header: Mapping[str, Any], sample: str) -> Iterator[Problem]:
    names = sorted({str(group.get("SM", "(no SM)")) for group in header.get("RG", [])})
    if names != [sample]:
        found = f"read groups of {', '.join(names) or 'no sample'}"
        yield Problem(f"{path} header", found, f"SM:{sample}, as the sheet says", _REHEAD)
