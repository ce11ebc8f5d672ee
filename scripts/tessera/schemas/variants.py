"""The leaf table: allele counts per variant and leaf stratum."""

from tessera.schemas.table import Column, Table

VARIANTS = Table(
    name="variants",
    version=1,
    columns=(
        Column("contig", "String", "contig, as named in the reference", example="chr20"),
        Column("pos", "Int32", "POS after normalisation", "1-based", "1000211"),
        Column("ref", "String", "REF after normalisation", example="C"),
        Column("alt", "String", "ALT after normalisation, in bases", example="T"),
        Column("stratum", "String", "leaf stratum: population, then F (XX), M (XY) or U", example="EE_F"),
        Column("n_listed", "Int32", "people whose own record lists the variant, called or not", "people"),
        Column("n_dip", "Int32", "people called with two alleles here", "people"),
        Column("n_hap", "Int32", "people called with one allele here", "people"),
        Column("n_het", "Int32", "people with one copy beside another allele; on MT the heteroplasmic", "people"),
        Column("n_homalt", "Int32", "people with two copies", "people"),
        Column("n_hemi", "Int32", "haploid people with the allele", "people"),
        Column("an_unknown", "Int32", "alleles of people of whom nothing is known here", "alleles"),
    ),
)
