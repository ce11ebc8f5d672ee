"""An AN track is refused unless its rows stand as they are stored, however it is cut into row groups and reads."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tessera.genome.build import Build, Contig
from tessera.schemas.an_track import AN_TRACK
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.checks import Judge
from tessera.summary.columns import Columns
from tessera.summary.manifest import Manifest
from tessera.summary.rules import counting_rules

STRATA = ["EE_F", "EE_M", "FI_U"]
BUILD = Build("hand", (Contig("chr1", "autosome", 3 * BLOCK_SIZE),))
#: start, stratum, end, people called
Row = tuple[int, int, int, int]
Groups = list[list[Row]]


@st.composite
def row_groups(draw: st.DrawFn) -> Groups:
    """Runs as they are stored, by stratum or, as once, by start; no two neighbours have equal numbers."""
    by_start, size, groups = draw(st.booleans()), draw(st.integers(1, 6)), []
    for block in range(3):
        rows = []
        for stratum in range(len(STRATA)):
            borders = sorted(block * BLOCK_SIZE + at for at in draw(st.sets(st.integers(0, 9))))
            rows += [(a, stratum, b, a % BLOCK_SIZE + 1) for a, b in pairwise(borders)]
        rows.sort()
        cut = [rows[at : at + size] for at in range(0, len(rows), size)]
        groups += cut if by_start else [sorted(group, key=lambda row: (row[1], row[0])) for group in cut]
    return groups


def wrong(reads: list[Groups]) -> list[str]:
    people = dict.fromkeys(STRATA, 100)
    judge = Judge(Manifest(counting_rules(BUILD), people, {"gvcf": 300}, {"not stated": 300}, {}, {}), {
        "name": "chr1", "kind": "autosome", "length": 3 * BLOCK_SIZE
    }, "an_track")  # fmt: skip
    found = []
    for groups in reads:
        start, stratum, end, n_dip = np.array([row for group in groups for row in group], np.int32).T
        none = np.zeros(len(start), np.int32)
        arrays = {"contig": none, "start": start, "end": end, "stratum": stratum,
                  "n_dip": n_dip, "n_hap": none, "an_unknown": none}  # fmt: skip
        columns = Columns(AN_TRACK, arrays, {"contig": ["chr1"], "stratum": STRATA})
        found += judge.wrong(columns, np.array([group[0][0] // BLOCK_SIZE for group in groups for _ in group]),
                             [len(group) for group in groups])  # fmt: skip
    return found


def stands(groups: Groups) -> bool:
    """By start and stratum; or row group after row group, within each by stratum and start."""
    rows = [row[:2] for group in groups for row in group]
    after = all(max(row[:2] for row in a) < min(row[:2] for row in b) for a, b in pairwise(groups))
    inside = all([row[1::-1] for row in group] == sorted(row[1::-1] for row in group) for group in groups)
    return rows == sorted(rows) or (after and inside)


def cut_into(groups: Groups, at: int) -> list[Groups]:
    return [part for part in (groups[:at], groups[at:]) if part]


@given(row_groups().filter(any), st.data())
def test_rows_in_another_order_are_refused(groups: Groups, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(groups)))
    assert wrong(cut_into(groups, at)) == []
    places = [(number, place) for number, group in enumerate(groups) for place in range(len(group))]
    (one, i), (other, j) = data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places)))
    moved = [list(group) for group in groups]
    if groups[one][0][0] // BLOCK_SIZE != groups[other][0][0] // BLOCK_SIZE:
        return
    moved[one][i], moved[other][j] = moved[other][j], moved[one][i]
    reads = cut_into(moved, at)
    before = [row[:2] for group in moved[:at] for row in group]
    later = [row[:2] for group in moved[at:] for row in group]
    well = all(map(stands, reads)) and (not before or not later or max(before) < min(later))
    assert (wrong(reads) == []) == well
