"""The records of a VCF, judged as text by every rule on which a count depends; slow and exact, nothing is counted here.

One line is judged by itself with `record_problems`; lines among each other with `OrderCheck`. Rules on which no
count depends (ID, INFO but END, FORMAT fields that are not read) are not asked. docs/refusals.md lists all.
"""

import re
from collections.abc import Iterator, Sequence

from tessera.files.vcf_header import (
    CONTIG,
    COUNTED,
    Findings,
    Rule,
    VcfHeader,
    VcfProblem,
    shown,
    without_line_end,
)
from tessera.genome.alleles import NON_REF

LARGEST = 2**31 - 1
DAMAGED = "The file is damaged: copy or make it again."
BASES = re.compile(r"[ACGTN]+", re.IGNORECASE)
AMBIGUOUS_BASES = re.compile(r"[ACGTNRYSWKMBDHV]+", re.IGNORECASE)
SYMBOLIC = re.compile(r"<[^<>,\s]+>")
#: VCF 4.3, section 5.4: bases before or after a mate in equal brackets, or a single breakend
MATE = r"(?:([\[\]])(?:<[^<>,\s]+>|[^\[\]<>,\s]+):[0-9]+\{})"
BREAKEND = re.compile(
    rf"(?:[ACGTN]+|\.){MATE.format(1)}|{MATE.format(2)}(?:[ACGTN]+|\.)|\.[ACGTN]+|[ACGTN]+\.", re.IGNORECASE
)
ASSEMBLY_CONTIG = re.compile(r"<[^<>,\s]+>")
QUAL = re.compile(r"\.|[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE)
WHOLE = re.compile(r"[0-9]{1,10}")
REAL = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
GENOTYPE = re.compile(r"([/|]?)((?:[0-9]+|\.)(?:[/|](?:[0-9]+|\.))*)")
#: the first versions in which a genotype may begin with its phase (VCF 4.4, section 1.6.2)
LEADING_PHASE = ("4.4", "4.5")


def record_problems(line: str, header: VcfHeader, number: int) -> list[VcfProblem]:
    """All rules that one record breaks; of each rule about samples, the first sample that breaks it.

    `line` is without or with its line end, decoded in any way that keeps ASCII; `number` is its place in the
    file, from 1. The caller says which file in front of `where`. Never raises.
    """
    fields = without_line_end(line).split("\t")
    findings = Findings(_where(fields, number), number)
    if "\0" in line:
        findings.add(Rule.NUL, "a NUL byte", "text", DAMAGED)
    elif len(fields) != 9 + len(header.samples):
        _tell_columns(fields, 9 + len(header.samples), findings)
    else:
        chrom, pos, _, ref, alt, qual, filters, info, keys, *columns = fields
        alts = [] if alt == "." else alt.split(",")
        _check_contig(chrom, header, findings)
        _check_alleles(ref, alts, findings)
        if not QUAL.fullmatch(qual):
            findings.add(Rule.QUAL, f"QUAL is {shown(qual)}", "a number or `.`")
        _check_filter(filters, findings)
        _check_place(pos, ref, _end(info, alts), header.contigs.get(chrom), findings)
        if _check_format(keys.split(":"), header, findings):
            _check_samples(keys.split(":"), columns, 1 + len(alts), header, findings)
    return findings.problems


def missing_newline(number: int) -> VcfProblem:
    """The problem of plain text whose last line, the `number`th, does not end: it may have been cut short.

    Compressed files are not asked: their own checksums and end marks tell a file that was cut.
    """
    return VcfProblem(
        f"line {number}", "the file ends within this line", "a line end (LF) after the last record",
        "If the file is complete, add it; else copy or make it again.",
        rule=Rule.NO_NEWLINE, line=number,
    )  # fmt: skip


class OrderCheck:
    """Records as a count needs them: each contig in one piece, POS not falling within it.

    Contigs of an assembly file (`<ID>`) are not counted, and their order is not asked.
    """

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._contig = ""
        self._pos = 0

    def problem(self, contig: str, pos: int, number: int) -> VcfProblem | None:
        """What is wrong with a record's place after the records before it; `number` is its line."""
        if contig.startswith("<"):
            return None
        findings = Findings(f"line {number}, {contig}:{pos}", number)
        if contig != self._contig:
            self._done.add(self._contig)
            if contig in self._done:
                findings.add(
                    Rule.SCATTERED_CONTIG, f"{contig} again, after {self._contig}", "all records of a contig together",
                    "Sort the file: bcftools sort.",
                )  # fmt: skip
        elif pos < self._pos:
            findings.add(
                Rule.UNSORTED,
                f"POS {pos} after {self._pos}",
                "records in order of POS",
                "Sort the file: bcftools sort.",
            )
        self._contig, self._pos = contig, pos
        return findings.problems[0] if findings.problems else None


def _where(fields: Sequence[str], number: int) -> str:
    if len(fields) > 1 and CONTIG.fullmatch(fields[0]) and WHOLE.fullmatch(fields[1]):
        return f"line {number}, {fields[0]}:{fields[1]}"
    return f"line {number}"


def _tell_columns(fields: Sequence[str], expected: int, findings: Findings) -> None:
    found, remedy = f"{len(fields)} columns", "A line that is too short may have been cut: copy or make the file again."
    if fields == [""]:
        found, remedy = "an empty line", "Remove it."
    elif len(fields) == 1 and len(fields[0].split()) >= expected:
        found, remedy = "no tabs", "Columns are separated by tabs, not by spaces."
    elif len(fields) > expected and not any(fields[expected:]):
        found, remedy = f"{len(fields) - expected} tabs at the end", "Remove them."
    findings.add(Rule.COLUMNS, found, f"{expected} columns, as in the line of #CHROM", remedy)


def _check_contig(chrom: str, header: VcfHeader, findings: Findings) -> None:
    if ASSEMBLY_CONTIG.fullmatch(chrom):
        return
    if not CONTIG.fullmatch(chrom):
        findings.add(Rule.CHROM, f"CHROM is {shown(chrom)}", "the name of a contig")
    elif header.contigs and chrom not in header.contigs:
        findings.add(
            Rule.UNDECLARED_CONTIG, f"{shown(chrom)} has no ##contig line", "contigs that the header declares",
            "Declare it (bcftools reheader --fai), if it is no misspelling.",
        )  # fmt: skip


def _end(info: str, alts: Sequence[str]) -> list[str]:
    """The values of INFO/END where a count reads them, which is where nothing but the reference is at stake."""
    if not all(alt in NON_REF for alt in alts):
        return []
    return [key.removeprefix("END=") for key in info.split(";") if key.startswith("END=") or key == "END"]


def _check_place(pos: str, ref: str, ends: Sequence[str], length: int | None, findings: Findings) -> None:
    if not _is_position(pos):
        return findings.add(
            Rule.POS,
            f"POS is {shown(pos)}",
            f"a whole number from 1 to {LARGEST}",
            "Telomeres (POS 0) are not counted.",
        )
    last = int(pos) + len(ref) - 1
    if len(ends) > 1 or any(not _is_position(end) or int(end) < int(pos) for end in ends):
        findings.add(Rule.END, f"INFO/END is {shown(', '.join(ends))}", "one whole number, POS or more")
    elif ends:
        last = max(last, int(ends[0]))
    if length is not None and last > length:
        findings.add(
            Rule.BEYOND_CONTIG, f"a record that ends at {last}", f"at most {length}, the length in the ##contig line"
        )
    return None


def _is_position(text: str) -> bool:
    return WHOLE.fullmatch(text) is not None and 1 <= int(text) <= LARGEST


def _check_alleles(ref: str, alts: Sequence[str], findings: Findings) -> None:
    """REF is part of a variant's key, and has the bases of VCF 4.3, section 1.6.1; in a reference block it is none."""
    bases = BASES if any(alt not in NON_REF for alt in alts) else AMBIGUOUS_BASES
    if not bases.fullmatch(ref):
        findings.add(
            Rule.REF, f"REF is {shown(ref)}", "bases (A, C, G, T, N)",
            "An ambiguity code is written as the first of its bases in the alphabet.",
        )  # fmt: skip
    for alt in alts:
        if not (BASES.fullmatch(alt) or alt == "*" or SYMBOLIC.fullmatch(alt) or BREAKEND.fullmatch(alt)):
            findings.add(
                Rule.ALT, f"ALT has {shown(alt)}", "bases (A, C, G, T, N), `*`, `.` alone, <symbolic> or a breakend"
            )
        elif alt.upper() == ref.upper():
            findings.add(Rule.ALT, f"ALT has {shown(alt)}, which is REF", "alleles that are not REF")
    if len({alt.upper() if BASES.fullmatch(alt) else alt for alt in alts}) < len(alts):
        findings.add(Rule.ALT, f"ALT is {shown(','.join(alts))}", "each allele once")


def _check_filter(filters: str, findings: Findings) -> None:
    """PASS beside another code is not PASS, and is left to stand: the specification's own test files have it."""
    codes = filters.split(";")
    if (
        len(set(codes)) < len(codes)
        or any(not code or code == "0" or re.search(r"\s", code) for code in codes)
        or (len(codes) > 1 and "." in codes)
    ):
        findings.add(Rule.FILTER, f"FILTER is {shown(filters)}", "PASS, `.`, or codes between `;`, each once")


def _check_format(keys: Sequence[str], header: VcfHeader, findings: Findings) -> bool:
    """Whether the sample columns can be read."""
    before = len(findings.problems)
    if len(set(keys)) < len(keys) or any(not key or re.search(r"\s", key) for key in keys):
        findings.add(Rule.FORMAT, f"FORMAT is {shown(':'.join(keys))}", "names between `:`, each once")
    elif "GT" not in keys:
        findings.add(Rule.NO_GT, "no GT in FORMAT", "a genotype (GT) in every record")
    elif keys[0] != "GT":
        findings.add(Rule.FORMAT, f"FORMAT is {shown(':'.join(keys))}", "GT as the first field")
    readable = len(findings.problems) == before
    for key in keys:
        if key in COUNTED and key != "GT" and key not in header.formats:
            findings.add(
                Rule.UNDECLARED_FORMAT, f"{key} has no ##FORMAT line", "a declaration of each field that is asked",
                "Declare it (bcftools annotate --header-lines).",
            )  # fmt: skip
    return readable


def _check_samples(
    keys: Sequence[str], columns: Sequence[str], alleles: int, header: VcfHeader, findings: Findings
) -> None:
    told: set[Rule] = set()
    for column in dict.fromkeys(columns):
        for rule, found, expected in _sample_problems(keys, column.split(":"), alleles, header):
            if rule not in told:
                told.add(rule)
                findings.add(rule, f"sample {shown(header.samples[columns.index(column)])} has {found}", expected)


def _sample_problems(
    keys: Sequence[str], values: Sequence[str], alleles: int, header: VcfHeader
) -> Iterator[tuple[Rule, str, str]]:
    if len(values) > len(keys):
        yield Rule.SUBFIELDS, f"{len(values)} fields", f"at most the {len(keys)} of FORMAT"
    yield from _genotype_problems(values[0], alleles, leading=header.version in LEADING_PHASE)
    for key, value in zip(keys, values, strict=False):
        if key not in header.formats or value == ".":
            continue
        if key in ("GQ", "DP", "MIN_DP") and not _is_number(value, header.formats[key][1]):
            kind = "number" if header.formats[key][1] == "Float" else "whole number"
            yield Rule.NUMBER, f"{key} {shown(value)}", f"a {kind}, 0 or more, or `.`"
        if key == "AD":
            depths = value.split(",")
            if len(depths) != alleles or not all(depth == "." or _is_number(depth, "Integer") for depth in depths):
                yield Rule.AD, f"AD {shown(value)}", f"{alleles} whole numbers (REF and each ALT), or `.`"


def _genotype_problems(genotype: str, alleles: int, *, leading: bool) -> Iterator[tuple[Rule, str, str]]:
    found = GENOTYPE.fullmatch(genotype)
    if not found or (found[1] and not leading):
        yield Rule.GT, f"GT {shown(genotype)}", "allele numbers or `.`, separated by / or |"
        return
    named = re.split(r"[/|]", found[2])
    if len(named) > 2:
        yield Rule.PLOIDY, f"GT {shown(genotype)}", "one or two alleles; polyploid genotypes are not counted"
    if any(allele != "." and not (WHOLE.fullmatch(allele) and int(allele) < alleles) for allele in named):
        yield Rule.ALLELE, f"GT {shown(genotype)}", f"allele numbers up to {alleles - 1}, the number of ALTs"


def _is_number(text: str, kind: str) -> bool:
    if kind == "Float":
        return REAL.fullmatch(text) is not None
    return WHOLE.fullmatch(text) is not None and int(text) <= LARGEST
