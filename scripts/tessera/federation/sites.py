"""A table of sites: every variant in one row, with every count of every group of people."""

from collections.abc import Sequence

import polars as pl

from tessera.federation.groups import Group
from tessera.schemas.exports import SITE, SITE_COUNTS
from tessera.summary.cells import Cells, distinct

#: of a site table, U being a sex of its own
SEXES = ("F", "M", "U")


def schema(groups: Sequence[Group]) -> pl.Schema:
    """Columns and types: SITE, then SITE_COUNTS of each group."""
    counts = {f"{column.name}{group.suffix}": getattr(pl, column.kind) for group in groups for column in SITE_COUNTS}
    return pl.Schema({column.name: getattr(pl, column.kind) for column in SITE} | counts)


def table(cells: Cells, groups: Sequence[Group]) -> pl.DataFrame:
    """The rows of all variants, carried or not, with the columns of `schema`."""
    site = pl.DataFrame({"POS": cells.pos, "REF": cells.ref, "ALT": cells.alt}).with_columns(CHROM=pl.lit(cells.contig))
    parts = [site]
    for group in groups:
        found = distinct(cells.of(group.strata))
        told = [pl.col(column.name).alias(f"{column.name}{group.suffix}") for column in SITE_COUNTS]
        parts.append(found.frame.select(told)[found.which])
    wanted = schema(groups)
    return pl.concat(parts, how="horizontal").select(wanted.names()).cast(wanted)
