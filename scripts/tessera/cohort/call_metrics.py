"""Metrics of each person's calls: call rate and het/hom ratio on the autosomes, under the mask of the count."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.cluster import Workers
from tessera.cohort.count import count_sites
from tessera.cohort.engine import members_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.relatives import CountedMarkers
from tessera.cohort.shards import count_file
from tessera.cohort.sites import Reader
from tessera.cohort.stretch import CountRules
from tessera.cohort.tally import TALLIES
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build
from tessera.schemas.mask import Mask
from tessera.summary.people import People

IntArray = npt.NDArray[np.int64]


def measure_gvcf(
    reader: Reader,
    person: People,
    build: Build,
    mask: Mask,
    bases: Mapping[str, int],
    markers: CountedMarkers | None = None,
) -> pl.DataFrame:
    """`sample`, `call_rate` and `het_hom_ratio` of the one person of a gVCF.

    `bases` is contig -> bases that can be called (without N). `markers` are read off the same blocks.
    """
    autosomes = {contig.name for contig in build.contigs if contig.kind == "autosome"} & set(bases)
    called = het = homalt = 0
    rules = CountRules(build, mask, bases=None, callable_spans={}, unknown_outside=False)
    for key, part in count_sites(reader, person, rules, Ledger()):
        if key.contig in autosomes:
            block = part.block
            if markers:
                markers.add(key, block)
            called += int(block.an_track.select(((pl.col("end") - pl.col("start")) * pl.col("n_dip")).sum()).item())
            snvs = block.variants.filter((pl.col("ref").str.len_bytes() == 1) & pl.col("alt").is_in(list("ACGT")))
            het, homalt = het + int(snvs["n_het"].sum()), homalt + int(snvs["n_homalt"].sum())
    return _table(
        person,
        np.array([called]),
        np.array([sum(bases[name] for name in autosomes)]),
        np.array([het]),
        np.array([homalt]),
    )


def measure_cohort(file: VariantFile, people: People, build: Build, mask: Mask, workers: Workers) -> pl.DataFrame:
    """The same of the n people of a cohort VCF, from each one's tallies of a count of the autosomes."""
    autosomes = Build(build.name, tuple(contig for contig in build.contigs if contig.kind == "autosome"), ())
    rules, ledger = CountRules(autosomes, mask, bases=None, callable_spans={}, unknown_outside=False), Ledger()
    with count_file(file, people, rules, ledger, "auto", workers) as (blocks, _):
        for _block in blocks:
            pass
    members = members_of(file.samples, people)
    tallies = np.broadcast_to(ledger.tallies, (members.width, len(TALLIES)))[members.columns].T
    by_name = dict(zip(TALLIES, tallies, strict=True))
    het, homalt = (
        by_name[f"n_transition_{zygosity}"] + by_name[f"n_transversion_{zygosity}"] for zygosity in ("het", "homalt")
    )
    return _table(people, by_name["n_called"], by_name["n_asked"], het, homalt)


def _table(people: People, called: IntArray, asked: IntArray, het: IntArray, homalt: IntArray) -> pl.DataFrame:
    """Rates are null where nothing was asked; the ratio is infinite with hets alone."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, ratio = called / asked, het / homalt
    columns = {"sample": list(people.names), "call_rate": rate, "het_hom_ratio": ratio}
    return pl.DataFrame(columns, schema_overrides={"sample": pl.String}).with_columns(
        pl.col("call_rate", "het_hom_ratio").fill_nan(None)
    )
