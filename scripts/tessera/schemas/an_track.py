"""The AN track: how many people are called at every base, by runs."""

from tessera.schemas.table import Column, Table

AN_TRACK = Table(
    name="an_track",
    version=2,
    columns=(
        Column("contig", "String", "contig, as named in the reference", example="chr20"),
        Column("start", "Int32", "first base of the run", "0-based", "9999999"),
        Column(
            "end",
            "Int32",
            "base after the last; empty where the stratum's next begins",
            "0-based",
            "10000099",
        ),
        Column("stratum", "String", "leaf stratum: population, then F (XX), M (XY) or U", example="EE_F"),
        Column("n_dip", "Int32", "people called with two alleles", "people"),
        Column("n_hap", "Int32", "people called with one allele", "people"),
        Column("an_unknown", "Int32", "alleles of people of whom nothing is known", "alleles"),
    ),
)
