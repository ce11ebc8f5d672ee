"""The list of variants in which nodes differ more than chance lets them."""

import polars as pl

from tessera.schemas.table import Column, Table
from tessera.schemas.variants import VARIANTS

#: tests of a whole comparison that find something by chance, at most, in one of so many comparisons
ALPHA = 0.05
#: expected alleles (or people) of each kind in each node, below which chi-square is no approximation (Cochran 1954)
EXPECTED = 5
#: least difference between the call rates of two nodes that is told, however certain it is
CALL_RATE_APART = 0.1

DISCORDANCE = Table(
    "discordance",
    1,
    (
        *(column for column in VARIANTS.columns if column.name in ("contig", "pos", "ref", "alt")),
        Column("node_discordant", pl.String(), "allele_counts, call_rate, or both with `;` between them"),
        Column("p_allele_counts", pl.Float64(), "p that one allele frequency per stratum gives what the nodes have"),
        Column("p_call_rate", pl.Float64(), "the same of the part of people who are called"),
        Column("lowest_AF", pl.Float64(), "AF of the node with the lowest, all strata together"),
        Column("lowest_AF_node", pl.String(), "that node"),
        Column("highest_AF", pl.Float64(), "AF of the node with the highest"),
        Column("highest_AF_node", pl.String(), "that node"),
        Column("lowest_call_rate", pl.Float64(), "call rate of the node with the lowest"),
        Column("lowest_call_rate_node", pl.String(), "that node"),
        Column("highest_call_rate", pl.Float64(), "call rate of the node with the highest"),
        Column("highest_call_rate_node", pl.String(), "that node"),
    ),
)
