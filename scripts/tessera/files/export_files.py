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
    """Write tables of a schema, a row group each, as one file."""
    arrow = _arrow(schema)
    with written_aside(path) as aside, pq.ParquetWriter(aside, arrow, **HOW_WRITTEN) as writer:
        for table in tables:
            writer.write_table(table.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(arrow))


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
        self.top, self._folder, self._schema = top, folder, _arrow(schema)
        order = pq.SortingColumn.from_ordering(self._schema, [(sorted_by, "ascending")])
        self._how = HOW_WRITTEN | {"sorting_columns": order}
        self._name = ""
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "ParquetFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def append(self, name: str, table: pl.DataFrame) -> None:
        """Append a row group to the file of that name."""
        if name != self._name or self._writer is None:
            self._close()
            self._name, self._writer = name, pq.ParquetWriter(self._folder / name, self._schema, **self._how)
        self._writer.write_table(table.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._schema))

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def _foreign(out: Path, inside: str) -> str:
    """What is there and no part of an older export, in words; empty where all may be replaced."""
    if not out.is_dir():
        return "it is there and no folder" if out.exists() or out.is_symlink() else ""
    names = sorted(path.name for path in out.iterdir())
    manifest = out / MANIFEST
    is_export = manifest.is_file() and '"export": ' in manifest.read_text(errors="replace")
    others = [name for name in names if not is_export or name not in (MANIFEST, inside)]
    return f"it holds {others[0]}, which is no part of an export" if others else ""


def _arrow(schema: pl.Schema) -> pa.Schema:
    return pa.schema([(name, ARROW[type(dtype)]) for name, dtype in schema.items()])
