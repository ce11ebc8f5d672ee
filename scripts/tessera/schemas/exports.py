"""The tables that leave a node as Parquet, and what the manifest of an export says."""

import re

import polars as pl

from tessera.schemas.table import Column, Table

#: version of the manifest of an export
EXPORT_VERSION = 1
#: a population as the Genome of Europe and GDI name it: two capital letters
COUNTRY = re.compile(r"[A-Z]{2}")

GDI_ALLELE_FREQUENCIES = Table(
    name="gdi_allele_frequencies",
    version=1,
    columns=(
        Column("POS", pl.Int32, "position of REF's first base", "0-based", "1000210"),
        Column("REF", pl.String, "REF", example="C"),
        Column("ALT", pl.String, "ALT", example="T"),
        Column("VT", pl.String, "SNP, INDEL, or UNKNOWN for several bases by as many", example="SNP"),
        Column("POPULATION", pl.String, "population, sex (F, M) or both", example="EE_F"),
        Column("AF", pl.Float64, "AC / AN"),
        Column("AC", pl.Int32, "alternate alleles", "alleles"),
        Column("AC_HET", pl.Int32, "of them in heterozygous people; on MT the heteroplasmic", "alleles"),
        Column("AC_HOM", pl.Int32, "of them in homozygous people", "alleles"),
        Column("AC_HEMI", pl.Int32, "of them in haploid people", "alleles"),
        Column("AN", pl.Int32, "called alleles", "alleles"),
    ),
)

SITE = (
    Column("CHROM", pl.String, "contig, as named in the reference", example="chr20"),
    Column("POS", pl.Int32, "POS", "1-based", "1000211"),
    Column("REF", pl.String, "REF", example="C"),
    Column("ALT", pl.String, "ALT", example="T"),
)
#: of each group of people, with its name behind: AC_EE_F
SITE_COUNTS = (
    Column("AC", pl.Int32, "alternate alleles", "alleles"),
    Column("AN", pl.Int32, "called alleles", "alleles"),
    Column("AF", pl.Float64, "AC / AN; empty where AN is 0"),
    Column("n_dip", pl.Int32, "people called with two alleles", "people"),
    Column("n_hap", pl.Int32, "people called with one allele", "people"),
    Column("n_het", pl.Int32, "people with one copy beside another allele; on MT the heteroplasmic", "people"),
    Column("n_homalt", pl.Int32, "people with two copies", "people"),
    Column("n_hemi", pl.Int32, "haploid people with the allele", "people"),
    Column("AN_unknown", pl.Int32, "alleles of people of whom nothing is known: AN is an interval", "alleles"),
)
