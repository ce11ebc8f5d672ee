"""Speed of the exact test on columns of made-up genotypes; `make bench` prints the table. CPU seconds of one thread."""

import time
from collections.abc import Iterator

import numpy as np
import pytest

from tessera.summary.hardy_weinberg import Ints, exact_test

TESTS = 1_000_000


def genotypes(people: int, alleles: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """n_dip, n_het and n_homalt drawn in equilibrium, about so many alleles; a twentieth of people may be missing."""
    called = rng.integers(people - people // 20, people + 1, len(alleles))
    frequency = np.minimum(alleles / (2 * called), 0.5)
    hom = rng.binomial(called, frequency**2)
    return called, rng.binomial(called - hom, 2 * frequency / (1 + frequency)), hom


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    lines: list[str] = []
    yield lines
    print("\n" + "\n".join(lines))


@pytest.mark.parametrize(
    ("what", "people", "at_least"),
    [
        ("rare, 10,000 people", 10_000, 1_000_000),
        ("rare, 500,000 people", 500_000, 1_000_000),
        ("common, 10,000 people", 10_000, 50_000),
        ("common, 500,000 people", 500_000, 10_000),
    ],
)
def test_a_million_tests(what: str, people: int, at_least: int, table: list[str]) -> None:
    """Rare: alleles as one over a uniform number, half of them singletons. Common: any frequency up to a half."""
    rng = np.random.default_rng(20261124)
    number = TESTS if what.startswith("rare") else TESTS // 20
    draws = rng.random(number)
    alleles = (1 / draws if what.startswith("rare") else draws * people).astype(np.int64).clip(1, people)
    columns = genotypes(people, alleles, rng)
    start = time.process_time()
    two_sided, _ = exact_test(*columns)
    rate = number / (time.process_time() - start)
    # in equilibrium p below 0.05 is no commoner than that, but for chance
    assert 0 < np.mean(two_sided < 0.05) < 0.053
    assert rate > at_least
    table.append(f"exact test, {what:<26}{rate / 1e6:>8.2f} M tests/s")
