"""Haplotypes of a simulated cohort: five populations that left Africa, split, grew and met again."""

from collections.abc import Iterator

import msprime
import numpy as np
import numpy.typing as npt

from cohorts import POPULATIONS, Cohort

#: population -> people today, growth per generation; rounded from Gravel et al. 2011 (doi:10.1073/pnas.1019276108)
SIZES = {"AMR": (50_000, 0.006), "EAS": (70_000, 0.0048), "EUR": (60_000, 0.0038), "SAS": (60_000, 0.0038)}
MIGRATION = {("EUR", "SAS"): 2e-5, ("EAS", "SAS"): 2e-5, ("AFR", "EUR"): 2.5e-5, ("AMR", "EAS"): 2e-5}
MUTATION, RECOMBINATION = 1.25e-8, 1.2e-8  # per base and generation


def variants(cohort: Cohort) -> Iterator[tuple[int, npt.NDArray[np.int8]]]:
    """The 0-based position of each site and the allele (0 ancestral) of each of 2 x people chromosomes."""
    shares = [len(part) for part in np.array_split(np.arange(cohort.people), len(POPULATIONS))]
    trees = msprime.sim_ancestry(
        samples=dict(zip(POPULATIONS, shares, strict=True)),
        demography=_demography(),
        sequence_length=cohort.bases,
        recombination_rate=RECOMBINATION,
        random_seed=cohort.seed,
    )
    mutated = msprime.sim_mutations(trees, rate=MUTATION, random_seed=cohort.seed)
    for variant in mutated.variants():
        yield int(variant.site.position), variant.genotypes.astype(np.int8)


def _demography() -> msprime.Demography:
    demography = msprime.Demography()
    demography.add_population(name="AFR", initial_size=24_000)
    for name, (size, growth) in SIZES.items():
        demography.add_population(name=name, initial_size=size, growth_rate=growth)
    demography.add_population(name="OUT_OF_AFRICA", initial_size=1_860)
    demography.add_population(name="ANCESTRAL", initial_size=12_300)
    for pair, rate in MIGRATION.items():
        demography.set_symmetric_migration_rate(list(pair), rate)
    demography.add_population_split(time=848, derived=list(SIZES), ancestral="OUT_OF_AFRICA")
    demography.add_population_split(time=5_600, derived=["AFR", "OUT_OF_AFRICA"], ancestral="ANCESTRAL")
    return demography
