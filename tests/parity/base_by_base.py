"""One person's gVCF of an autosome counted base by base, as docs/counting.md says it (mask `adj`), in plain loops.

No code of the package, no VCF library: lines are split at tabs. A window of the contig is walked; alleles are taken as
they are written.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

UNNAMED = ("<NON_REF>", "<*>")


@dataclass(frozen=True)
class Line:
    """One record; `cell` is FORMAT key -> the person's value, and a key that was left off is a dot."""

    pos: int
    ref: str
    alts: list[str]
    end: int
    passes_filter: bool
    cell: dict[str, str]

    @property
    def is_variant(self) -> bool:
        """Some ALT is a base or `*`."""
        return any(alt not in UNNAMED for alt in self.alts)

    def number(self, key: str) -> int:
        """A value of the cell; a missing one is below every threshold."""
        text = self.cell.get(key, ".")
        return int(text) if text != "." else -1

    @property
    def genotype(self) -> list[str]:
        """The alleles as written."""
        return self.cell["GT"].replace("|", "/").split("/")

    def called(self) -> bool:
        """Whether the person passes the mask here: FILTER, genotype, GQ, DP, allele balance."""
        depth = "MIN_DP" if not self.is_variant and "MIN_DP" in self.cell else "DP"
        asked = [depth] if not self.is_variant and "GQ" not in self.cell else [depth, "GQ"]
        if not self.passes_filter or len(self.genotype) != 2 or "." in self.genotype:
            return False
        carried = {int(allele) for allele in self.genotype} - {0}
        if any(self.alts[allele - 1] in UNNAMED for allele in carried):
            return False
        if any(self.number(key) < {"GQ": 20}.get(key, 10) for key in asked):
            return False
        if len(set(self.genotype)) == 1:
            return True
        reads = self.cell.get("AD", "").split(",")
        return len(reads) == len(self.alts) + 1 and all(5 * int(reads[a]) >= self.number("DP") for a in carried)


def lines_in(path: Path, contig: str, start: int, end: int, sample: int = 0) -> list[Line]:
    """The lines of a file that reach into [start, end), 0-based, of a contig, with the cell of one sample."""
    found = []
    with gzip.open(path, "rt") if path.suffix in (".gz", ".bgz") else path.open() as text:
        for row in text:
            if not row.startswith(f"{contig}\t"):
                continue
            cells = row.rstrip("\n").split("\t")
            pos, ref, alts = int(cells[1]), cells[3], [] if cells[4] == "." else cells[4].split(",")
            said = [entry[4:] for entry in cells[7].split(";") if entry.startswith("END=")]
            reach = int(said[0]) if said and all(alt in UNNAMED for alt in alts) else pos - 1 + len(ref)
            if pos - 1 < end and reach > start:
                cell = dict(zip(cells[8].split(":"), cells[9 + sample].split(":"), strict=False))
                found.append(Line(pos, ref, alts, reach, cells[6] in ("PASS", "."), cell))
    return found


def deciding(lines: list[Line], start: int, end: int) -> list[list[Line]]:
    """For each base of [start, end) the lines that decide: variants before references, then the latest start."""
    over: list[list[Line]] = [[] for _ in range(start, end)]
    for line in lines:
        for base in range(max(start, line.pos - 1), min(end, line.end)):
            over[base - start].append(line)
    decided = []
    for covering in over:
        some = [line for line in covering if line.is_variant] or covering
        decided.append([line for line in some if line.pos == max(other.pos for other in some)])
    return decided


def called_bases(lines: list[Line], start: int, end: int) -> list[bool]:
    """Whether the person is called at each base of [start, end); under no line a gVCF says "not called"."""
    return [bool(some) and all(line.called() for line in some) for some in deciding(lines, start, end)]


def own_calls(lines: list[Line], start: int, end: int) -> dict[tuple[int, str, str], tuple[bool, int]]:
    """Variant whose POS lies in the window -> whether the person is called there, and copies of it if so."""
    found: dict[tuple[int, str, str], tuple[bool, int]] = {}
    for line in lines:
        for allele, alt in enumerate(line.alts, start=1):
            if alt.isalpha() and start < line.pos <= end:
                copies = line.genotype.count(str(allele)) if line.called() else 0
                found.setdefault((line.pos, line.ref, alt), (line.called(), copies))
    return found
