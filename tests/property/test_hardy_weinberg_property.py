"""The exact test against the sum of fractions that defines it, and what must hold for any numbers of people."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exact_fractions import p_values_by_definition
from tessera.summary.hardy_weinberg import exact_test

Genotypes = tuple[int, int, int]


@st.composite
def genotypes(draw: st.DrawFn, most: int) -> Genotypes:
    """n_dip, n_het, n_homalt."""
    het, hom, other = (draw(st.integers(0, most)) for _ in range(3))
    return het + hom + other, het, hom


def p_values(rows: list[Genotypes]) -> list[tuple[float, float]]:
    two_sided, excess = exact_test(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)
    return list(zip(two_sided.tolist(), excess.tolist(), strict=True))


def test_all_numbers_of_up_to_twelve_people_are_those_of_the_definition() -> None:
    rows = [(n, het, hom) for n in range(1, 13) for het in range(n + 1) for hom in range(n - het + 1)]
    assert len(rows) == 454
    for row, found in zip(rows, p_values(rows), strict=True):
        assert found == pytest.approx(p_values_by_definition(*row), rel=1e-12), row


@given(st.lists(genotypes(60), min_size=1, max_size=20))
def test_a_column_is_what_the_definition_says_of_each_row(rows: list[Genotypes]) -> None:
    for row, found in zip(rows, p_values(rows), strict=True):
        assert row[0] == 0 or found == pytest.approx(p_values_by_definition(*row), rel=1e-11), row
        assert row[0] > 0 or np.isnan(found).all()


@given(genotypes(100_000))
def test_it_is_a_probability_and_does_not_ask_which_allele_is_which(row: Genotypes) -> None:
    n, het, hom = row
    (two_sided, excess), mirrored = p_values([row, (n, het, n - het - hom)])
    if n:
        assert 0 <= two_sided <= 1
        assert 0 <= excess <= 1
        assert mirrored == pytest.approx((two_sided, excess), rel=1e-7)
