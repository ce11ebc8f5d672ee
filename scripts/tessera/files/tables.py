"""Tab-separated tables with a header, as a Table describes them."""

from pathlib import Path

import polars as pl

from tessera.errors import refuse
from tessera.files.atomic import written_aside
from tessera.files.paths import refuse_unlike_file
from tessera.schemas.table import Table


def write_tsv(path: Path, frame: pl.DataFrame) -> None:
    """Write a frame; true and false for booleans, nothing for null."""
    with written_aside(path) as aside:
        frame.write_csv(aside, separator="\t", quote_style="never")


def read_tsv(path: Path, table: Table) -> pl.DataFrame:
    """The rows of a file that holds exactly the columns of `table`, typed.

    Raises InputError when the file is missing, has other columns or a value of another type.
    """
    expected = f"a table with the columns {', '.join(table.names)}"
    refuse_unlike_file(path, expected)
    try:
        frame = pl.read_csv(path, separator="\t", infer_schema=False, quote_char=None)
        if frame.columns != table.names:
            raise refuse(f"{path} line 1", f"the columns {', '.join(frame.columns)}", expected)
        _refuse_other_booleans(path, frame, table)
        return frame.with_columns(_typed(column, dtype) for column, dtype in table.schema.items())
    except pl.exceptions.PolarsError as error:
        raise refuse(str(path), str(error).splitlines()[0], expected) from error


def _refuse_other_booleans(path: Path, frame: pl.DataFrame, table: Table) -> None:
    for column in (name for name, dtype in table.schema.items() if dtype == pl.Boolean):
        other = frame.filter(~pl.col(column).is_in(["true", "false"]))[column]
        if len(other):
            raise refuse(str(path), f'{column} is "{other[0]}"', "true or false")


def _typed(column: str, dtype: pl.DataType) -> pl.Expr:
    """Text as that type; polars casts no text to Boolean."""
    if dtype != pl.Boolean:
        return pl.col(column).cast(dtype)
    return pl.col(column).replace_strict({"true": True, "false": False}, return_dtype=pl.Boolean)
