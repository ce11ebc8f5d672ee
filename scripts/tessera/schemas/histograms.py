"""Histograms of genotype quality over the people who carry an allele, with fixed edges, so that they add up."""

from tessera.schemas.table import Column, Table

HISTOGRAMS = Table(
    name="histograms",
    version=1,
    columns=(
        Column("contig", "String", "contig, as named in the reference", example="chr20"),
        Column("start", "Int32", "first base of the block of one million bases", "0-based", "9000000"),
        Column("stratum", "String", "leaf stratum: population, then F (XX), M (XY) or U", example="EE_F"),
        Column("metric", "String", "gq_alt, dp_alt, ab_alt, heteroplasmy, gq_all or dp_all", example="gq_alt"),
        Column("bin", "Int32", "number of the bin; the edges are in the manifest's rules", "0-based", "4"),
        Column(
            "count",
            "Int64",
            "carriers (alt) or all called (all), one for each person and variant",
            "people x variants",
        ),
    ),
)

#: metric -> (lowest edge, width, bins); a value at or above the highest edge falls in one more bin, except for
#: fractions, where 1.0 belongs to the last. gnomAD's edges.
EDGES: dict[str, tuple[float, float, int]] = {
    "gq_alt": (0, 5, 20),
    "dp_alt": (0, 5, 20),
    "ab_alt": (0, 0.05, 20),
    "heteroplasmy": (0, 0.05, 20),
    "gq_all": (0, 5, 20),
    "dp_all": (0, 5, 20),
}
