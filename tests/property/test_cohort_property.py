"""Whoever comes and goes, in whatever order and batches: a release is a count of the people who remain, in one go."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from growing import PEOPLE, Growing, grown
from nation import files_of, run

Step = tuple[str, frozenset[str]]
steps = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "withdraw", "release"]),
        st.frozensets(st.sampled_from(list(PEOPLE)), min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module", params=[False, True], ids=["a gVCF each", "one cohort VCF"])
def growing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Growing:
    """Everybody's files, either way."""
    return grown(tmp_path_factory.mktemp("people"), shared=request.param)


@settings(max_examples=8)
@given(taken=steps)
def test_a_release_is_a_count_of_the_people_who_remain(growing: Growing, taken: Sequence[Step]) -> None:
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        run("cohort", "init", here / "cohort", *growing.rules)
        present: set[str] = set()
        ever: set[str] = set()
        for verb, people in [*taken, ("release", frozenset(PEOPLE))]:
            if verb == "add" and people - present:
                again = [word for n in sorted((people - present) & ever) for word in ("--reconsented", n)]
                sheet = growing.sheet(sorted(people - present))
                run("cohort", "add", here / "cohort", "--samples", sheet, *growing.callable, *again)
                present, ever = present | people, ever | people
            elif verb == "withdraw" and people & present:
                run("cohort", "withdraw", here / "cohort", *sorted(people & present))
                present -= people
            elif verb == "release":
                run("cohort", "release", here / "cohort", "--out", here / "release")
                expected = growing.counted_in_one_go(present, here / "one-go")
                assert files_of(here / "release") == files_of(expected)
        run("cohort", "verify", here / "cohort", "--recount", 2, "--seed", len(taken))
