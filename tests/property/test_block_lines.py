"""How the kernel takes the lines of one person's gVCF apart, against a regular expression; and what lies under how many
records, against a walk base by base."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.cohort import overlaps
from tessera.cohort.gvcf import Blocks, Room
from tessera.cohort.overlaps import NO_RECORD, SEVERAL_RECORDS, Overlaps
from tessera.files.inflated import PADDING

CONTIG, FORMAT = "chr22", "GT:DP:GQ:MIN_DP:PL"
PLAIN = re.compile(
    r"chr22\t(?P<pos>\d{1,9})\t\.\t[ACGTNacgtn]\t(<NON_REF>|<\*>|\.)\t[\d.e+-]+\t(?P<filter>[^\t]+)\t(?P<info>[^\t]+)\t"
    r"GT:DP:GQ:MIN_DP:PL\t(?P<gt>\.|0|\.[/|]\.|0[/|]0)(:(\.|\d{1,9})"
    r"(:(?P<gq>\.|\d{1,9})(:(?P<min_dp>\.|\d{1,9})(:[^:\x00-\x1f]*)?)?)?)?\r?",
)
KINDS = {"0/0": 1, "0|0": 1, "0": 2, ".": 3, "./.": 3, ".|.": 3}
#: of each column what is usual, and what is not
COLUMNS = (
    (".", "rs1"), ("A", "a", "N", "AC", "R"), ("<NON_REF>", "<*>", ".", "C,<NON_REF>", "<NON_REF>x"),
    (".", "31.5", "1e-3", "x"), (".", "PASS", "LowQual", "0", "q;PASS", "PASSED"),
)  # fmt: skip
CALLS = ("0/0", "0|0", "0", ".", "./.", ".|.", "0/1", "1", "0/.", "0/0/0", "")
NUMBERS = ("0", "7", "30", "99", "12345678", "123456789", "1234567890", ".", "", "x", "-1", "0030")
LIKELIHOODS = ("0,78,936", ".", "", "0,9,123456789012345", "0,1:2", "0\x01,1", "0,ü", "0,\xa0")


def random_line(rng: Random) -> str:
    """A line that is mostly a plain block, and now and then is none."""

    def one_of(usual: int, choices: tuple[str, ...]) -> str:
        return rng.choice(choices[:usual]) if rng.random() < 0.93 else rng.choice(choices)

    pos = rng.randrange(1, 10 ** rng.randrange(1, 10))
    end = pos + rng.randrange(-1 if rng.random() < 0.1 else 0, 10 ** rng.randrange(1, 4))
    info = rng.choice([f"END={end}"] * 8 + [".", f"DP=3;END={end}", f"END={end};MQ=3", "END=x", f"END={end};END={end}"])
    fields = [one_of(6, CALLS), *(one_of(4, NUMBERS) for _ in range(3)), one_of(2, LIKELIHOODS)]
    if rng.random() < 0.1:
        fields = fields[: rng.randrange(1, 6)]
    usual = (1, 3, 3, 3, 2)
    columns = [one_of(number, choices) for number, choices in zip(usual, COLUMNS, strict=True)]
    return "\t".join([CONTIG, str(pos), *columns, info, FORMAT, ":".join(fields)]) + rng.choice(["", "", "", "\r"])


def by_expression(line: str) -> tuple[int, ...] | None:
    """Kind, POS, END, GQ, depth and whether FILTER passes of a plain block; None for another line."""
    found = PLAIN.fullmatch(line)
    if not found or int(found["pos"]) < 1:
        return None
    filters = found["filter"]
    if filters == "0" or (filters != "PASS" and "PASS" in filters) or min(filters) <= " ":
        return None
    ends = [part[4:] for part in found["info"].split(";") if part.startswith("END=")]
    pos = int(found["pos"])
    if len(ends) > 1 or any(not re.fullmatch(r"\d{1,9}", end) or int(end) < pos for end in ends):
        return None
    gq, depth = (-1 if text in (None, ".") else int(text) for text in (found["gq"], found["min_dp"]))
    return KINDS[found["gt"]], pos, int(ends[0]) if ends else pos, gq, depth, int(filters in (".", "PASS"))


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_lines_are_taken_apart_as_by_a_regular_expression(seed: int) -> None:
    rng = Random(seed)
    lines = [random_line(rng) for _ in range(rng.randrange(1, 40))]
    text = "".join(f"{line}\n" for line in lines).encode()
    held = np.frombuffer(text + bytes(rng.choice(b"\0 9:") for _ in range(PADDING)), np.uint8)
    room = Room()
    blocks = Blocks(held, len(text), CONTIG.encode(), {"GQ", "DP", "MIN_DP", "AD", "PL"}, room)
    assert (blocks.lines, blocks.consumed) == (len(lines), len(text))
    names = ("kind", "pos", "end", "gq", "depth", "passes")
    rows = zip(*(room.arrays[name][: len(lines)].tolist() for name in names), strict=True)
    assert [row if row[0] else None for row in rows] == [by_expression(line) for line in lines]
    others = "".join(f"{line}\n" for line in lines if by_expression(line) is None).encode()
    other, length = blocks.other
    assert other[:length].tobytes() == others


def walked(records: list[tuple[int, int]], start: int, end: int) -> Counter[str]:
    """Bases of [start, end) under no record and under several, one by one."""
    bases: Counter[str] = Counter()
    for base in range(start, end):
        over = sum(pos - 1 <= base < last for pos, last in records)
        bases[NO_RECORD] += over == 0
        bases[SEVERAL_RECORDS] += over > 1
    return bases


@settings(max_examples=200, deadline=None)
@given(
    records=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=20),
    cut=st.integers(0, 20),
    start=st.integers(0, 20),
)
def test_overlaps_are_those_of_a_walk(records: list[tuple[int, int]], cut: int, start: int) -> None:
    spans = sorted((pos, pos + more) for pos, more in records)
    pos, end = np.array(spans, np.int64).reshape(-1, 2).T
    compiled = overlaps.library
    try:
        for library in (compiled, lambda: None):
            overlaps.library = library  # type: ignore[attr-defined]
            bases: Counter[str] = Counter()
            told = Overlaps(start, 50, bases)
            for part in (slice(cut), slice(cut, None)):
                told.take(pos[part], end[part])
            told.finish()
            assert bases == walked(spans, start, 50)
    finally:
        overlaps.library = compiled  # type: ignore[attr-defined]
