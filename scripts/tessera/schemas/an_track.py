"""The AN track: how many people are called at every base, by runs."""

import polars as pl

from tessera.schemas.table import Column, Table

AN_TRACK = Table(
    name="an_track",
    version=1,
    columns=(
        Column("contig", pl.String, "contig, as named in the reference", example="chr20"),
        Column("start", pl.Int32, "first base of the run", "0-based", "9999999"),
        Column("end", pl.Int32, "base after the last", "0-based", "10000099"),
        Column("stratum", pl.String, "leaf stratum: population, then F (XX), M (XY) or U", example="EE_F"),
        Column("n_dip", pl.Int32, "people called with two alleles", "people"),
        Column("n_hap", pl.Int32, "people called with one allele", "people"),
        Column("an_unknown", pl.Int32, "alleles of people of whom nothing is known", "alleles"),
    ),
)
