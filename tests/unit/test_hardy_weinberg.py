"""The exact test against numbers that others published, and against forty digits for half a million people."""

from decimal import Decimal, getcontext

import numpy as np
import pytest

from tessera.summary.hardy_weinberg import CHUNK, exact_test


def p_values(*rows: tuple[int, int, int]) -> list[tuple[float, float]]:
    """Two-sided and excess p of rows of n_dip, n_het, n_homalt."""
    two_sided, excess = exact_test(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)
    return list(zip(two_sided.tolist(), excess.tolist(), strict=True))


def test_the_table_of_wigginton_cutler_and_abecasis() -> None:
    """American Journal of Human Genetics 76:887, table 1: 100 people, 21 rare alleles; six decimals."""
    published = {5: 0.000001, 7: 0.000001, 9: 0.000048, 11: 0.000919, 13: 0.010293, 15: 0.069576, 17: 0.284042,
                 19: 1.0, 21: 0.593645}  # fmt: skip
    found = p_values(*((100, het, (21 - het) // 2) for het in published))
    for (two_sided, _), expected in zip(found, published.values(), strict=True):
        assert two_sided == pytest.approx(expected, abs=1.01e-6)


def test_the_example_of_the_r_package_hardyweinberg() -> None:
    """HWExact(c(MM = 298, MN = 489, NN = 213)) of its manual."""
    assert p_values((1000, 489, 213))[0][0] == pytest.approx(0.6556635, abs=5e-8)


def test_the_mid_p_values_that_hail_tests_itself_with() -> None:
    """Hail reports the mid-p, half of the number seen: p - P(seen) / 2, on the genotypes of its HWE_test.vcf."""
    # n_dip, n_het, n_homalt, P(seen) by hand, published mid-p
    rows = [(4, 0, 0, 1, 0.5), (4, 1, 0, 1, 0.5), (4, 1, 1, 3 / 7, 0.21428571428571427),
            (4, 2, 1, 24 / 35, 0.6571428571428573), (3, 1, 0, 1, 0.5)]  # fmt: skip
    for (two_sided, _), row in zip(p_values(*(row[:3] for row in rows)), rows, strict=True):
        assert two_sided - row[3] / 2 == pytest.approx(row[4], rel=1e-12)


def test_nobody_called_has_no_p_value() -> None:
    assert np.isnan(p_values((0, 0, 0), (1, 0, 1))).tolist() == [[True, True], [False, False]]
    assert p_values() == []


def forty_digits(n: int, het: int, hom: int) -> tuple[float, float]:
    """Both p values by the recurrence of the paper over every number of heterozygotes."""
    getcontext().prec = 40
    alleles = het + 2 * hom
    number, weight, weights = alleles % 2, Decimal(1), {}
    rare, common = (min(alleles, 2 * n - alleles) - number) // 2, (max(alleles, 2 * n - alleles) - number) // 2
    while rare >= 0 and common >= 0:
        weights[number] = weight
        weight = weight * (4 * rare * common) / ((number + 1) * (number + 2))
        number, rare, common = number + 2, rare - 1, common - 1
    seen = weights[het] * (1 + Decimal(10) ** -30)
    two_sided = sum(w for w in weights.values() if w <= seen)
    return float(two_sided / sum(weights.values())), float(
        sum(w for k, w in weights.items() if k >= het) / sum(weights.values())
    )


@pytest.mark.parametrize(
    "row",
    [
        (500_000, 249_000, 125_000),
        (500_000, 251_001, 124_000),
        (500_000, 240_000, 126_000),
        (500_000, 100, 30),
        (500_000, 3, 2),
        (500_000, 0, 1),
        (123_456, 20_000, 1_000),
    ],
)
def test_half_a_million_people(row: tuple[int, int, int]) -> None:
    assert p_values(row)[0] == pytest.approx(forty_digits(*row), rel=1e-8)


def test_a_column_longer_than_a_chunk_is_in_its_order() -> None:
    rows = [(100, 21 - 2 * (i % 9), i % 9) for i in range(CHUNK + 100)]
    assert p_values(*rows) == (p_values(*rows[:9]) * (len(rows) // 9 + 1))[: len(rows)]
