"""How much of a sample's reads is somebody else's, from what population its alleles are likely in.

The model of VerifyBamID2 (Zhang et al., Genome Research 2020, 30:185), with the ancestry of both people taken to be the
same: at a marker of a panel, a read is of the sample with probability 1 - alpha and of one other person else; both
genotypes are in Hardy-Weinberg proportions at the allele frequency that the ancestry gives, and bases are wrong as
their qualities say. Markers are taken to be independent of each other, so they should be far apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, minimize_scalar

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

#: qualities that a base may have, and the lowest that is believed (VerifyBamID2's own default)
QUALITIES, LOWEST_QUALITY = 94, 13
#: principal components that tell ancestry (the standard: NumPC 4)
COMPONENTS = 4
#: allele frequencies that ancestry may tell (VerifyBamID2)
RAREST = 5e-5
#: fewer markers with reads tell nothing
FEWEST_MARKERS = 500
#: where the search starts to look; above one half the sample would be the other person
RATES = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
#: share of the alternative allele in a genotype
DOSES = np.array([0.0, 0.5, 1.0])


@dataclass(frozen=True)
class Frequencies:
    """Allele frequencies of m markers by ancestry: (`mean` + `loadings` @ coordinates) / 2.

    `mean` is (m,), twice the mean frequency; `loadings` (m, k) of the first k principal components.
    """

    mean: Floats
    loadings: Floats

    def at(self, ancestry: Floats) -> Floats:
        """(m,) frequencies of the alternative allele, for k coordinates."""
        return np.clip((self.mean + self.loadings @ ancestry) / 2, RAREST, 1 - RAREST)

    def of(self, markers: npt.NDArray[np.bool_]) -> "Frequencies":
        """Some of the markers."""
        return Frequencies(self.mean[markers], self.loadings[markers])

    def scaled(self) -> "Frequencies":
        """The same with coordinates of about one: the search takes steps of one size in all directions."""
        spread = np.sqrt((self.loadings**2).mean(axis=0))
        return Frequencies(self.mean, self.loadings / np.where(spread > 0, spread, 1))


def cross_contamination_rate(bases: Counts, frequencies: Frequencies) -> float | None:
    """cross-contamination.md: "Estimation of inter-sample contamination rate of [...] high quality, non duplicated
    reads, primary alignments".

    `bases` is (m, 2, QUALITIES): at each marker, bases that are REF and ALT, by quality. The most likely rate, between
    0 and 0.5; None when fewer than FEWEST_MARKERS have reads.
    """
    depth = bases.sum(axis=(1, 2))
    used = (depth > 0) & (depth <= depth.mean() + 3 * depth.std())
    if used.sum() < FEWEST_MARKERS:
        return None
    flat = bases[used].reshape(-1, 2 * QUALITIES).astype(np.float64)
    seen = flat.any(axis=0)
    known = frequencies.of(used).scaled()
    ancestry = np.zeros(known.loadings.shape[1])

    def unlikely(rate: float) -> float:
        nonlocal ancestry
        ancestry, value = _best_ancestry(_likelihoods(flat[:, seen], seen, rate), known, ancestry)
        return value

    return _lowest(unlikely)


def _lowest(unlikely: Callable[[float], float]) -> float:
    """Where the function is lowest between 0 and 0.5: around the best of RATES."""
    values = [unlikely(rate) for rate in RATES]
    best = int(np.argmin(values))
    around = (RATES[max(0, best - 1)], RATES[min(len(RATES) - 1, best + 1)])
    found = minimize_scalar(unlikely, bounds=around, method="bounded", options={"xatol": 1e-5})
    return float(found.x) if found.fun < values[best] else RATES[best]


def _likelihoods(bases: Floats, seen: npt.NDArray[np.bool_], rate: float) -> tuple[Floats, float]:
    """(m, 3, 3) likelihood of the reads by the genotypes of sample and other, each marker's highest 1; and what the log
    of these highest adds up to.
    """
    error = np.tile(10.0 ** (-np.arange(QUALITIES) / 10), 2)[seen]
    is_alt = np.repeat([False, True], QUALITIES)[seen]
    dose = ((1 - rate) * DOSES[:, None] + rate * DOSES[None, :]).reshape(1, 9)
    alt = dose * (1 - error)[:, None] + (1 - dose) * (error / 3)[:, None]
    ref = (1 - dose) * (1 - error)[:, None] + dose * (error / 3)[:, None]
    logs = bases @ np.log(np.where(is_alt[:, None], alt, ref))
    highest = logs.max(axis=1)
    return np.exp(logs - highest[:, None]).reshape(-1, 3, 3), float(highest.sum())


def _best_ancestry(likelihoods: tuple[Floats, float], known: Frequencies, start: Floats) -> tuple[Floats, float]:
    """The coordinates under which the reads are likeliest, and minus the log of how likely they are."""
    by_genotypes, added = likelihoods

    def value_and_slope(ancestry: Floats) -> tuple[float, Floats]:
        p = known.at(ancestry)
        genotypes = np.stack([(1 - p) ** 2, 2 * p * (1 - p), p**2], axis=1)
        slopes = np.stack([-2 * (1 - p), 2 - 4 * p, 2 * p], axis=1)
        other = np.einsum("mxy,my->mx", by_genotypes, genotypes)
        mine = np.einsum("mxy,mx->my", by_genotypes, genotypes)
        likely = (genotypes * other).sum(axis=1)
        by_p = (slopes * (other + mine)).sum(axis=1) / likely
        inside = (p > RAREST) & (p < 1 - RAREST)
        return -float(np.log(likely).sum()), -(by_p * inside / 2) @ known.loadings

    found = minimize(value_and_slope, start, jac=True, method="BFGS", options={"gtol": 1e-3})
    return found.x, float(found.fun) - added
