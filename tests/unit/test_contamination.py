"""Contamination of reads that were drawn with a known share of a second person's, at the markers of a public panel."""

from pathlib import Path

import numpy as np
import pytest

from tessera.alignments.contamination import QUALITIES, Frequencies, cross_contamination_rate

PANEL = "08_standards/verifybamid2/1000g.phase3.10k.b38.vcf.gz.dat"


def panel(shared: Path) -> tuple[Frequencies, np.ndarray]:
    """The panel's frequencies and the coordinates of the 2,504 people it was made of."""
    mean = np.loadtxt(shared / f"{PANEL}.mu", usecols=1)
    loadings = np.loadtxt(shared / f"{PANEL}.UD")
    people = np.loadtxt(shared / f"{PANEL}.V", usecols=range(1, 5))
    return Frequencies(mean, loadings), people


def reads_of(
    draw: np.random.Generator, frequencies: tuple[np.ndarray, np.ndarray], rate: float, depth: float
) -> np.ndarray:
    """Bases at unlinked markers, drawn one by one: whose read, which of its alleles, read right or wrong."""
    sample, other = (draw.binomial(2, p) for p in frequencies)
    bases = np.zeros((len(sample), 2, QUALITIES), np.int64)
    for marker, reads in enumerate(draw.poisson(depth, len(sample))):
        quality = draw.choice([14, 20, 30, 37, 40], size=reads, p=[0.02, 0.05, 0.13, 0.5, 0.3])
        dose = np.where(draw.random(reads) < rate, other[marker], sample[marker])
        allele = (draw.random(reads) < dose / 2).astype(int)
        wrong = draw.random(reads) < 10 ** (-quality / 10)
        # a wrong base is one of three others; only one of them is the marker's other allele
        kept = ~wrong | (draw.random(reads) < 1 / 3)
        allele = np.where(wrong, 1 - allele, allele)
        np.add.at(bases, (marker, allele[kept], quality[kept]), 1)
    return bases


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("person", [0, 700, 1500, 2400])
def test_the_rate_is_found_within_half_a_percent(shared: Path, rate: float, person: int) -> None:
    frequencies, people = panel(shared)
    p = np.clip((frequencies.mean + frequencies.loadings @ people[person]) / 2, 0, 1)
    bases = reads_of(np.random.default_rng(person), (p, p), rate, depth=30)
    found = cross_contamination_rate(bases, frequencies)
    assert found is not None
    assert abs(found - rate) <= 0.005


@pytest.mark.parametrize("rate", [0.01, 0.05])
def test_reads_of_another_continent_are_found_too(shared: Path, rate: float) -> None:
    """One ancestry is fitted to both people; the estimate is off by a tenth of itself at most."""
    frequencies, people = panel(shared)
    p, q = (np.clip((frequencies.mean + frequencies.loadings @ people[at]) / 2, 0, 1) for at in (0, 2000))
    found = cross_contamination_rate(reads_of(np.random.default_rng(1), (p, q), rate, depth=30), frequencies)
    assert found is not None
    assert abs(found - rate) <= 0.1 * rate + 0.002


def test_too_few_markers_tell_nothing(shared: Path) -> None:
    frequencies, _ = panel(shared)
    bases = np.zeros((len(frequencies.mean), 2, QUALITIES), np.int64)
    assert cross_contamination_rate(bases, frequencies) is None
    bases[:499, 0, 30] = 10
    assert cross_contamination_rate(bases, frequencies) is None
