"""Allele counts and frequencies per variant, derived from a block when they are asked for, never stored."""

from collections.abc import Sequence

import polars as pl

from tessera.schemas.variants import VARIANTS
from tessera.summary.an_track import CALLED, called_at
from tessera.summary.blocks import Block

VARIANT = ["contig", "pos", "ref", "alt"]
PEOPLE = ["n_dip", "n_hap", "n_het", "n_homalt", "n_hemi", "n_listed"]
TOTAL = "Total"
#: population and sex of a leaf stratum
POPULATION, SEX = pl.col("stratum").str.extract(r"^(.*)_"), pl.col("stratum").str.extract(r"_([FMU])$")

#: allele count and called alleles, out of numbers of people (docs/data-model.md)
AC = pl.col("n_het") + 2 * pl.col("n_homalt") + pl.col("n_hemi")
AN = 2 * pl.col("n_dip") + pl.col("n_hap")
AF = pl.when(AN > 0).then(AC / AN)


def leaf_counts(block: Block, strata: Sequence[str]) -> pl.DataFrame:
    """One row per variant of the block and leaf stratum: stored rows, else the AN track's answer at POS."""
    keys = block.variants.select(VARIANT).unique(maintain_order=True)
    every = keys.join(pl.DataFrame({"stratum": list(strata)}, schema={"stratum": pl.String}), how="cross")
    unseen = every.join(block.variants, on=[*VARIANT, "stratum"], how="anti")
    carriers = [c for c in PEOPLE if c not in CALLED]
    answered = called_at(block.an_track, unseen).with_columns(pl.lit(0, pl.Int32).alias(c) for c in carriers)
    rows = pl.concat([block.variants, answered.select(block.variants.columns).cast(VARIANTS.schema)])
    return rows.sort([*VARIANT, "stratum"])


def group_label(by: Sequence[str]) -> pl.Expr:
    """The group of a leaf stratum: its population, its sex or both as `by` says; without any, Total."""
    labels = {(): pl.lit(TOTAL), ("population",): POPULATION, ("sex",): SEX}
    return labels.get(tuple(by), pl.col("stratum")).alias("stratum")


def pooled(leaves: pl.DataFrame, by: Sequence[str] = ()) -> pl.DataFrame:
    """AC, AN, AF and counts of people per variant, summed over the leaf strata that `by` does not keep apart.

    `by` holds none, one or both of "population" and "sex", in this order. AF is null where AN is 0. AN_unknown is
    the alleles of people of whom nothing is known there: AN lies in [AN, AN + AN_unknown].
    """
    summed = (
        leaves.with_columns(group_label(by))
        .group_by([*VARIANT, "stratum"])
        .agg(pl.col([*PEOPLE, "an_unknown"]).cast(pl.Int64).sum())
    )
    return (
        summed.with_columns(AC.alias("AC"), AN.alias("AN"), AF.alias("AF"), pl.col("an_unknown").alias("AN_unknown"))
        .select(*VARIANT, "stratum", "AC", "AN", "AF", *PEOPLE, "AN_unknown")
        .sort([*VARIANT, "stratum"])
    )


def frequencies(block: Block, strata: Sequence[str], by: Sequence[str] = ()) -> pl.DataFrame:
    """The counts and frequencies of every variant of the block, for the people of `strata`, as `pooled` sums them."""
    return pooled(leaf_counts(block, strata), by)
