"""Tables of expected numbers, as whoever made the data writes them; `scope` is a node's name or `federation`."""

import polars as pl

from tessera.schemas.table import Column, Table

SCOPE = Column("scope", pl.String(), "node, or federation")
CONTIG = Column("contig", pl.String(), "contig")
STRATUM = Column("stratum", pl.String(), "leaf stratum")

TRUE_PEOPLE = Table(
    "people.tsv",
    1,
    (
        Column("node", pl.String(), "node"),
        Column("sample", pl.String(), "name of the sample"),
        Column("counted", pl.Boolean(), "whether the sample is counted"),
        Column("reason", pl.String(), "why not; empty when counted"),
    ),
)
TRUE_VARIANTS = Table(
    "variants.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        Column("pos", pl.Int32(), "normalised POS", "1-based"),
        Column("ref", pl.String(), "normalised REF"),
        Column("alt", pl.String(), "normalised ALT"),
        STRATUM,
        *(Column(name, pl.Int32(), "people", "people") for name in ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")),
    ),
)
TRUE_AN_TRACK = Table(
    "an_track.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        Column("start", pl.Int32(), "first base", "0-based"),
        Column("end", pl.Int32(), "base after the last", "0-based"),
        STRATUM,
        *(Column(name, pl.Int32(), "people called", "people") for name in ("n_dip", "n_hap")),
    ),
)
TRUE_HISTOGRAMS = Table(
    "histograms.tsv",
    1,
    (
        SCOPE,
        CONTIG,
        STRATUM,
        Column("metric", pl.String(), "name of the histogram"),
        Column("bin", pl.Int32(), "number of the bin", "0-based"),
        Column("count", pl.Int64(), "carriers"),
    ),
)
EXACT_REGIONS = Table(
    "exact.bed",
    1,
    (
        CONTIG,
        Column("start", pl.Int32(), "first base", "0-based"),
        Column("end", pl.Int32(), "base after the last", "0-based"),
        SCOPE,
    ),
)
