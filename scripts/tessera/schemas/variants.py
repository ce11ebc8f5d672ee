"""The leaf table: allele counts per variant and leaf stratum."""

import polars as pl

from tessera.schemas.table import Column, Table

VARIANTS = Table(
    name="variants",
    version=1,
    columns=(
        Column("contig", pl.String, "contig, as named in the reference", example="chr20"),
        Column("pos", pl.Int32, "POS after normalisation", "1-based", "1000211"),
        Column("ref", pl.String, "REF after normalisation", example="C"),
        Column("alt", pl.String, "ALT after normalisation, in bases", example="T"),
        Column("stratum", pl.String, "leaf stratum: population, then F (XX), M (XY) or U", example="EE_F"),
        Column("n_listed", pl.Int32, "people whose own record lists the variant, called or not", "people"),
        Column("n_dip", pl.Int32, "people called with two alleles here", "people"),
        Column("n_hap", pl.Int32, "people called with one allele here", "people"),
        Column("n_het", pl.Int32, "people with one copy beside another allele; on MT the heteroplasmic", "people"),
        Column("n_homalt", pl.Int32, "people with two copies", "people"),
        Column("n_hemi", pl.Int32, "haploid people with the allele", "people"),
        Column("an_unknown", pl.Int32, "alleles of people of whom nothing is known here", "alleles"),
    ),
)
