"""For any people: sums of summaries are sums of people, in any order and grouping, and can be undone."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from block_sums import combine
from random_people import CONTIGS, RULES, Person, blocks_of, manifest_of, people, qc_sums_of
from tessera.errors import InputError
from tessera.files.summaries import SummaryFolder, new_summary
from tessera.files.summary_sums import merge_summaries, subtract_summary
from tessera.summary.algebra import add_up
from tessera.summary.blocks import GROUP_ROWS, TABLES, Block, BlockKey
from tessera.summary.columns import Columns
from tessera.summary.manifest import Manifest, combine_manifests
from tessera.summary.parts import Cursor, Part

Blocks = Mapping[BlockKey, Block]
Bytes = dict[str, bytes]


def added(*terms: Blocks) -> Blocks:
    """The sum, block by block, without blocks in which nothing is stored."""
    return signed([(term, 1) for term in terms])


def signed(terms: Sequence[tuple[Blocks, int]]) -> Blocks:
    """As `added`, with signs."""
    keys = sorted({key for term, _ in terms for key in term})
    found = {key: combine([(term.get(key, Block.empty()), sign) for term, sign in terms]) for key in keys}
    return {key: block for key, block in found.items() if not block.is_empty()}


def assert_same(found: Blocks, expected: Blocks) -> None:
    """Every table of every block, row by row."""
    assert list(found) == sorted(expected)
    for key, block in expected.items():
        for table in ("variants", "an_track", "histograms"):
            assert_frame_equal(getattr(found[key], table), getattr(block, table))


def write(group: Sequence[Person], out: Path, rules: Mapping[str, Any] = RULES) -> Path:
    """A summary of these people."""
    counts = manifest_of(group)
    manifest = Manifest(rules, counts.people, counts.an_basis, counts.consent, counts.not_counted, counts.ledger)
    with new_summary(out) as writer:
        for key, block in blocks_of(group).items():
            writer.write(key, Part.of_block(block))
        writer.finish(manifest, qc_sums=qc_sums_of(group))
    return out


def read(folder: Path) -> Bytes:
    """Every file of a summary."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder for one example."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=50)
@given(group=people())
def test_people_added_one_by_one_are_the_people_counted_together(group: list[Person]) -> None:
    assert_same(added(*(blocks_of([person]) for person in group)), blocks_of(group))


@settings(max_examples=50)
@given(a=people(), b=people())
def test_order_does_not_matter(a: list[Person], b: list[Person]) -> None:
    assert_same(added(blocks_of(a), blocks_of(b)), blocks_of([*a, *b]))
    assert_same(added(blocks_of(b), blocks_of(a)), blocks_of([*a, *b]))


@settings(max_examples=30)
@given(a=people(), b=people(), c=people())
def test_grouping_does_not_matter(a: list[Person], b: list[Person], c: list[Person]) -> None:
    first, second, third = blocks_of(a), blocks_of(b), blocks_of(c)
    assert_same(added(added(first, second), third), blocks_of([*a, *b, *c]))
    assert_same(added(first, added(second, third)), blocks_of([*a, *b, *c]))


@settings(max_examples=30)
@given(group=people())
def test_the_summary_of_nobody_changes_nothing(group: list[Person]) -> None:
    found = blocks_of(group)
    for key, block in found.items():
        assert_same({key: combine([(block, 1), (Block.empty(), 1)])}, {key: block})
        assert_same({key: combine([(block, 1), (Block.empty(), -1)])}, {key: block})
    assert combine([]).is_empty()
    assert added() == {}


@settings(max_examples=50)
@given(a=people(), b=people())
def test_what_was_added_can_be_taken_away(a: list[Person], b: list[Person]) -> None:
    both = blocks_of([*a, *b])
    assert_same(signed([(both, 1), (blocks_of(b), -1)]), blocks_of(a))
    assert_same(signed([(both, 1), (both, -1)]), {})


@settings(max_examples=40)
@given(group=people(at_most=7), cuts=st.lists(st.integers(0, 7), max_size=3))
def test_any_split_of_the_people_gives_the_same_sum(group: list[Person], cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(group)) for cut in cuts), len(group)]
    parts = [group[start:end] for start, end in pairwise(edges)]
    assert_same(added(*(blocks_of(part) for part in parts)), blocks_of(group))


def batches_of(blocks: Blocks, contig: str, table: str, rows: int) -> Iterator[Columns]:
    """All rows of one table of a contig in genome order, so many at a time."""
    found = [getattr(block, table) for key, block in sorted(blocks.items()) if key.contig == contig]
    every = Columns.of_frame(TABLES[table], pl.concat([TABLES[table].empty, *found]))
    return (every.take(slice(first, first + rows)) for first in range(0, len(every), rows))


def cursors_of(blocks: Blocks, contig: str, rows: int) -> list[Cursor]:
    """What a merge reads of a summary of these blocks."""
    return [Cursor(table, batches_of(blocks, contig, name, rows), rows) for name, table in TABLES.items()]


def added_in_parts(terms: Sequence[tuple[Blocks, int]], contig: str, rows: int, group_rows: int) -> list[pl.DataFrame]:
    """The row groups that a merge would write, all of one table after the other."""
    cursors = [cursors_of(blocks, contig, rows) for blocks, _ in terms]
    groups = list(add_up(cursors, [sign for _, sign in terms], group_rows))
    return [group.frame for name in TABLES for group in groups if group.table.name == name]


def stored(blocks: Blocks, contig: str, group_rows: int) -> list[pl.DataFrame]:
    """The row groups of these blocks: so many rows each, and the rest of a block in the last."""
    tables = [getattr(b, name) for name in TABLES for key, b in sorted(blocks.items()) if key.contig == contig]
    return [table[first : first + group_rows] for table in tables for first in range(0, table.height, group_rows)]


def assert_same_groups(found: Sequence[pl.DataFrame], expected: Sequence[pl.DataFrame]) -> None:
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert_frame_equal(mine, theirs)


@settings(max_examples=100)
@given(
    groups=st.lists(people(at_most=4), min_size=2, max_size=4),
    rows=st.integers(1, 12),
    group_rows=st.integers(1, 6),
    contig=st.sampled_from(CONTIGS),
)
def test_blocks_may_be_added_together_or_in_pieces(
    groups: list[list[Person]], rows: int, group_rows: int, contig: str
) -> None:
    """As few rows at a time as one, so within runs and blocks; as many as twelve, so several blocks."""
    terms = [blocks_of(group) for group in groups]
    together = blocks_of([person for group in groups for person in group])
    found = added_in_parts([(term, 1) for term in terms], contig, rows, group_rows)
    assert_same_groups(found, stored(together, contig, group_rows))
    rest = added_in_parts([(together, 1), *((term, -1) for term in terms[1:])], contig, rows, group_rows)
    assert_same_groups(rest, stored(terms[0], contig, group_rows))


@settings(max_examples=50)
@given(a=people(), b=people())
def test_manifests_add_up_and_come_apart(a: list[Person], b: list[Person]) -> None:
    first, second, both = manifest_of(a), manifest_of(b), manifest_of([*a, *b])
    assert combine_manifests([first, second], [1, 1], ["a", "b"]) == both
    assert combine_manifests([second, first], [1, 1], ["b", "a"]) == both
    assert combine_manifests([both, second], [1, -1], ["ab", "b"]) == first
    assert combine_manifests([first, manifest_of([])], [1, 1], ["a", "nobody"]) == first
    if b:
        with pytest.raises(InputError, match="left after the subtraction"):
            combine_manifests([first, both], [1, -1], ["a", "ab"])


def assume_no_copies(paths: Sequence[Path]) -> None:
    """Groups of people who are alike in everything look like a copy, which a merge refuses."""
    tables = [{name: content for name, content in read(path).items() if "/" in name} for path in paths]
    listed = [table for table in tables if any(name.startswith("variants") for name in table)]
    assume(all(listed.count(table) == 1 for table in listed))


@settings(max_examples=25)
@given(a=people(), b=people())
def test_files_added_and_taken_apart_are_the_same_bytes(a: list[Person], b: list[Person]) -> None:
    with folder() as here:
        first, second = write(a, here / "a"), write(b, here / "b")
        assume_no_copies([first, second])
        merge_summaries([first, second], here / "ab", workers=1)
        merge_summaries([second, first], here / "ba", workers=1)
        subtract_summary(here / "ab", second, here / "back", workers=1, rows=5)
        merge_summaries([first, write([], here / "nobody")], here / "same", workers=1)
        assert read(here / "ab") == read(write([*a, *b], here / "together"))
        assert read(here / "ba") == read(here / "ab")
        assert read(here / "back") == read(first)
        assert read(here / "same") == read(first)


@settings(max_examples=12)
@given(
    groups=st.lists(people(at_most=2), min_size=1, max_size=7),
    fan_in=st.integers(2, 5),
    workers=st.integers(1, 4),
    rows=st.integers(1, 40),
    order=st.randoms(use_true_random=False),
)
def test_order_fan_in_workers_and_rows_do_not_change_a_byte(
    groups: list[list[Person]], fan_in: int, workers: int, rows: int, order: Any
) -> None:
    with folder() as here:
        paths = [write(group, here / str(number)) for number, group in enumerate(groups)]
        assume_no_copies(paths)
        merge_summaries(paths, here / "plain", workers=1)
        order.shuffle(paths)
        merge_summaries(paths, here / "other", workers=workers, fan_in=fan_in, rows=rows)
        assert read(here / "other") == read(here / "plain")
        assert read(here / "plain") == read(write([p for group in groups for p in group], here / "together"))
        assert {path.name for path in here.iterdir()} == {*(p.name for p in paths), "plain", "other", "together"}


@settings(max_examples=25)
@given(whole=people(), more=people(at_least=1, at_most=2), same_numbers=st.booleans())
def test_what_is_not_contained_cannot_be_taken_away(
    whole: list[Person], more: list[Person], same_numbers: bool
) -> None:
    # without metrics: the tables must tell
    whole, more = ([replace(person, measured={}) for person in group] for group in (whole, more))
    part = [*whole, *more]
    with pytest.raises(InputError, match="left after the subtraction"):
        signed([(blocks_of(whole), 1), (blocks_of(part), -1)])
    with folder() as here:
        first, second = write(whole, here / "whole"), write(part, here / "part")
        if same_numbers:  # the blocks themselves must tell
            (second / "manifest.json").write_text(
                (second / "manifest.json").read_text().replace(*counted_people(second, first))
            )
        with pytest.raises(InputError, match="left after the subtraction"):
            subtract_summary(first, second, here / "out", workers=2, rows=3)
        assert sorted(path.name for path in here.iterdir()) == ["part", "whole"]


def counted_people(second: Path, first: Path) -> tuple[str, str]:
    """The counts of the second manifest as text, and those of the first."""
    texts = [(path / "manifest.json").read_text() for path in (second, first)]
    return texts[0][: texts[0].index('"members"')], texts[1][: texts[1].index('"members"')]


LEAVES = {
    ("build", "name"): "other",
    ("build", "contigs", 2, "length"): 3_000_000,
    ("reference",): None,
    ("mask", "min_gq"): 30,
    ("mask", "min_ab"): None,
    ("half_call",): "haploid",
    ("histogram_edges", "ab_alt"): [0, 0.1, 10],
}


@settings(max_examples=20)
@given(changed=st.sets(st.sampled_from(sorted(LEAVES, key=str)), min_size=1))
def test_every_rule_that_differs_is_named_with_both_values(changed: set[tuple[Any, ...]]) -> None:
    other: Any = copy.deepcopy(RULES)
    for path in changed:
        inner = other
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = LEAVES[path]
    with folder() as here:
        first, second = write([], here / "first"), write([], here / "second", other)
        with pytest.raises(InputError) as refused:
            merge_summaries([first, second], here / "out", workers=1)
        assert sorted(path.name for path in here.iterdir()) == ["first", "second"]
    problems = {problem.where: problem for problem in refused.value.problems}
    names = {path: ".".join(str(step) for step in ("rules", *path)).split(".2.")[0] for path in changed}
    assert set(problems) == set(names.values())
    for path, name in names.items():
        mine: Any = RULES
        for step in path:
            mine = mine[step]
        theirs = "nothing" if LEAVES[path] is None else str(LEAVES[path])
        assert theirs in problems[name].found
        assert str(here / "second") in problems[name].found
        assert str(mine) in problems[name].expected
        assert str(here / "first") in problems[name].expected


def dense(strata: Sequence[str], sites: int) -> Block:
    """A block in which each of `strata` has one person, het at every second base and called in between."""
    key = BlockKey("chr1", 0)
    site = pl.DataFrame({"pos": range(2, 2 * sites + 1, 2)}).join(pl.DataFrame({"stratum": list(strata)}), how="cross")
    one = {name: pl.lit(1) for name in ("n_listed", "n_dip", "n_het")}
    none = {name: pl.lit(0) for name in ("n_hap", "n_homalt", "n_hemi", "an_unknown")}
    text = {"contig": pl.lit(key.contig), "ref": pl.lit("A"), "alt": pl.lit("C")}
    variants = site.select(pl.all(), **text, **one, **none)
    # nothing is called at every fourth base, where one stratum has no run; another has one run of all bases
    runs = site.select("stratum", **text, **none, start=2 * pl.col("pos") - 4, n_dip=1).with_columns(
        end=pl.col("start") + 3
    )
    whole = runs.filter(pl.col("start") == 0, pl.col("stratum") == strata[-1]).with_columns(
        end=pl.lit(4 * sites, pl.Int64)
    )
    track = pl.concat([runs.filter(pl.col("stratum") != strata[-1]), whole])
    tables = {"variants": variants, "an_track": track.sort("start", "stratum")}
    cast = {name: frame.select(TABLES[name].names).cast(TABLES[name].schema) for name, frame in tables.items()}
    return Block(**cast, histograms=TABLES["histograms"].empty)


def write_dense(strata: Sequence[str], block: Block, out: Path) -> Path:
    carriers = {"carriers_in": block.variants.height, "carriers_counted": block.variants.height}
    basis = {"gvcf": len(strata)}
    with new_summary(out) as writer:
        writer.write(BlockKey("chr1", 0), Part.of_block(block))
        writer.finish(Manifest(RULES, dict.fromkeys(strata, 1), basis, {"not stated": len(strata)}, {}, carriers))
    return out


def test_a_block_of_very_many_rows_lies_in_several_row_groups_and_adds_up(tmp_path: Path) -> None:
    sites = GROUP_ROWS // 3
    strata = ["XA_F", "XA_M", "XB_F", "XB_U"]
    first, second = dense(strata[:2], sites), dense(strata[2:], sites)
    together = Block(
        pl.concat([first.variants, second.variants]).sort("pos", "stratum"),
        pl.concat([first.an_track, second.an_track]).sort("start", "stratum"),
        first.histograms,
    )
    parts = [write_dense(strata[:2], first, tmp_path / "a"), write_dense(strata[2:], second, tmp_path / "b")]
    whole = write_dense(strata, together, tmp_path / "ab")
    groups = pq.read_metadata(whole / "variants" / "chr1.parquet")
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [GROUP_ROWS, 4 * sites - GROUP_ROWS]
    merge_summaries(parts, tmp_path / "sum", workers=1)
    assert read(tmp_path / "sum") == read(whole)
    subtract_summary(whole, parts[1], tmp_path / "rest", workers=1)
    assert read(tmp_path / "rest") == read(parts[0])
    assert_same(dict(SummaryFolder(whole).blocks()), {BlockKey("chr1", 0): together})


def test_more_people_than_the_tables_can_count_are_refused(tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        with new_summary(tmp_path / name) as writer:
            writer.finish(Manifest(RULES, {"XA_F": 2**29}, {"gvcf": 2**29}, {"not stated": 2**29}))
        paths.append(tmp_path / name)
    with pytest.raises(InputError, match="1,073,741,824 together; expected at most 1,073,741,823"):
        merge_summaries(paths, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_the_same_summary_twice_is_refused(tmp_path: Path) -> None:
    summary = write([], tmp_path / "summary")
    (tmp_path / "link").symlink_to(summary)
    for again in (summary, tmp_path / "link", tmp_path / "." / "summary"):
        with pytest.raises(InputError, match="the same summary twice"):
            merge_summaries([summary, again], tmp_path / "out", workers=1)
        with pytest.raises(InputError, match="the summary itself from which it is to be taken"):
            subtract_summary(summary, again, tmp_path / "out", workers=1)
    assert not (tmp_path / "out").exists()


def test_an_output_that_is_one_of_the_inputs_is_refused(tmp_path: Path) -> None:
    first, second = write([], tmp_path / "first"), write([], tmp_path / "second")
    before = read(first)
    with pytest.raises(InputError, match="one of the summaries"):
        merge_summaries([first, second], first, workers=1)
    with pytest.raises(InputError, match="one of the summaries"):
        subtract_summary(second, first, first, workers=1)
    assert read(first) == before


def test_one_summary_alone_is_merged_to_itself(tmp_path: Path) -> None:
    summary = write([], tmp_path / "summary")
    merge_summaries([summary], tmp_path / "out", workers=1)
    assert read(tmp_path / "out") == read(summary)
    assert SummaryFolder(tmp_path / "out").manifest == SummaryFolder(summary).manifest
