"""Metrics of each person's calls: call rate and het/hom ratio on the autosomes, under the mask of the count."""

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.cohort.count import count_sites
from tessera.cohort.genotypes import Reason, judge
from tessera.cohort.ledger import Ledger
from tessera.cohort.sites import Reader
from tessera.cohort.stretch import CountRules
from tessera.files.vcf import Record
from tessera.genome.build import Build
from tessera.schemas.mask import Mask
from tessera.summary.people import People

IntArray = npt.NDArray[np.int64]


def measure_gvcf(reader: Reader, person: People, build: Build, mask: Mask, bases: Mapping[str, int]) -> pl.DataFrame:
    """`sample`, `call_rate` and `het_hom_ratio` of the one person of a gVCF.

    `bases` is contig -> bases that can be called (without N).
    """
    autosomes = {contig.name for contig in build.contigs if contig.kind == "autosome"} & set(bases)
    called = het = homalt = 0
    rules = CountRules(build, mask, bases=None, callable_spans={}, unknown_outside=False)
    for key, block in count_sites(reader, person, rules, Ledger()):
        if key.contig in autosomes:
            called += int(block.an_track.select(((pl.col("end") - pl.col("start")) * pl.col("n_dip")).sum()).item())
            snvs = block.variants.filter((pl.col("ref").str.len_bytes() == 1) & pl.col("alt").is_in(list("ACGT")))
            het, homalt = het + int(snvs["n_het"].sum()), homalt + int(snvs["n_homalt"].sum())
    return _table(
        person,
        np.array([called]),
        sum(bases[name] for name in autosomes),
        np.array([het]),
        np.array([homalt]),
    )


def measure_cohort(records: Iterable[Record], people: People, build: Build, mask: Mask) -> pl.DataFrame:
    """The same of the n people of a cohort VCF."""
    autosomes = {contig.name for contig in build.contigs if contig.kind == "autosome"}
    copies = people.expected_ploidy("autosome")
    called, het, homalt = (np.zeros(len(people.names), dtype=np.int64) for _ in range(3))
    asked = 0
    for record in records:
        if record.contig not in autosomes or not record.passes_filter:
            continue
        asked += 1
        passed = judge(record, copies, mask, mitochondrial=False) == Reason.CALLED
        called += passed
        snvs = [i for i, alt in enumerate(record.alts, start=1) if len(record.ref) == len(alt) == 1 and alt in "ACGT"]
        first, second = record.gt[:, 0], record.gt[:, 1]
        for allele in snvs:
            het += passed & ((first == allele) != (second == allele))
            homalt += passed & (first == allele) & (second == allele)
    return _table(people, called, asked, het, homalt)


def _table(people: People, called: IntArray, asked: int, het: IntArray, homalt: IntArray) -> pl.DataFrame:
    """Rates are null where nothing was asked; the ratio is infinite with hets alone."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = het / homalt
    rate = called / asked if asked else np.full(len(called), np.nan)
    columns = {"sample": list(people.names), "call_rate": rate, "het_hom_ratio": ratio}
    return pl.DataFrame(columns, schema_overrides={"sample": pl.String}).with_columns(
        pl.col("call_rate", "het_hom_ratio").fill_nan(None)
    )
