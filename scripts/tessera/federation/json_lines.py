"""Lines of JSON put together out of pieces: what is told of a group is written once for all variants that share it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tessera.federation.groups import Counted, Group
from tessera.federation.pieces import Piece, only
from tessera.summary.columns import Bools

#: of JSON exports, U being a sex of its own
SEXES = ("F", "M", "U")
EVERYBODY = "Total"


def members(fields: Mapping[str, pl.Expr]) -> pl.Expr:
    """`"name":value,"name":value` of expressions that are numbers or JSON; null where one of them is null."""
    texts = [pl.concat_str(pl.lit(f'"{name}":'), value.cast(pl.String)) for name, value in fields.items()]
    return pl.concat_str(texts, separator=",")


@dataclass(frozen=True)
class Value:
    """JSON of n variants in pieces, one after the other, and of which variants (n,) there is any."""

    parts: Sequence[Piece]
    there: Bools


def called(counted: Counted, group: Group) -> Bools:
    """Of which variants (n,) a group tells anything: those at which somebody of it is called."""
    found = counted.of(group)
    return (found.frame["AN"].to_numpy() > 0)[found.which]


def array(values: Sequence[Value]) -> list[Piece]:
    """A JSON array of the values that are there."""
    parts: list[Piece] = [b"["]
    before: Bools = np.zeros(1, np.bool_)
    for value in values:
        parts.append(only(b",", value.there & before))
        parts += [only(part, value.there) for part in value.parts]
        before = before | value.there
    return [*parts, b"]"]


def quoted(text: str) -> str:
    """A JSON string."""
    return json.dumps(text)


def label(group: Group) -> str:
    """The name of a group: `EE_F`, or Total."""
    return group.name or EVERYBODY
