"""Metrics of each person's calls on the autosomes: call rate and het/hom ratio, under the mask of the count, and the
seven of the standard."""

from collections.abc import Mapping, Sequence

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
from tessera.cohort.wgs_qc import VariantTally, tallied, x_heterozygosity
from tessera.cohort.wgs_qc_tally import tally_file
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build
from tessera.schemas.mask import Mask
from tessera.schemas.variant_metrics import VARIANT_METRICS
from tessera.summary.people import People

IntArray = npt.NDArray[np.int64]


def measure_alone(file: VariantFile, person: People, build: Build) -> pl.DataFrame:
    """`x_heterozygosity`, and the metrics of the standard, of one person of a file (one row)."""
    tally = VariantTally.of(1)
    for _ in tallied(file.variant_records(person.names), build, tally):
        pass
    return _standard([{"x_heterozygosity": x_heterozygosity(tally, 0), **tally.metrics(0)}])


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
    """The same of the n people of a cohort VCF, from each one's tallies of a count of the autosomes; and the metrics of
    the standard, which know no mask, of a second one. Where it is one person's file, `x_heterozygosity` as well."""
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
    table = _table(people, by_name["n_called"], by_name["n_asked"], het, homalt)
    if len(file.samples) == 1:
        return table.hstack(measure_alone(file, people, build))
    tally = tally_file(file, people, build, workers)
    return table.hstack(_standard([tally.metrics(person) for person in range(len(people.names))]))


def _standard(rows: Sequence[Mapping[str, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={name: VARIANT_METRICS.schema[name] for name in rows[0]})


def _table(people: People, called: IntArray, asked: IntArray, het: IntArray, homalt: IntArray) -> pl.DataFrame:
    """Rates are null where nothing was asked; the ratio is infinite with hets alone."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, ratio = called / asked, het / homalt
    columns = {"sample": list(people.names), "call_rate": rate, "het_hom_ratio": ratio}
    return pl.DataFrame(columns, schema_overrides={"sample": pl.String}).with_columns(
        pl.col("call_rate", "het_hom_ratio").fill_nan(None)
    )
