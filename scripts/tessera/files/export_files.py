"""Writing exports: Parquet that says nothing of who wrote it and when, and the manifest beside an export."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from tessera import __version__
from tessera.errors import refuse
from tessera.files.atomic import directory_written_aside, written_aside
from tessera.files.summaries import MANIFEST, SummaryFolder, summary_digest
from tessera.schemas.exports import EXPORT_VERSION

#: text as dictionaries; statistics and an index of pages, by which a reader finds a position
HOW_WRITTEN: dict[str, Any] = {
    "compression": "zstd", "compression_level": 3, "store_schema": False, "write_page_index": True,
}  # fmt: skip
#: rows of a row group, at least, but for the last: what a reader skips or takes, and what is held
ROWS = 65_536
ARROW = {pl.String: pa.string(), pl.Int32: pa.int32(), pl.Float64: pa.float64()}


def export_manifest(form: str, folder: SummaryFolder, **facts: object) -> dict[str, object]:
    """What an export is: its format, the summary it was made from, the version of tessera, and facts of the format."""
    return {
        "schema": EXPORT_VERSION,
        "export": form,
        "summary": summary_digest(folder.path),
        "fingerprint": folder.manifest.fingerprint,
        "reference": folder.manifest.rules["reference"],
        "build": folder.manifest.rules["build"]["name"],
        "people": dict(folder.manifest.people),
        "an_basis": dict(folder.manifest.an_basis),
        "tessera": __version__,
        **facts,
    }


def write_manifest(path: Path, manifest: Mapping[str, object]) -> None:
    """Write a manifest as JSON, keys sorted."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


def manifest_beside(out: Path) -> Path:
    """Where the manifest of an export of one file lies."""
    return out.with_name(f"{out.name}.{MANIFEST}")


def write_parquet(path: Path, schema: pl.Schema, tables: Iterable[pl.DataFrame]) -> None:
    """Write tables of a schema, one after the other, as one file."""
    with written_aside(path) as aside, ParquetFile(aside, schema) as file:
        for table in tables:
            file.append(table)


class ParquetFile:
    """Writes tables to a file, in row groups of ROWS or a little more."""

    def __init__(self, path: Path, schema: pl.Schema, sorted_by: str | None = None) -> None:
        self._schema = pa.schema([(name, ARROW[type(dtype)]) for name, dtype in schema.items()])
        order = pq.SortingColumn.from_ordering(self._schema, [(sorted_by, "ascending")]) if sorted_by else None
        self._writer = pq.ParquetWriter(path, self._schema, sorting_columns=order, **HOW_WRITTEN)
        self._waiting: list[pl.DataFrame] = []

    def __enter__(self) -> "ParquetFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, table: pl.DataFrame) -> None:
        """Add the rows of a table with the file's schema."""
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= ROWS:
            self._write()

    def close(self) -> None:
        """Write what waits, and the footer."""
        if self._waiting:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        rows = pl.concat(self._waiting).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._schema)
        self._writer.write_table(rows, row_group_size=len(rows))
        self._waiting.clear()


@contextmanager
def parquet_folder(out: Path, inside: str, schema: pl.Schema, sorted_by: str) -> Iterator["ParquetFolder"]:
    """A folder of Parquet files and a manifest that appears complete, or not at all; it may replace an older export.

    Raises InputError when something else is there.
    """
    foreign = _foreign(out, inside)
    if foreign:
        raise refuse(
            str(out), foreign, "a new folder, or an older export alone", "Give another --out, or remove what is there."
        )
    with directory_written_aside(out) as aside:
        (aside / inside).mkdir()
        with ParquetFolder(aside, aside / inside, schema, sorted_by) as folder:
            yield folder


class ParquetFolder:
    """Writes tables to files of a folder; those of one file come one after the other."""

    def __init__(self, top: Path, folder: Path, schema: pl.Schema, sorted_by: str) -> None:
        self.top, self._folder, self._schema, self._sorted_by = top, folder, schema, sorted_by
        self._name = ""
        self._file: ParquetFile | None = None

    def __enter__(self) -> "ParquetFolder":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def append(self, name: str, table: pl.DataFrame) -> None:
        """Add the rows of a table to the file of that name."""
        if name != self._name or self._file is None:
            self.__exit__()
            self._name = name
            self._file = ParquetFile(self._folder / name, self._schema, self._sorted_by)
        self._file.append(table)


def _foreign(out: Path, inside: str) -> str:
    """What is there and no part of an older export, in words; empty where all may be replaced."""
    if not out.is_dir():
        return "it is there and no folder" if out.exists() or out.is_symlink() else ""
    names = sorted(path.name for path in out.iterdir())
    manifest = out / MANIFEST
    is_export = manifest.is_file() and '"export": ' in manifest.read_text(errors="replace")
    others = [name for name in names if not is_export or name not in (MANIFEST, inside)]
    return f"it holds {others[0]}, which is no part of an export" if others else ""
