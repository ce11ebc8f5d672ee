"""What a table is: its columns, their types and units, and the documentation made from them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

#: what a column holds, by the name that polars has for it
Kind = Literal["String", "Boolean", "Int32", "Int64", "Float64"]


@dataclass(frozen=True)
class Column:
    """One column: its name, kind, meaning, unit and an example."""

    name: str
    kind: Kind
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

    @property
    def kinds(self) -> dict[str, Kind]:
        """Column name -> what it holds, in order."""
        return {column.name: column.kind for column in self.columns}

    @cached_property
    def schema(self) -> "pl.Schema":
        """The polars schema, columns in order."""
        # polars takes longer to load than a small file to be counted, and counting needs none of it
        import polars as pl

        return pl.Schema({name: getattr(pl, kind) for name, kind in self.kinds.items()})

    @cached_property
    def empty(self) -> "pl.DataFrame":
        """The table without rows."""
        import polars as pl

        return pl.DataFrame(schema=self.schema)

    def markdown(self) -> str:
        """The documentation: one Markdown table row for each column; a column of nothing is left out."""
        rows = [
            (f"`{c.name}`", c.kind, c.unit, "yes" if c.required else "no", _code(c.example), c.doc)
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
