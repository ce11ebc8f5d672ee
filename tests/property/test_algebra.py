"""For any people: sums of summaries are sums of people, in any order and grouping, and can be undone."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from random_people import RULES, Person, blocks_of, manifest_of, people
from tessera.errors import InputError
from tessera.files.summaries import SummaryFolder, new_summary
from tessera.files.summary_sums import merge_summaries, subtract_summary
from tessera.summary.algebra import combine
from tessera.summary.blocks import Block, BlockKey
from tessera.summary.manifest import Manifest, combine_manifests

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
            writer.write(key, block)
        writer.finish(manifest)
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
    tables = [{name: content for name, content in read(path).items() if name != "manifest.json"} for path in paths]
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
        subtract_summary(here / "ab", second, here / "back", workers=1)
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
    order=st.randoms(use_true_random=False),
)
def test_order_fan_in_and_workers_do_not_change_a_byte(
    groups: list[list[Person]], fan_in: int, workers: int, order: Any
) -> None:
    with folder() as here:
        paths = [write(group, here / str(number)) for number, group in enumerate(groups)]
        assume_no_copies(paths)
        merge_summaries(paths, here / "plain", workers=1)
        order.shuffle(paths)
        merge_summaries(paths, here / "other", workers=workers, fan_in=fan_in)
        assert read(here / "other") == read(here / "plain")
        assert read(here / "plain") == read(write([p for group in groups for p in group], here / "together"))
        assert {path.name for path in here.iterdir()} == {*(p.name for p in paths), "plain", "other", "together"}


@settings(max_examples=25)
@given(whole=people(), more=people(at_least=1, at_most=2), same_numbers=st.booleans())
def test_what_is_not_contained_cannot_be_taken_away(
    whole: list[Person], more: list[Person], same_numbers: bool
) -> None:
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
            subtract_summary(first, second, here / "out", workers=2)
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


def test_the_same_summary_twice_is_refused(tmp_path: Path) -> None:
    summary = write([], tmp_path / "summary")
    (tmp_path / "link").symlink_to(summary)
    for again in (summary, tmp_path / "link", tmp_path / "." / "summary"):
        with pytest.raises(InputError, match="the same summary twice"):
            merge_summaries([summary, again], tmp_path / "out", workers=1)
        with pytest.raises(InputError, match="the same summary twice"):
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
