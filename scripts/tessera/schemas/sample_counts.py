"""What each counted person of a file carries, from the pass that made the summary; private, one row a person."""

from tessera.schemas.table import Column, Table

_GENOTYPES = "genotypes x variants"

SAMPLE_COUNTS = Table(
    name="sample_counts",
    version=1,
    columns=(
        Column("sample", "String", "name of the sample"),
        Column("n_snv", "Int64", "counted SNVs that the person carries", _GENOTYPES),
        Column("n_transition", "Int64", "of these, A/G and C/T", _GENOTYPES),
        Column("n_transversion", "Int64", "of these, all others", _GENOTYPES),
        Column("n_insertion", "Int64", "counted insertions", _GENOTYPES),
        Column("n_deletion", "Int64", "counted deletions", _GENOTYPES),
        Column("n_other", "Int64", "counted variants of several bases", _GENOTYPES),
        Column("n_het", "Int64", "of all, one copy beside another allele", _GENOTYPES),
        Column("n_homalt", "Int64", "of all, two copies", _GENOTYPES),
        Column("n_hemi", "Int64", "of all, the one copy of a haploid region", _GENOTYPES),
        Column("n_asked", "Int64", "records with a variant that pass FILTER, where the person has a copy", "records"),
        Column("n_called", "Int64", "of these, called under the mask", "records"),
        Column("call_rate", "Float64", "n_called over n_asked; null where nothing was asked"),
        Column("mean_gq", "Float64", "mean GQ of the called records that give one", "Phred"),
        Column("mean_dp", "Float64", "mean DP of the called records that give one", "reads"),
    ),
)
