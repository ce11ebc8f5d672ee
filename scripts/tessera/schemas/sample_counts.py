"""What each counted person of a file carries, from the pass that made the summary; private, one row a person."""

import polars as pl

from tessera.schemas.table import Column, Table

_GENOTYPES = "genotypes x variants"

SAMPLE_COUNTS = Table(
    name="sample_counts",
    version=1,
    columns=(
        Column("sample", pl.String, "name of the sample"),
        Column("n_snv", pl.Int64, "counted SNVs that the person carries", _GENOTYPES),
        Column("n_transition", pl.Int64, "of these, A/G and C/T", _GENOTYPES),
        Column("n_transversion", pl.Int64, "of these, all others", _GENOTYPES),
        Column("n_insertion", pl.Int64, "counted insertions", _GENOTYPES),
        Column("n_deletion", pl.Int64, "counted deletions", _GENOTYPES),
        Column("n_other", pl.Int64, "counted variants of several bases", _GENOTYPES),
        Column("n_het", pl.Int64, "of all, one copy beside another allele", _GENOTYPES),
        Column("n_homalt", pl.Int64, "of all, two copies", _GENOTYPES),
        Column("n_hemi", pl.Int64, "of all, the one copy of a haploid region", _GENOTYPES),
        Column("n_asked", pl.Int64, "records with a variant that pass FILTER, where the person has a copy", "records"),
        Column("n_called", pl.Int64, "of these, called under the mask", "records"),
        Column("call_rate", pl.Float64, "n_called over n_asked; null where nothing was asked"),
        Column("mean_gq", pl.Float64, "mean GQ of the called records that give one", "Phred"),
        Column("mean_dp", pl.Float64, "mean DP of the called records that give one", "reads"),
    ),
)
