"""The AN track in its file: any runs come back, as ours reads them and by what the docs say of the file."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from called_runs import called_runs
from tessera.files.an_track import by_start, stored_batch, stored_runs
from tessera.files.summaries import HOW_WRITTEN
from tessera.schemas.an_track import AN_TRACK
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.columns import Columns

STRATA = ["EE_F", "EE_M", "FI_U"]
#: the last block that ends below 2^31
LAST = 2**31 // BLOCK_SIZE - 1
COUNTS = st.tuples(*[st.sampled_from([0, 1, 2, 7, 2**31 - 1])] * 3).filter(any)
Row = tuple[int, int, int, int, int, int]


@st.composite
def blocks(draw: st.DrawFn) -> list[list[Row]]:
    """For some blocks the runs (start, stratum, end, counts), by start and stratum; with gaps, and up to both edges."""
    found = []
    for block in draw(st.lists(st.sampled_from([0, 1, 2, LAST]), unique=True, max_size=3).map(sorted)):
        rows: list[Row] = []
        for stratum in draw(st.sets(st.integers(0, len(STRATA) - 1), min_size=1)):
            near = draw(st.sets(st.integers(0, 12), min_size=2))
            borders = sorted(block * BLOCK_SIZE + (BLOCK_SIZE if b == 12 else b) for b in near)
            for start, end in pairwise(borders):
                if not rows or draw(st.booleans()):
                    rows.append((start, stratum, end, *draw(COUNTS)))
        found.append(sorted(rows))
    return found


def columns(rows: list[Row]) -> Columns:
    names = ("start", "stratum", "end", "n_dip", "n_hap", "an_unknown")
    arrays = dict(zip(names, np.array(rows, np.int32).reshape(-1, len(names)).T, strict=True))
    words = {"contig": ["chr1"], "stratum": STRATA}
    return Columns(AN_TRACK, {"contig": np.zeros(len(rows), np.int32), **arrays}, words)


def write(path: Path, groups: list[pa.RecordBatch]) -> None:
    with pq.ParquetWriter(path, groups[0].schema, **HOW_WRITTEN["an_track"]) as writer:
        for group in groups:
            writer.write_table(pa.Table.from_batches([group]), row_group_size=len(group))


def told(runs: Columns) -> list[dict[str, str | int]]:
    assert runs.empty is None
    return [runs.row(number) for number in range(len(runs))]


def read(path: Path, rows: int) -> list[dict[str, str | int]]:
    with pq.ParquetFile(path, read_dictionary=["contig", "stratum"]) as file:
        groups = (file.read_row_group(i).to_batches()[0] for i in range(file.num_row_groups))
        return [row for runs, _ in stored_runs(groups, rows) for row in told(by_start(runs))]


@given(blocks().filter(any), st.integers(1, 9), st.integers(1, 5), st.booleans())
def test_any_runs_come_back_whatever_is_read_at_once(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[Row]], rows: int, size: int, by_start: bool
) -> None:
    """Row groups of `size` cut blocks apart; tracks that were stored by start, with all ends, are read as well."""
    path = tmp_path_factory.mktemp("track") / "chr1.parquet"
    cut = [columns(block[at : at + size]) for block in found for at in range(0, len(block), size)]
    write(path, [runs.to_batch() if by_start else stored_batch(runs) for runs in cut])
    expected = [row for runs in cut for row in told(runs)]
    assert read(path, rows) == expected
    if not by_start:
        assert called_runs(path).select(AN_TRACK.names).to_dicts() == expected


def test_an_end_is_told_only_where_the_next_run_does_not_begin() -> None:
    rows = [(0, 0, 5, 1, 0, 0), (0, 1, 9, 1, 0, 0), (5, 0, 7, 2, 0, 0), (8, 0, 9, 1, 0, 0)]
    stored = stored_batch(columns(rows))
    assert stored.column("stratum").to_pylist() == ["EE_F"] * 3 + ["EE_M"]
    assert stored.column("start").to_pylist() == [0, 5, 8, 0]
    assert stored.column("end").to_pylist() == [None, 7, 9, 9]
