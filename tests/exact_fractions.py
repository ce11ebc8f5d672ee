"""The exact test of Hardy-Weinberg proportions by its definition, in fractions: slow, and without rounding."""

from fractions import Fraction
from math import comb, factorial


def probabilities(n: int, alleles: int) -> dict[int, Fraction]:
    """Number of heterozygotes among n people -> its probability given the alleles, by counting arrangements."""
    found = {}
    for het in range(alleles % 2, min(alleles, 2 * n - alleles) + 1, 2):
        hom = (alleles - het) // 2
        people = Fraction(factorial(n), factorial(het) * factorial(hom) * factorial(n - het - hom))
        found[het] = people * 2**het / comb(2 * n, alleles)
    assert sum(found.values()) == 1
    return found


def p_values_by_definition(n: int, het: int, hom: int) -> tuple[float, float]:
    """The two-sided p, and that of an excess of heterozygotes."""
    of = probabilities(n, het + 2 * hom)
    two_sided = sum(p for p in of.values() if p <= of[het])
    return float(two_sided), float(sum(p for number, p in of.items() if number >= het))
