"""An AN track is refused unless its rows stand as they are stored, however it is cut into row groups and reads."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tessera.genome.build import Build, Contig
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.mask import ADJ
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
    rules = counting_rules(BUILD, sequences=None, mask=ADJ.thresholds)
    manifest = Manifest(rules, dict.fromkeys(STRATA, 100), {"gvcf": 300}, {"not stated": 300}, {}, {})
    judge = Judge(manifest, rules["build"]["contigs"][0], "an_track")
    found = []
    for groups in reads:
        start, stratum, end, n_dip = np.array([row for group in groups for row in group], np.int32).T
        none = np.zeros(len(start), np.int32)
        arrays = {"contig": none, "start": start, "end": end, "stratum": stratum,
                  "n_dip": n_dip, "n_hap": none, "an_unknown": none}  # fmt: skip
        columns = Columns(AN_TRACK, arrays, {"contig": ["chr1"], "stratum": STRATA})
        blocks = np.array([row[0] // BLOCK_SIZE for group in groups for row in group])
        found += judge.wrong(columns, blocks, [len(group) for group in groups])
    return found


def stands(groups: Groups) -> bool:
    """By start and stratum; or row group after row group, within each by stratum and start."""
    rows = [row[:2] for group in groups for row in group]
    after = all(max(row[:2] for row in a) < min(row[:2] for row in b) for a, b in pairwise(groups))
    inside = all([row[1::-1] for row in group] == sorted(row[1::-1] for row in group) for group in groups)
    return rows == sorted(rows) or (after and inside)


def cut_into(groups: Groups, at: int) -> list[Groups]:
    return [part for part in (groups[:at], groups[at:]) if part]


@settings(max_examples=500)
@given(row_groups().filter(any), st.data())
def test_rows_in_another_order_are_refused(groups: Groups, data: st.DataObject) -> None:
    """Two rows of one block change places, in one row group or two, in one read or two."""
    at = data.draw(st.integers(0, len(groups)))
    assert wrong(cut_into(groups, at)) == []
    places = [(number, place) for number, group in enumerate(groups) for place in range(len(group))]
    one, i = data.draw(st.sampled_from(places))
    block = groups[one][i][0] // BLOCK_SIZE
    other, j = data.draw(st.sampled_from([(g, p) for g, p in places if groups[g][p][0] // BLOCK_SIZE == block]))
    moved = [list(group) for group in groups]
    moved[one][i], moved[other][j] = moved[other][j], moved[one][i]
    if data.draw(st.booleans()):
        # each row group is right in itself
        moved = [sorted(group, key=lambda row: (row[1], row[0])) for group in moved]
    reads = cut_into(moved, at)
    before, later = ([row[:2] for group in part for row in group] for part in (moved[:at], moved[at:]))
    well = all(map(stands, reads)) and (not before or not later or max(before) < min(later))
    assert (wrong(reads) == []) == well
