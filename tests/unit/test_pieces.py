"""Lines put together out of pieces, and arrays of JSON with values that some variants have not."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tessera.federation import pieces as made
from tessera.federation.json_lines import Value, array
from tessera.federation.pieces import joined, only, pieces, separated


def column(texts: list[str | None]) -> made.Pieces:
    return pieces(pl.Series(texts, dtype=pl.String))


@given(
    rows=st.lists(st.tuples(st.text(), st.none() | st.text()), max_size=9),
    between=st.text(max_size=3),
    at_once=st.integers(1, 5),
)
def test_a_line_is_its_pieces_one_after_the_other(
    rows: list[tuple[str, str | None]], between: str, at_once: int
) -> None:
    columns = [column([row[at] for row in rows]) for at in (0, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(made, "LINES_AT_ONCE", at_once)
        found = list(joined(len(rows), [b"<", b"<", *separated(columns, between.encode()), b"\n"]))
    assert b"".join(found).decode() == "".join(f"<<{a}{between}{b or ''}\n" for a, b in rows)
    assert len(found) == -(-len(rows) // at_once)


@given(there=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), max_size=5))
def test_an_array_holds_the_values_that_are_there(there: list[list[bool]]) -> None:
    own = column(["1", "22", "333"])
    values = [
        Value([f'{{"{number}":'.encode(), own, b"}"], np.array(which, np.bool_)) for number, which in enumerate(there)
    ]
    lines = b"".join(joined(3, [*array(values), b"\n"])).splitlines()
    for variant, line in enumerate(lines):
        expected = [{str(at): (1, 22, 333)[variant]} for at, which in enumerate(there) if which[variant]]
        assert json.loads(line) == expected


def test_what_some_have_is_nothing_in_the_others() -> None:
    where = np.array([True, False, True])
    assert only(b"x", where).tolist() == [b"x", b"", b"x"]  # type: ignore[union-attr]
    assert only(column(["a", "b", "c"]), where).tolist() == [b"a", b"", b"c"]  # type: ignore[union-attr]
    assert only(b"x", where | True) == b"x"
