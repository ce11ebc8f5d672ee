"""The cost of `tessera merge`: four cohorts of other people with a dense block of variants each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pysam.bcftools

from agreement import summary
from cohorts import Cohort, write_cohort
from peers import Cost, Tessera, run

PARTS, PEOPLE, BASES = 4, 50, 1_000_000
CARRIERS = ["n_het", "n_homalt"]


def measure(tessera: Tessera, folder: Path, sites: int) -> tuple[int, Cost, int]:
    """Rows that went in, what the merge took, and the numbers of carriers that got lost (none, or it is wrong)."""
    summaries = [_summary(tessera, folder / f"merge-{seed}", seed, sites) for seed in range(PARTS)]
    both = folder / "merged"
    cost = run([*tessera.words, "merge", *map(str, summaries), "--out", str(both)], folder / "log")
    parts = pl.concat([summary(part).select(CARRIERS) for part in summaries])
    lost = parts.sum().row(0), summary(both).select(CARRIERS).sum().row(0)
    return parts.height, cost, sum(abs(a - b) for a, b in zip(*lost, strict=True))


def _summary(tessera: Tessera, folder: Path, seed: int, sites: int) -> Path:
    """A summary of a cohort whose sites lie as dense as `sites` in a block of a million bases."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_cohort(folder, Cohort(folder.name, PEOPLE, BASES, seed), _haplotypes(seed, sites))
    pysam.bcftools.view("--no-version", "-Ob", "-o", str(folder / "cohort.bcf"), str(folder / "cohort.vcf"),
                        catch_stdout=False)  # fmt: skip
    run(tessera.count(folder / "cohort.bcf", folder / "summary"), folder / "log")
    return folder / "summary"


def _haplotypes(seed: int, sites: int) -> Iterator[tuple[int, npt.NDArray[np.int8]]]:
    """Unlinked sites with the rare alleles of a real cohort, at least one carrier each."""
    rng = np.random.default_rng(seed)
    for position in np.sort(rng.choice(BASES, sites, replace=False)):
        alleles = (rng.random(2 * PEOPLE) < rng.beta(0.15, 2.5)).astype(np.int8)
        alleles[rng.integers(2 * PEOPLE)] = 1
        yield int(position), alleles
