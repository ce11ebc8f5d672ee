"""Reading BED: intervals per contig, checked, sorted and joined."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tessera.errors import InputError, Problem, refuse
from tessera.files.paths import refuse_unlike_file

PROBLEMS_LISTED = 20


def read_bed(path: Path, lengths: Mapping[str, int]) -> dict[str, Sequence[tuple[int, int]]]:
    """Contig -> sorted, disjoint spans (0-based half-open); contigs that are not in `lengths` are left out.

    Raises InputError with every bad line (at most 20): no tab-separated integers, start >= end, beyond the end.
    """
    refuse_unlike_file(path, "a BED file of callable regions")
    text = path.read_text(encoding="utf-8", errors="replace")
    rows = [
        (number, line.split("\t"))
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith(("#", "track", "browser"))
    ]
    spans: dict[str, list[tuple[int, int]]] = {}
    problems: list[Problem] = []
    for number, cells in rows:
        try:
            contig, start, end = cells[0], int(cells[1]), int(cells[2])
        except (IndexError, ValueError):
            problems.append(Problem(f"{path} line {number}", repr("\t".join(cells)[:60]), "contig, start, end by tabs"))
            continue
        if contig not in lengths:
            continue
        if not 0 <= start < end <= lengths[contig]:
            expected = f"0 <= start < end <= {lengths[contig]:,}, the length of {contig}"
            problems.append(Problem(f"{path} line {number}", f"{start}-{end}", expected))
        spans.setdefault(contig, []).append((start, end))
    if problems:
        raise InputError(problems[:PROBLEMS_LISTED])
    if not spans:
        raise refuse(
            str(path),
            "no region on a contig that is counted",
            f"regions on {', '.join(list(lengths)[:5])}, ...",
            "Name contigs as the reference does.",
        )
    return {contig: _joined(found) for contig, found in spans.items()}


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
