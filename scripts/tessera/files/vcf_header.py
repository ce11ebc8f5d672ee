"""The header of a VCF, judged as text: what the records below it may be held to, and every rule it breaks."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tessera.errors import InputError, Problem

COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
#: spreadsheets leave tabs behind
VERSION = re.compile(r"##fileformat=VCFv(4\.[0-5])\s*")
STRUCTURED = re.compile(r"##(contig|FORMAT|INFO)=(.*)")
ENTRY = re.compile(r'\s*([^\s=,"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,"]*)(?:,|$)')
#: as SAM names a reference sequence, which VCF 4.3, section 1.4.7, refers to; HLA contigs have `*` and `:`
CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
LENGTH = re.compile(r"[0-9]{1,10}")
#: FORMAT field that a count reads -> the Numbers and the Types under which it can; AD was `.` until VCF 4.3
COUNTED = {
    "GT": (("1",), ("String",)),
    "GQ": (("1",), ("Integer", "Float")),
    "DP": (("1",), ("Integer",)),
    "MIN_DP": (("1",), ("Integer",)),
    "AD": (("R", "."), ("Integer",)),
}
SHOWN = 40
#: what no name in UTF-8 holds
UNREADABLE = re.compile("[\0\ud800-\udfff]")


class Rule(StrEnum):
    """What a VCF is held to; docs/refusals.md says each in words."""

    FILEFORMAT = "fileformat"
    HEADER_LINE = "header-line"
    COLUMN_LINE = "column-line"
    NO_SAMPLES = "no-samples"
    SAMPLE_NAME = "sample-name"
    CONTIG_DECLARATION = "contig-declaration"
    FORMAT_DECLARATION = "format-declaration"
    END_DECLARATION = "end-declaration"
    NO_NEWLINE = "no-newline"
    NUL = "nul"
    COLUMNS = "columns"
    CHROM = "chrom"
    UNDECLARED_CONTIG = "undeclared-contig"
    POS = "pos"
    BEYOND_CONTIG = "beyond-contig"
    REF = "ref"
    ALT = "alt"
    QUAL = "qual"
    FILTER = "filter"
    END = "end"
    FORMAT = "format"
    NO_GT = "no-gt"
    UNDECLARED_FORMAT = "undeclared-format"
    SUBFIELDS = "subfields"
    GT = "gt"
    ALLELE = "allele"
    PLOIDY = "ploidy"
    NUMBER = "number"
    AD = "ad"
    UNSORTED = "unsorted"
    SCATTERED_CONTIG = "scattered-contig"


@dataclass(frozen=True, kw_only=True)
class VcfProblem(Problem):
    """A Problem that also names the broken rule and the line (the first line of a file is 1)."""

    rule: Rule
    line: int


@dataclass
class Findings:
    """The problems of one place, gathered before any is told."""

    where: str
    line: int
    problems: list[VcfProblem] = field(default_factory=list)

    def add(self, rule: Rule, found: str, expected: str, remedy: str = "") -> None:
        self.problems.append(VcfProblem(self.where, found, expected, remedy, rule=rule, line=self.line))


@dataclass
class VcfHeader:
    """A sound header: `contigs` is name -> length or None, `formats` FORMAT ID -> (Number, Type), `lines` its length.

    `version` is the 4.x of the first line.
    """

    version: str = ""
    samples: list[str] = field(default_factory=list)
    contigs: dict[str, int | None] = field(default_factory=dict)
    formats: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: int = 0


def shown(text: str) -> str:
    """Text of a file inside a message: quoted, in ASCII, and not too long."""
    return json.dumps(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def without_line_end(line: str) -> str:
    """A line without its LF or CR LF."""
    return line.removesuffix("\n").removesuffix("\r")


def read_header(lines: Iterable[str], where: str) -> VcfHeader:
    """The header of the VCF whose lines these are; an iterator is left at the first record.

    `lines` are split at LF alone and decoded from UTF-8 with `surrogateescape`. Raises InputError with all
    problems of the header; `where` is the file.
    """
    header = VcfHeader()
    problems: list[VcfProblem] = []
    columns = None
    for text in lines:
        line = without_line_end(text)
        header.lines += 1
        findings = Findings(f"{where} line {header.lines}", header.lines)
        if header.lines == 1:
            _read_version(line, header, findings)
        if not line.startswith("##"):
            columns = line
            _read_columns(line, header, findings)
        elif "\0" in line:
            findings.add(Rule.NUL, "a NUL byte", "text", "The file is damaged: copy or make it again.")
        elif meta := STRUCTURED.match(line):
            _read_meta(meta[1], meta[2], header, findings)
        problems += findings.problems
        if columns is not None:
            break
    if columns is None:
        problems += _ends_early(where, header.lines)
    if problems:
        raise InputError(problems)
    return header


def _ends_early(where: str, lines: int) -> list[VcfProblem]:
    findings = Findings(f"{where} line {max(lines, 1)}", max(lines, 1))
    if not lines:
        findings.add(Rule.FILEFORMAT, "nothing", "##fileformat=VCFv4.0 to VCFv4.5")
    findings.add(Rule.HEADER_LINE, "the file ends here", "a line that begins with #CHROM", "Copy or make it again.")
    return findings.problems


def _read_version(line: str, header: VcfHeader, findings: Findings) -> None:
    version = VERSION.fullmatch(line)
    if not version:
        return findings.add(Rule.FILEFORMAT, shown(line), "##fileformat=VCFv4.0 to VCFv4.5, as the first line")
    header.version = version[1]


def _read_columns(line: str, header: VcfHeader, findings: Findings) -> None:
    if not line.startswith("#"):
        return findings.add(Rule.HEADER_LINE, shown(line), "header lines (##) and then the line of columns (#CHROM)")
    names = line.split("\t")
    if names[:8] != COLUMNS or names[8:9] not in ([], ["FORMAT"]):
        return findings.add(
            Rule.COLUMN_LINE, shown(line), " ".join([*COLUMNS, "FORMAT"]) + " and samples, between tabs"
        )
    header.samples = names[9:]
    if not header.samples:
        return findings.add(
            Rule.NO_SAMPLES, "no sample columns", "the genotypes of at least one sample",
            "A VCF of sites alone cannot be counted.",
        )  # fmt: skip
    times, all_readable = Counter(header.samples), not UNREADABLE.search(line)
    for name, number in times.items():
        if not name.strip():
            findings.add(Rule.SAMPLE_NAME, f"columns without a sample name ({number})", "a name for every sample")
        elif not all_readable and UNREADABLE.search(name):
            findings.add(Rule.SAMPLE_NAME, f"a sample named {shown(name)}", "names in UTF-8")
        elif number > 1:
            findings.add(Rule.SAMPLE_NAME, f"{shown(name)} {number} times", "each sample once")
    return None


def _read_meta(kind: str, body: str, header: VcfHeader, findings: Findings) -> None:
    entries, whole = entries_of(body.rstrip().removeprefix("<").removesuffix(">"))
    if kind == "contig":
        _read_contig(entries, whole and body.startswith("<") and body.rstrip().endswith(">"), header, findings)
        return
    name, said = entries.get("ID", ""), (entries.get("Number", ""), entries.get("Type", ""))
    if kind == "FORMAT":
        _check_declaration(Rule.FORMAT_DECLARATION, name, said, COUNTED, findings)
        if name in COUNTED and header.formats.get(name, said) != said:
            findings.add(Rule.FORMAT_DECLARATION, f"{name} declared again, otherwise", "one declaration")
        header.formats[name] = said
    else:
        _check_declaration(Rule.END_DECLARATION, name, said, {"END": (("1",), ("Integer",))}, findings)


def entries_of(body: str) -> tuple[dict[str, str], bool]:
    """The key=value pairs of a structured line, whatever their order, and whether they are all of it.

    `body` is what stands between `<` and `>`; quotes around values are taken off.
    """
    entries: dict[str, str] = {}
    at = 0
    while entry := ENTRY.match(body, at):
        entries.setdefault(entry[1], entry[2].strip().strip('"'))
        at = entry.end()
    return entries, at == len(body)


def _read_contig(entries: dict[str, str], whole: bool, header: VcfHeader, findings: Findings) -> None:
    name, said = entries.get("ID", ""), entries.get("length")
    if not whole or not CONTIG.fullmatch(name) or (said is not None and not LENGTH.fullmatch(said)):
        findings.add(Rule.CONTIG_DECLARATION, "a ##contig line that cannot be read", "##contig=<ID=name,length=bases>")
        return
    before, length = header.contigs.get(name), None if said is None else int(said)
    if before is not None and length is not None and before != length:
        findings.add(
            Rule.CONTIG_DECLARATION,
            f"{shown(name)} with length {length}, before with {before}",
            "one length of a contig",
        )
    header.contigs[name] = before if length is None else length


def _check_declaration(
    rule: Rule,
    name: str,
    said: tuple[str, str],
    asked: dict[str, tuple[tuple[str, ...], tuple[str, ...]]],
    findings: Findings,
) -> None:
    if name not in asked:
        return
    numbers, types = asked[name]
    if said[0] not in numbers or said[1] not in types:
        findings.add(
            rule, f"{name} declared with Number={said[0]},Type={said[1]}",
            f"Number={' or '.join(numbers)} and Type={' or '.join(types)}",
            "If the values are right, correct the declaration; if they mean something else, they cannot be counted.",
        )  # fmt: skip
