"""The tables that leave a node as Parquet, and what the manifest of an export says."""

import re

from tessera.schemas.table import Column, Table

#: version of the manifest of an export
EXPORT_VERSION = 1
#: a population as the Genome of Europe and GDI name it: two capital letters
COUNTRY = re.compile(r"[A-Z]{2}")

GDI_ALLELE_FREQUENCIES = Table(
    name="gdi_allele_frequencies",
    version=1,
    columns=(
        Column("POS", "Int32", "position of REF's first base", "0-based", "1000210"),
        Column("REF", "String", "REF", example="C"),
        Column("ALT", "String", "ALT", example="T"),
        Column("VT", "String", "SNP, INDEL, or UNKNOWN for several bases by as many", example="SNP"),
        Column("POPULATION", "String", "population, sex (F, M) or both", example="EE_F"),
        Column("AF", "Float64", "AC / AN"),
        Column("AC", "Int32", "alternate alleles", "alleles"),
        Column("AC_HET", "Int32", "of them in heterozygous people; on MT the heteroplasmic", "alleles"),
        Column("AC_HOM", "Int32", "of them in homozygous people", "alleles"),
        Column("AC_HEMI", "Int32", "of them in haploid people", "alleles"),
        Column("AN", "Int32", "called alleles", "alleles"),
    ),
)

SITE = (
    Column("CHROM", "String", "contig, as named in the reference", example="chr20"),
    Column("POS", "Int32", "POS", "1-based", "1000211"),
    Column("REF", "String", "REF", example="C"),
    Column("ALT", "String", "ALT", example="T"),
)
#: of each group of people, with its name behind: AC_EE_F
SITE_COUNTS = (
    Column("AC", "Int32", "alternate alleles", "alleles"),
    Column("AN", "Int32", "called alleles", "alleles"),
    Column("AF", "Float64", "AC / AN; empty where AN is 0"),
    Column("n_dip", "Int32", "people called with two alleles", "people"),
    Column("n_hap", "Int32", "people called with one allele", "people"),
    Column("n_het", "Int32", "people with one copy beside another allele; on MT the heteroplasmic", "people"),
    Column("n_homalt", "Int32", "people with two copies", "people"),
    Column("n_hemi", "Int32", "haploid people with the allele", "people"),
    Column("AN_unknown", "Int32", "alleles of people of whom nothing is known: AN is an interval", "alleles"),
)
