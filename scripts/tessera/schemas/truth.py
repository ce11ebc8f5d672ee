"""Tables of expected numbers, as whoever made the data writes them; `scope` is a node's name or `federation`."""

from tessera.schemas.table import Column, Table

SCOPE = Column("scope", "String", "node, or federation")
CONTIG = Column("contig", "String", "contig")
STRATUM = Column("stratum", "String", "leaf stratum")

TRUE_PEOPLE = Table(
    "people.tsv",
    1,
    (
        Column("node", "String", "node"),
        Column("sample", "String", "name of the sample"),
        Column("counted", "Boolean", "whether the sample is counted"),
        Column("reason", "String", "why not; empty when counted"),
    ),
)
TRUE_VARIANTS = Table(
    "variants.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        Column("pos", "Int32", "normalised POS", "1-based"),
        Column("ref", "String", "normalised REF"),
        Column("alt", "String", "normalised ALT"),
        STRATUM,
        *(Column(name, "Int32", "people", "people") for name in ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")),
    ),
)
TRUE_AN_TRACK = Table(
    "an_track.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        Column("start", "Int32", "first base", "0-based"),
        Column("end", "Int32", "base after the last", "0-based"),
        STRATUM,
        *(Column(name, "Int32", "people called", "people") for name in ("n_dip", "n_hap")),
    ),
)
TRUE_HISTOGRAMS = Table(
    "histograms.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        STRATUM,
        Column("metric", "String", "name of the histogram"),
        Column("bin", "Int32", "number of the bin", "0-based"),
        Column("count", "Int64", "carriers"),
    ),
)
EXACT_REGIONS = Table(
    "exact.bed",
    1,
    (
        CONTIG,
        Column("start", "Int32", "first base", "0-based"),
        Column("end", "Int32", "base after the last", "0-based"),
        SCOPE,
    ),
)
