"""Lines of JSON put together out of text: what is told of a group is written once for all variants that share it."""

import json
from collections.abc import Mapping, Sequence

import polars as pl

from tessera.federation.groups import Group
from tessera.summary.cells import Cells, distinct

#: of JSON exports, U being a sex of its own
SEXES = ("F", "M", "U")
EVERYBODY = "Total"


def members(fields: Mapping[str, pl.Expr]) -> pl.Expr:
    """`"name":value,"name":value` of expressions that are numbers or JSON; null where one of them is null."""
    texts = [pl.concat_str(pl.lit(f'"{name}":'), value.cast(pl.String)) for name, value in fields.items()]
    return pl.concat_str(texts, separator=",")


def told(cells: Cells, group: Group, fields: Mapping[str, pl.Expr]) -> pl.Series:
    """What is told of a group for each variant, of COUNTED, AC, AN and AF; null where nobody of it is called."""
    found = distinct(cells.of(group.strata))
    return found.spread(found.frame.select(members(fields)).to_series())


def array(parts: Sequence[pl.Expr]) -> pl.Expr:
    """A JSON array of the texts that are not null."""
    return pl.concat_str(pl.lit("["), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("]"))


def quoted(text: str) -> str:
    """A JSON string."""
    return json.dumps(text)


def label(group: Group) -> str:
    """The name of a group: `EE_F`, or Total."""
    return group.name or EVERYBODY
