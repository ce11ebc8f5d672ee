"""Heterogeneity between nodes: against scipy's tests and moments, at its nominal rate, and with an effect planted."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import binom, chi2, chi2_contingency, kstest, multivariate_hypergeom

from tessera.federation.discordance import heterogeneity
from tessera.schemas.discordance import EXPECTED

Counts = npt.NDArray[np.int64]


def drawn(seed: int, nodes: int, strata: int, number: int) -> tuple[Counts, Counts]:
    """(nodes, strata, number) alleles found and looked at, of one frequency per stratum."""
    rng = np.random.default_rng(seed)
    of = np.broadcast_to(rng.integers(60, 400, (nodes, strata, 1)), (nodes, strata, number)).copy()
    return rng.binomial(of, rng.uniform(0.1, 0.9, (1, strata, number))), of


@pytest.mark.parametrize("nodes", [2, 3, 5])
def test_within_one_stratum_it_is_pearsons_test_less_one_of_n(nodes: int) -> None:
    """The covariance under fixed margins has n - 1 where Pearson's has n."""
    found, of = drawn(1, nodes, 1, 50)
    for p, hits, trials in zip(heterogeneity(found, of), found[:, 0].T, of[:, 0].T, strict=True):
        pearson = chi2_contingency([hits, trials - hits], correction=False)
        n = trials.sum()
        assert p == pytest.approx(chi2.sf(pearson.statistic * (n - 1) / n, nodes - 1), rel=1e-9)


def test_two_nodes_within_strata_are_the_test_of_mantel_and_haenszel() -> None:
    """(sum of a - E a)^2 / sum of Var a, hypergeometric, without correction (Mantel and Haenszel 1959)."""
    found, of = drawn(2, 2, 4, 50)
    for number, p in enumerate(heterogeneity(found, of)):
        off = variance = 0.0
        for (a, b), (n, m) in zip(found[:, :, number].T, of[:, :, number].T, strict=True):
            total, hits = int(n + m), int(a + b)
            off += a - hits * n / total
            variance += n * m * hits * (total - hits) / (total**2 * (total - 1))
        assert p == pytest.approx(chi2.sf(off**2 / variance, 1), rel=1e-9)


def test_many_nodes_within_strata_agree_with_the_moments_of_scipy() -> None:
    found, of = drawn(3, 4, 3, 30)
    of[3, 1:] = found[3, 1:] = 0  # a node that has no people in two strata
    for number, p in enumerate(heterogeneity(found, of)):
        off, covariance = np.zeros(4), np.zeros((4, 4))
        for hits, trials in zip(found[:, :, number].T, of[:, :, number].T, strict=True):
            off += hits - multivariate_hypergeom.mean(trials, hits.sum())
            covariance += multivariate_hypergeom.cov(trials, hits.sum())
        statistic = off @ np.linalg.pinv(covariance) @ off
        assert p == pytest.approx(chi2.sf(statistic, np.linalg.matrix_rank(covariance)), rel=1e-6)


def test_where_nodes_do_not_differ_p_is_as_often_small_as_it_says() -> None:
    """p is uniform, so 5 % are below 0.05 and 0.1 % below 0.001, within what chance lets 20,000 draws vary."""
    p = heterogeneity(*drawn(4, 4, 3, 20_000))
    assert np.isfinite(p).all()
    for level in (0.05, 0.01, 0.001):
        lowest, highest = binom.interval(0.9999, len(p), level)
        assert lowest <= (p <= level).sum() <= highest
    assert kstest(p, "uniform").pvalue > 1e-3


def test_strata_of_other_frequencies_alone_are_no_difference_between_nodes() -> None:
    """A node with more people of one population than the others has another total; within strata all are alike."""
    rng = np.random.default_rng(5)
    of = np.empty((2, 2, 2000), np.int64)
    of[:, 0], of[:, 1] = np.array([[900], [100]]), np.array([[100], [900]])
    found = rng.binomial(of, np.array([0.1, 0.6])[None, :, None])
    assert (heterogeneity(found, of) <= 0.001).sum() <= 12
    pooled = heterogeneity(found.sum(axis=1, keepdims=True), of.sum(axis=1, keepdims=True))
    assert (pooled <= 0.001).all()


def test_what_is_too_rare_or_of_one_node_is_no_test() -> None:
    found = np.array([[[EXPECTED - 1, 40, 0, 100, 30]], [[EXPECTED - 1, 0, 0, 100, 50]]])
    of = np.array([[[100, 100, 100, 100, 100]], [[100, 0, 100, 100, 100]]])
    #                    rare, one node, nobody has it, everybody has it, a test
    assert np.isfinite(heterogeneity(found, of)).tolist() == [False, False, False, False, True]
