"""Statistics per variant and group of people, derived from counts when they are asked for, never stored or merged."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import gammaincinv

from tessera.genome.build import ploidy
from tessera.schemas.samples import SEX_STRATA
from tessera.summary.blocks import Block
from tessera.summary.frequencies import POPULATION, SEX, VARIANT, group_label, leaf_counts, pooled
from tessera.summary.hardy_weinberg import Floats, Ints, exact_test
from tessera.summary.manifest import Manifest
from tessera.summary.rules import counted_build

#: confidence of a filtering allele frequency -> its name
FILTERING = {0.95: "faf95", 0.99: "faf99"}
GENOTYPES = ["n_dip", "n_het", "n_homalt"]
#: what is known of the group with the highest frequency, under the names of gnomAD
GRPMAX = {"AC": "AC_grpmax", "AN": "AN_grpmax", "AF": "AF_grpmax", "n_homalt": "nhomalt_grpmax"}


def statistics(
    block: Block, manifest: Manifest, by: Sequence[str] = (), not_in_grpmax: Sequence[str] = ()
) -> pl.DataFrame:
    """The rows of `frequencies`, with call rate, Hardy-Weinberg tests and filtering frequencies.

    Where `by` pools populations also grpmax and fafmax over them, but for those `not_in_grpmax`.
    """
    leaves = leaf_counts(block, sorted(manifest.people))
    table = with_filtering_frequencies(with_hardy_weinberg(with_call_rate(pooled(leaves, by), manifest, by)))
    if "population" in by:
        return table
    best = grpmax(with_filtering_frequencies(pooled(leaves, ("population", *by))), by, not_in_grpmax)
    return table.join(best, on=[*VARIANT, "stratum"], how="left", maintain_order="left")


def with_call_rate(table: pl.DataFrame, manifest: Manifest, by: Sequence[str]) -> pl.DataFrame:
    """The table with n_people, the people of the group who have copies at `pos`, and the part of them who is called.

    The rate is null where nobody has a copy, and where people of whom nothing is known (AN_unknown) leave it open.
    """
    rate = pl.when((pl.col("n_people") > 0) & (pl.col("AN_unknown") == 0)).then(
        (pl.col("n_dip") + pl.col("n_hap")) / pl.col("n_people")
    )
    return (
        table.with_columns((pl.col("pos") - 1).alias("_base"))
        .sort("_base", maintain_order=True)
        .join_asof(
            _people_with_copies(manifest, by), left_on="_base", right_on="start", by=["contig", "stratum"],
            strategy="backward", check_sortedness=False,
        )
        .with_columns(rate.alias("call_rate"))
        .drop("_base", "start")
        .sort([*VARIANT, "stratum"])
    )  # fmt: skip


def _people_with_copies(manifest: Manifest, by: Sequence[str]) -> pl.DataFrame:
    """contig, start (0-based, where ploidy may change), group in `stratum`, its people with copies from there on."""
    karyotypes = {letter: karyotype for karyotype, letter in SEX_STRATA.items()}
    build = counted_build(manifest.rules)
    rows = [
        (contig.name, region.start, stratum, people if ploidy(region.kind, karyotypes.get(stratum[-1], "NA")) else 0)
        for contig in build.contigs
        for region in build.regions(contig)
        for stratum, people in manifest.people.items()
    ]
    schema = {"contig": pl.String, "start": pl.Int32, "stratum": pl.String, "n_people": pl.Int64}
    leaves = pl.DataFrame(rows, schema=schema, orient="row").with_columns(group_label(by))
    return leaves.group_by("contig", "start", "stratum").agg(pl.sum("n_people")).sort("start")


def with_hardy_weinberg(table: pl.DataFrame) -> pl.DataFrame:
    """The table with HWE, ExcHet and inbreeding_coeff of its diploid people, the ALT against all other alleles.

    Null where no diploid is called. Numbers of genotypes that several rows share are tested once.
    """
    distinct = table.select(GENOTYPES).unique()
    two_sided, excess = exact_test(*(distinct[name].to_numpy() for name in GENOTYPES))
    tested = distinct.with_columns(pl.Series("HWE", two_sided), pl.Series("ExcHet", excess))
    tested = tested.with_columns(pl.when(pl.col("n_dip") > 0).then(pl.col("HWE", "ExcHet")))
    joined = table.join(tested, on=GENOTYPES, how="left", maintain_order="left")
    return joined.with_columns(_inbreeding().alias("inbreeding_coeff"))


def _inbreeding() -> pl.Expr:
    """1 - observed / expected heterozygotes, 2pq expected; null where one allele is all there is."""
    n, het = pl.col("n_dip"), pl.col("n_het")
    alleles = het + 2 * pl.col("n_homalt")
    expected = alleles * (2 * n - alleles) / (2 * n)
    return pl.when((n > 0) & (expected > 0)).then(1 - het / expected)


def with_filtering_frequencies(table: pl.DataFrame) -> pl.DataFrame:
    """The table with faf95 and faf99, null where AN is 0 or an interval (AN_unknown)."""
    ac, an = table["AC"].to_numpy(), table["AN"].to_numpy()
    known = (pl.col("AN") > 0) & (pl.col("AN_unknown") == 0)
    bounds = [pl.Series(name, filtering_frequency(ac, an, level), pl.Float64) for level, name in FILTERING.items()]
    return table.with_columns(bounds).with_columns(pl.when(known).then(pl.col(list(FILTERING.values()))))


def filtering_frequency(ac: Ints, an: Ints, confidence: float) -> Floats:
    """The highest true AF under which AC or more alleles would be seen with a probability of 1 - confidence at most.

    Whiffin et al. 2017, `faf95` of gnomAD: chi2.ppf(1 - confidence, 2 AC) / (2 AN), which is Poisson's lower bound;
    0 where AC is 0 or 1. NaN or infinite where AN is 0.
    """
    counts, which = np.unique(ac, return_inverse=True)
    alleles = np.where(counts > 1, gammaincinv(np.maximum(counts, 1), 1 - confidence), 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = alleles[which] / an
    return found


def grpmax(apart: pl.DataFrame, by: Sequence[str], not_in_grpmax: Sequence[str] = ()) -> pl.DataFrame:
    """The population with the highest AF, and those with the highest filtering frequencies, as gnomAD 4 names them.

    `apart` has faf95 and faf99, and a row for each population beside what `by` keeps apart. One row per variant and
    group of `by`; null where no population that takes part has AC, or a filtering frequency, above 0, and where the
    AN of one is an interval. Of equals the first by name.
    """
    groups = (
        apart.with_columns(POPULATION.fill_null(pl.col("stratum")).alias("population"))
        .filter(~pl.col("population").is_in(list(not_in_grpmax)))
        .with_columns((SEX if by else group_label(())).alias("stratum"))
    )
    columns = [_of_highest("population", "AF").alias("grpmax")]
    columns += [_of_highest(name, "AF").alias(alias) for name, alias in GRPMAX.items()]
    for name in FILTERING.values():
        columns.append(_of_highest(name, name).alias(f"fafmax_{name}_max"))
        columns.append(_of_highest("population", name).alias(f"fafmax_{name}_max_gen_anc"))
    return groups.group_by([*VARIANT, "stratum"]).agg(columns)


def _of_highest(column: str, key: str) -> pl.Expr:
    """The column where `key` is highest among what is above 0; null when there is none, or an AN that is not known."""
    ordered = pl.col(column).sort_by(pl.col(key), pl.col("population"), descending=[True, False], nulls_last=True)
    return pl.when((pl.col("AN_unknown").sum() == 0) & (pl.col(key).max() > 0)).then(ordered.first())
