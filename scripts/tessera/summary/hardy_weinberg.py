"""The exact test of Hardy-Weinberg proportions of Wigginton, Cutler and Abecasis (2005), for whole columns at once.

Given n diploid people and the alleles they carry, the number of heterozygotes goes in steps of two; its probability
has one mode and falls away from it on both sides ever faster. So a tail is summed outwards from where it starts until
nothing is added any more: one or two terms for a rare variant, in the order of sqrt(n) for a common one, never n.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: Tests that are worked on together, so that their numbers stay in the processor's cache.
CHUNK = 1 << 14
#: A term below this part of its sum ends the sum; what comes after is smaller still.
NEGLIGIBLE = 1e-16
UP, DOWN = 1, -1


@dataclass(frozen=True)
class _Genotypes:
    """Numbers of people, one entry per test; whole numbers kept as floats, which are exact far beyond any nation."""

    het: Floats
    hom: Floats
    other: Floats

    def __getitem__(self, rows: Mask) -> "_Genotypes":
        return _Genotypes(self.het[rows], self.hom[rows], self.other[rows])

    def moved(self, steps: Floats | float) -> "_Genotypes":
        """The same alleles with `steps` times two more heterozygotes."""
        return _Genotypes(self.het + 2 * steps, self.hom - steps, self.other - steps)

    def ratio(self, way: int) -> Floats:
        """Probability of two heterozygotes more (UP) or less (DOWN), over that of these; 0 where there is none."""
        if way == UP:
            return 4 * self.hom * self.other / ((self.het + 1) * (self.het + 2))
        return self.het * (self.het - 1) / (4 * (self.hom + 1) * (self.other + 1))

    def log_weight(self) -> Floats:
        """Logarithm of the probability, up to what depends on the alleles alone."""
        arrangements: Floats = gammaln(self.het + 1) + gammaln(self.hom + 1) + gammaln(self.other + 1)
        weight: Floats = self.het * np.log(2) - arrangements
        return weight

    def log_probability(self) -> Floats:
        """Logarithm of the probability of these heterozygotes given the alleles."""
        n, alleles = self.het + self.hom + self.other, self.het + 2 * self.hom
        every: Floats = gammaln(2 * n + 1) - gammaln(alleles + 1) - gammaln(2 * n - alleles + 1) - gammaln(n + 1)
        return self.log_weight() - every


def exact_test(n_dip: Ints, n_het: Ints, n_homalt: Ints) -> tuple[Floats, Floats]:
    """p of the two-sided exact test, and of an excess of heterozygotes; one entry per test, NaN where n_dip is 0.

    Two-sided: the probability of all numbers of heterozygotes that are no likelier than the one seen. Excess: the
    probability of as many or more. Both given the alleles, as `HWE` and `ExcHet` of bcftools +fill-tags, but for
    each ALT against all other alleles. The relative error is below 1e-11 for hundreds of people, 1e-8 for 500,000.
    """
    two_sided, excess = np.full(len(n_dip), np.nan), np.full(len(n_dip), np.nan)
    for start in range(0, len(n_dip), CHUNK):
        rows = slice(start, start + CHUNK)
        n, het, hom = (column[rows].astype(np.float64) for column in (n_dip, n_het, n_homalt))
        called = n > 0
        seen = _Genotypes(het[called], hom[called], (n - het - hom)[called])
        two_sided[rows][called], excess[rows][called] = _p_values(seen)
    return two_sided, excess


def _p_values(seen: _Genotypes) -> tuple[Floats, Floats]:
    fewer = seen.ratio(DOWN)
    few, many = seen.ratio(UP) > 1, fewer > 1
    probability = np.exp(seen.log_probability())
    # from what was seen away from the mode; from the mode itself upwards
    tail = np.empty(len(few))
    tail[few], tail[~few] = _tail(seen[few], DOWN), _tail(seen[~few], UP)
    two_sided = np.ones(len(few))
    two_sided[few] = probability[few] * (tail[few] + _opposite_tail(seen[few], UP))
    two_sided[many] = probability[many] * (tail[many] + _opposite_tail(seen[many], DOWN))
    excess = np.where(few, 1 - probability * (tail - 1), probability * tail)
    excess[fewer == 0] = 1
    return np.minimum(two_sided, 1), np.clip(excess, 0, 1)


def _tail(start: _Genotypes, way: int) -> Floats:
    """The probability of `start` and of everything beyond it, in units of that of `start`."""
    total, rows = np.ones(len(start.het)), np.arange(len(start.het))
    at, term = start, np.ones(len(rows))
    while len(rows):
        term = term * at.ratio(way)
        total[rows] += term
        at = at.moved(way)
        going = term > NEGLIGIBLE * total[rows]
        if not going.all():
            rows, term, at = rows[going], term[going], at[going]
    return total


def _opposite_tail(seen: _Genotypes, way: int) -> Floats:
    """What lies beyond the mode and is no likelier than `seen`, in units of its probability; `way` leads there."""
    weight = seen.log_weight()
    # a tie counts; logarithms of factorials are exact to a few parts in 1e16
    tie = 1e-15 * (16 + np.abs(gammaln(seen.het + seen.hom + seen.other + 1)))
    last = np.minimum(seen.hom, seen.other) if way == UP else np.floor(seen.het / 2)
    # the weight rises to the mode and falls for good: halve the steps in which the first such place lies
    low, high = np.ones(len(weight)), last + 1
    while (undecided := low < high).any():
        middle = np.floor((low + high) / 2)[undecided]
        no_likelier = seen[undecided].moved(way * middle).log_weight() - weight[undecided] <= tie[undecided]
        high[undecided] = np.where(no_likelier, middle, high[undecided])
        low[undecided] = np.where(no_likelier, low[undecided], middle + 1)
    found, sums = high <= last, np.zeros(len(weight))
    start = seen[found].moved(way * high[found])
    sums[found] = np.exp(start.log_weight() - weight[found]) * _tail(start, way)
    return sums
