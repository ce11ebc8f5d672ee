"""Counts VCF text by brute force: base by base, person by person, in plain loops, from the text of the rules.

Nothing here is fast or clever, and nothing is shared with the package under test, not even the reading of VCF.
Each function states one rule.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

NOBODY = ("<NON_REF>", "<*>")

Key = tuple[str, int, str, str]


@dataclass(frozen=True)
class Genome:
    """Contig -> (kind, bases), and the PARs as (start, end) on X and on Y, 0-based half-open."""

    contigs: dict[str, tuple[str, str]]
    par_x: list[tuple[int, int]]
    par_y: list[tuple[int, int]]


@dataclass(frozen=True)
class Rules:
    """Thresholds of the mask (None: not asked), where unlisted bases are declared called, and whether they
    are else unknown; `normalised` alleles are taken as written."""

    min_gq: int | None
    min_dp: int | None
    min_dp_haploid: int | None
    min_ab: Fraction | None
    declared: dict[str, list[tuple[int, int]]]
    unknown_outside: bool
    normalised: bool


@dataclass(frozen=True)
class Call:
    """One person's cell of one line; `gt` holds a number, or None for a dot, for each allele written."""

    gt: tuple[int | None, ...]
    gq: int | None
    dp: int | None
    min_dp: int | None
    ad: list[int | None]


@dataclass(frozen=True)
class Line:
    """One line of the file; `fields` are the keys of its FORMAT."""

    contig: str
    pos: int
    end: int
    ref: str
    alts: list[str]
    filter: str
    fields: list[str]
    calls: list[Call]

    @property
    def is_reference(self) -> bool:
        """No allele but the reference is at stake."""
        return all(alt in NOBODY for alt in self.alts)


@dataclass
class Expected:
    """What a summary of the file must hold."""

    #: key and stratum -> n_listed n_dip n_hap n_het n_homalt n_hemi an_unknown
    variants: dict[tuple[str, int, str, str, str], list[int]] = field(default_factory=dict)
    #: contig and stratum -> (n_dip, n_hap, an_unknown) of every base
    track: dict[tuple[str, str], list[tuple[int, int, int]]] = field(default_factory=dict)
    #: contig, block start, stratum, metric, bin
    histograms: Counter[tuple[str, int, str, str, int]] = field(default_factory=Counter)
    ledger: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    #: of the build, under no line and under several
    bases: Counter[str] = field(default_factory=Counter)


def parse(text: str) -> tuple[set[str], list[Line]]:
    """The FORMAT fields that the header declares, and the lines."""
    rows = text.splitlines()
    declared = {row.split("ID=")[1].split(",")[0] for row in rows if row.startswith("##FORMAT")}
    return declared, [parse_line(row.split("\t")) for row in rows if not row.startswith("#")]


def parse_line(cells: list[str]) -> Line:
    """One line; a reference record may say its end in INFO."""
    pos, ref = int(cells[1]), cells[3].upper()
    alts = [] if cells[4] == "." else [a.upper() if a.isalpha() else a for a in cells[4].split(",")]
    end = pos - 1 + len(ref)
    if all(alt in NOBODY for alt in alts) and cells[7].startswith("END="):
        end = int(cells[7][4:].split(";")[0])
    fields = cells[8].split(":")
    return Line(cells[0], pos, end, ref, alts, cells[6], fields, [parse_call(fields, c) for c in cells[9:]])


def parse_call(fields: list[str], cell: str) -> Call:
    """One cell; fields that are left off at its end are missing."""
    values = dict(zip(fields, cell.split(":"), strict=False))
    alleles = values["GT"].replace("|", "/").split("/")
    return Call(
        tuple(None if a == "." else int(a) for a in alleles),
        number(values.get("GQ", ".")),
        number(values.get("DP", ".")),
        number(values.get("MIN_DP", ".")),
        [number(part) for part in values.get("AD", ".").split(",")],
    )


def number(text: str) -> int | None:
    """An integer, or None for a dot."""
    return None if text == "." else int(text)


def expected_ploidy(genome: Genome, karyotype: str, contig: str, base: int) -> int:
    """Alleles of a person at a 0-based base; 0 = is not counted there."""
    kind = genome.contigs[contig][0]
    if kind == "autosome":
        return 2
    if kind == "mt":
        return 1
    pars = genome.par_x if kind == "x" else genome.par_y
    in_par = any(start <= base < end for start, end in pars)
    if kind == "x":
        return {"XX": 2, "XY": 2 if in_par else 1}.get(karyotype, 0)
    return 1 if karyotype == "XY" and not in_par else 0


def normal_form(bases: str, pos: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Of all ways to write this change of the sequence, the shortest, and of those the left-most."""
    changed = bases[: pos - 1] + alt + bases[pos - 1 + len(ref) :]
    growth = len(alt) - len(ref)
    for length in range(1, len(ref) + 1):
        if length + growth < 1:
            continue
        for start in range(len(bases) - length + 1):
            piece = changed[start : start + length + growth]
            if bases[:start] + piece + bases[start + length :] == changed:
                return start + 1, bases[start : start + length], piece
    raise AssertionError("the way it was written is one of them")


def key_of(genome: Genome, rules: Rules, line: Line, alt: str) -> Key | None:
    """The key of one ALT; what is not written in bases has none."""
    if line.contig not in genome.contigs or not alt.isalpha():
        return None
    if rules.normalised:
        return line.contig, line.pos, line.ref, alt
    return (line.contig, *normal_form(genome.contigs[line.contig][1], line.pos, line.ref, alt))


def why_not(rules: Rules, line: Line, call: Call, ploidy: int, *, mt: bool) -> str | None:
    """The first reason why a person of this ploidy is not called at this line; None = called."""
    gt, different = call.gt, len(set(call.gt)) > 1
    needed = rules.min_dp_haploid if ploidy == 1 else rules.min_dp
    depth = call.min_dp if line.is_reference and "MIN_DP" in line.fields else call.dp
    quality_unasked = line.is_reference and "GQ" not in line.fields
    reasons = {
        "no_copy_here": ploidy == 0,
        "filter": line.filter not in ("PASS", "."),
        "missing": all(a is None for a in gt),
        "half_call": None in gt,
        "non_ref_call": any(a and line.alts[a - 1] in NOBODY for a in gt),
        "haploid_call_of_diploid": ploidy == 2 and len(gt) == 1,
        "het_call_of_haploid": ploidy == 1 and different and not mt,
        "low_gq": rules.min_gq is not None and not quality_unasked and (call.gq is None or call.gq < rules.min_gq),
        "low_dp": needed is not None and (depth is None or depth < needed),
        "low_allele_balance": ploidy == 2 and different and unbalanced(rules, call),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def unbalanced(rules: Rules, call: Call) -> bool:
    """Has an ALT of the genotype too small a share of the reads, or is its share not known?"""
    if rules.min_ab is None:
        return False
    for allele in call.gt:
        reads = call.ad[allele] if allele is not None and allele < len(call.ad) else None
        if allele and (reads is None or call.dp is None or reads < rules.min_ab * call.dp):
            return True
    return False


class Count:
    """The count of one file: `samples` in the order of its columns, with karyotype and stratum."""

    def __init__(self, genome: Genome, rules: Rules, text: str, people: list[tuple[str, str]], block: int) -> None:
        self.genome, self.people, self.block = genome, people, block
        declared, self.lines = parse(text)
        self.rules = Rules(
            rules.min_gq if "GQ" in declared else None,
            rules.min_dp if "DP" in declared else None,
            rules.min_dp_haploid if "DP" in declared else None,
            rules.min_ab if {"AD", "DP"} <= declared else None,
            rules.declared,
            rules.unknown_outside,
            rules.normalised,
        )
        self.keys = [[key_of(genome, rules, line, alt) for alt in line.alts] for line in self.lines]

    def reason(self, line: Line, person: int, base: int) -> str | None:
        """Why this person is not called by this line, asked at a 0-based base."""
        ploidy = expected_ploidy(self.genome, self.people[person][0], line.contig, base)
        mt = self.genome.contigs[line.contig][0] == "mt"
        return why_not(self.rules, line, line.calls[person], ploidy, mt=mt)

    def covers_from(self, number: int) -> int:
        """0-based base at which a line begins to answer: its least normalised POS, or its own."""
        line = self.lines[number]
        return min([line.pos, *(key[1] for key in self.keys[number] if key)]) - 1

    def deciding(self, contig: str, base: int) -> list[Line]:
        """The lines that decide a base: variants before references; the latest start; all that start there."""
        over = [
            (not line.is_reference, self.covers_from(number), line)
            for number, line in enumerate(self.lines)
            if line.contig == contig and self.covers_from(number) <= base < line.end
        ]
        best = max((entry[:2] for entry in over), default=None)
        return [line for *rank, line in over if tuple(rank) == best]

    def at_base(self, contig: str, base: int) -> list[tuple[int, int, int]]:
        """(diploid, haploid, unknown alleles) of each person at a base."""
        lines = self.deciding(contig, base)
        declared = any(start <= base < end for start, end in self.rules.declared.get(contig, []))
        found = []
        for person, (karyotype, _) in enumerate(self.people):
            ploidy = expected_ploidy(self.genome, karyotype, contig, base)
            called = all(self.reason(line, person, base) is None for line in lines) if lines else declared
            unknown = not lines and not declared and self.rules.unknown_outside
            found.append((called and ploidy == 2, called and ploidy == 1, ploidy if unknown else 0))
        return [(int(dip), int(hap), alleles) for dip, hap, alleles in found]

    def expected(self) -> Expected:
        """Everything at once."""
        result = Expected()
        for contig, (_, bases) in self.genome.contigs.items():
            for base in range(len(bases)):
                self.add_base(result, contig, base)
                over = sum(line.contig == contig and line.pos - 1 <= base < line.end for line in self.lines)
                if over != 1:
                    result.bases["under_several_records" if over else "under_no_record"] += 1
        seen: set[Key] = set()
        for number, line in enumerate(self.lines):
            result.records["read"] += 1
            if line.contig not in self.genome.contigs:
                result.records["dropped:contig_not_counted"] += 1
                continue
            for allele, (alt, key) in enumerate(zip(line.alts, self.keys[number], strict=True), start=1):
                if key:
                    self.add_allele(result, line, allele, key, first=key not in seen)
                    seen.add(key)
                elif alt != "*" and alt not in NOBODY:
                    carriers = sum(allele in call.gt for call in line.calls)
                    result.ledger["carriers_in"] += carriers
                    result.ledger["carriers_dropped:symbolic_allele"] += carriers
        return result

    def add_base(self, result: Expected, contig: str, base: int) -> None:
        """Sum one base over the people of each stratum."""
        each = self.at_base(contig, base)
        for stratum in {stratum for _, stratum in self.people}:
            mine = [each[i] for i, (_, s) in enumerate(self.people) if s == stratum]
            total = (sum(m[0] for m in mine), sum(m[1] for m in mine), sum(m[2] for m in mine))
            result.track.setdefault((contig, stratum), []).append(total)

    def add_allele(self, result: Expected, line: Line, allele: int, key: Key, *, first: bool) -> None:
        """One ALT of one line: a row for each stratum, and where each carrier went."""
        for person, (_, stratum) in enumerate(self.people):
            carries = allele in line.calls[person].gt
            result.ledger["carriers_in"] += carries
            if not first:
                result.ledger["carriers_dropped:duplicate_record"] += carries
                continue
            row = result.variants.setdefault((*key, stratum), [0] * 7)
            row[0] += 1
            reason = self.reason(line, person, key[1] - 1)
            if reason:
                result.ledger[f"carriers_dropped:{reason}"] += carries
                continue
            self.add_called(result, row, line.calls[person], (person, allele, key))

    def add_called(self, result: Expected, row: list[int], call: Call, which: tuple[int, int, Key]) -> None:
        """A called person: in AN, and if carrier in one of the three classes and in the histograms."""
        person, allele, key = which
        karyotype, stratum = self.people[person]
        ploidy = expected_ploidy(self.genome, karyotype, key[0], key[1] - 1)
        row[1 if ploidy == 2 else 2] += 1
        block = (key[1] - 1) // self.block * self.block
        for metric, value in (("gq_all", call.gq), ("dp_all", call.dp)):
            if value is not None:
                result.histograms[key[0], block, stratum, metric, min(value // 5, 20)] += 1
        if allele not in call.gt:
            return
        result.ledger["carriers_counted"] += 1
        het = len(set(call.gt)) > 1
        row[3 if het else 4 if ploidy == 2 else 5] += 1
        mt = self.genome.contigs[key[0]][0] == "mt"
        for metric, place in bins(call, allele, ab=het and ploidy == 2, mt=mt):
            result.histograms[key[0], block, stratum, metric, place] += 1


def bins(call: Call, allele: int, *, ab: bool, mt: bool) -> list[tuple[str, int]]:
    """The bins of one counted carrier; a value that is not known falls in none."""
    found = [("gq_alt", min(call.gq // 5, 20))] if call.gq is not None else []
    found += [("dp_alt", min(call.dp // 5, 20))] if call.dp is not None else []
    reads = call.ad[allele] if allele < len(call.ad) else None
    if (ab or mt) and reads is not None and call.dp:
        found.append(("heteroplasmy" if mt else "ab_alt", min(reads * 20 // call.dp, 19)))
    return found
