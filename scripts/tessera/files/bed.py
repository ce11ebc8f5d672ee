"""Reading BED: intervals per contig, checked, sorted and joined."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tessera.errors import InputError, Problem, refuse
from tessera.files.paths import refuse_unlike_file
from tessera.genome.build import other_name

PROBLEMS_LISTED, CONTIGS_SHOWN = 20, 5
RENAME = "Name contigs as the reference does."


def read_bed(path: Path, lengths: Mapping[str, int]) -> dict[str, Sequence[tuple[int, int]]]:
    """Contig -> sorted, disjoint spans (0-based half-open).

    Lines of contigs that are not in `lengths` are left out, and told on standard error. Raises InputError with
    every bad line (at most 20): no tab-separated integers, start >= end, beyond the end, or a contig that
    `lengths` has under another name (20 for chr20), whose regions would be lost.
    """
    refuse_unlike_file(path, "a BED file of callable regions")
    text = path.read_text(encoding="utf-8", errors="replace")
    rows = [
        (number, line.split("\t"))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith(("#", "track", "browser"))
    ]
    spans: dict[str, list[tuple[int, int]]] = {}
    unknown: Counter[str] = Counter()
    problems: list[Problem] = []
    for number, cells in rows:
        try:
            contig, start, end = cells[0], int(cells[1]), int(cells[2])
        except (IndexError, ValueError):
            problems.append(Problem(f"{path} line {number}", repr("\t".join(cells)[:60]), "contig, start, end by tabs"))
            continue
        if contig not in lengths:
            unknown[contig] += 1
            continue
        if not 0 <= start < end <= lengths[contig]:
            expected = f"0 <= start < end <= {lengths[contig]:,}, the length of {contig}"
            problems.append(Problem(f"{path} line {number}", f"{start}-{end}", expected))
        spans.setdefault(contig, []).append((start, end))
    problems += [
        Problem(str(path), f"regions on {contig} ({unknown[contig]:,} lines)", f"the name {other_name(contig)}", RENAME)
        for contig in unknown
        if other_name(contig) in lengths
    ]
    if problems:
        raise InputError(problems[:PROBLEMS_LISTED])
    if not spans:
        raise refuse(
            str(path),
            "no region on a contig that is counted",
            f"regions on {', '.join(list(lengths)[:5])}, ...",
            RENAME,
        )
    if unknown:
        named = ", ".join(list(unknown)[:CONTIGS_SHOWN]) + (", ..." if len(unknown) > CONTIGS_SHOWN else "")
        told = f"{path}: {unknown.total():,} regions on contigs that are not counted are left out: {named}"
        print(told, file=sys.stderr)
    return {contig: _joined(found) for contig, found in spans.items()}


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
