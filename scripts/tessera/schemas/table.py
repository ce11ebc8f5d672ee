"""What a table is: its columns, their types and units, and the documentation made from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl


@dataclass(frozen=True)
class Column:
    """One column: its name, polars type, meaning, unit and an example."""

    name: str
    dtype: type[pl.DataType] | pl.DataType
    doc: str
    unit: str = ""
    example: str = ""
    required: bool = True


@dataclass(frozen=True)
class Table:
    """A table an artefact holds; the version rises when a column changes its name, type or meaning."""

    name: str
    version: int
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The column names, in order."""
        return [column.name for column in self.columns]

    @property
    def required(self) -> list[str]:
        """The names of the columns that must be there."""
        return [column.name for column in self.columns if column.required]

    @cached_property
    def schema(self) -> pl.Schema:
        """The polars schema, columns in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @cached_property
    def empty(self) -> pl.DataFrame:
        """The table without rows."""
        return pl.DataFrame(schema=self.schema)

    def markdown(self) -> str:
        """The documentation: one Markdown table row for each column; a column of nothing is left out."""
        rows = [
            (f"`{c.name}`", str(c.dtype), c.unit, "yes" if c.required else "no", _code(c.example), c.doc)
            for c in self.columns
        ]
        return markdown_table(("column", "type", "unit", "required", "example", "meaning"), rows)


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; columns in which no row says anything are left out."""
    listed = list(rows)
    kept = [i for i in range(len(header)) if any(row[i] for row in listed)]
    lines = [[header[i] for i in kept], ["---"] * len(kept), *([row[i] for i in kept] for row in listed)]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
