"""A summary on disk: a folder with manifest.json and, per table and contig, one Parquet file.

Each block is one row group, so a reader holds one million bases at a time whatever the size of the summary.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import rfc8785

from tessera.errors import InputError, Problem, refuse
from tessera.files.atomic import directory_written_aside
from tessera.files.builds import parse_build
from tessera.files.json_documents import read_json
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.variants import VARIANTS
from tessera.summary.blocks import BLOCK_SIZE, POSITIONS, Block, BlockKey
from tessera.summary.checks import check_block
from tessera.summary.manifest import COUNTED_FIELDS, SCHEMA_VERSION, Manifest, odd_counts

MANIFEST = "manifest.json"
TABLES = {table.name: table for table in (VARIANTS, AN_TRACK, HISTOGRAMS)}
#: letters of a GA4GH digest (base64url)
SEQCOL = r"[A-Za-z0-9_-]+"
REMAKE = "Make the summary again with tessera count or merge."
AS_WRITTEN, ASK_AGAIN = "the summary as it was written", "Ask for it again; tessera verify tells more."


class SummaryFolder:
    """A summary to read from; its manifest is read at once, its blocks when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = _read_manifest(path)
        self.manifest = Manifest(self.raw["rules"], **{name: self.raw[name] for name in COUNTED_FIELDS})
        self._files: dict[tuple[str, str], tuple[pq.FileMetaData, dict[int, int]]] = {}

    @property
    def tables_digest(self) -> str:
        """sha256 of the names and digests of its tables: equal ones are of people who are alike in everything."""
        return f"sha256:{hashlib.sha256(rfc8785.dumps(self.raw['members'])).hexdigest()}"

    @property
    def lists_variants(self) -> bool:
        """Whether a variant was listed by anybody."""
        return any(name.startswith("variants/") for name in self.raw["members"])

    @property
    def contigs(self) -> list[str]:
        """Contigs of which something is stored, in the build's order."""
        stored = {Path(member).stem for member in self.raw["members"]}
        return [contig["name"] for contig in self.manifest.rules["build"]["contigs"] if contig["name"] in stored]

    def indices(self, contig: str, tables: Iterable[str] = tuple(TABLES)) -> list[int]:
        """The numbers of the blocks of a contig for which one of `tables` stores something, in order."""
        return sorted({index for table in tables for index in self._layout(table, contig)[1]})

    def block_keys(self) -> Iterator[BlockKey]:
        """The blocks of which something is stored, in genome order."""
        for contig in self.contigs:
            yield from (BlockKey(contig, index) for index in self.indices(contig))

    def block(self, key: BlockKey) -> Block:
        """One block; empty where nothing is stored. Raises InputError when it holds what no people could give."""
        block = self.unchecked(key)
        wrong = list(check_block(key, block, self.manifest))
        if wrong:
            raise InputError([Problem(str(self.path), sentence, AS_WRITTEN, ASK_AGAIN) for sentence in wrong])
        return block

    def blocks(self) -> Iterator[tuple[BlockKey, Block]]:
        """All blocks, in genome order. Raises InputError as `block` does."""
        return ((key, self.block(key)) for key in self.block_keys())

    def unchecked(self, key: BlockKey) -> Block:
        """One block as it is stored, for who tells everything that is wrong with it."""
        return Block(**{name: self._table(name, key) for name in TABLES})

    def _member(self, table: str, contig: str) -> Path | None:
        name = f"{table}/{contig}.parquet"
        return self.path / name if name in self.raw["members"] else None

    def _layout(self, table: str, contig: str) -> tuple[pq.FileMetaData | None, dict[int, int]]:
        """A member's footer, and block number -> row group; read once."""
        member = self._member(table, contig)
        if member is None:
            return None, {}
        if (table, contig) not in self._files:
            self._files[table, contig] = _layout(member, table)
        return self._files[table, contig]

    def _table(self, name: str, key: BlockKey) -> pl.DataFrame:
        metadata, groups = self._layout(name, key.contig)
        if key.index not in groups:
            return TABLES[name].empty
        member = self.path / name / f"{key.contig}.parquet"
        try:
            with pq.ParquetFile(member, metadata=metadata) as file:
                frame = pl.from_arrow(file.read_row_group(groups[key.index]))
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            raise refuse(str(member), "not a readable member", AS_WRITTEN, ASK_AGAIN) from error
        assert isinstance(frame, pl.DataFrame)
        schema = TABLES[name].schema
        return frame if frame.schema == schema else frame.cast(schema)


class SummaryWriter:
    """Writes blocks in order within each contig; several contigs may be written side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[tuple[str, str], pq.ParquetWriter] = {}

    def write(self, key: BlockKey, block: Block) -> None:
        """Append one block to the files of its contig."""
        for name in TABLES:
            frame: pl.DataFrame = getattr(block, name)
            if not frame.is_empty():
                table = _to_arrow(frame)
                self._writer(name, key.contig, table.schema).write_table(table, row_group_size=max(1, table.num_rows))

    def close_contig(self, contig: str) -> None:
        """Finish the files of a contig."""
        for name in TABLES:
            writer = self._writers.pop((name, contig), None)
            if writer is not None:
                writer.close()

    def finish(self, manifest: Manifest) -> str:
        """Close every file and write the manifest with the digest of each; gives the manifest's own, of the whole."""
        for _, contig in list(self._writers):
            self.close_contig(contig)
        members = {name: _sha256(self._folder / name) for name in _members(self._folder)}
        content = {
            "schema": SCHEMA_VERSION,
            "fingerprint": manifest.fingerprint,
            **asdict(manifest),
            "members": members,
        }
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True)
        (self._folder / MANIFEST).write_text(f"{text}\n")
        return summary_digest(self._folder)

    def _writer(self, table: str, contig: str, schema: pa.Schema) -> pq.ParquetWriter:
        if (table, contig) not in self._writers:
            (self._folder / table).mkdir(exist_ok=True)
            path = self._folder / table / f"{contig}.parquet"
            self._writers[table, contig] = pq.ParquetWriter(path, schema, compression="zstd", store_schema=False)
        return self._writers[table, contig]


@contextmanager
def new_summary(out: Path) -> Iterator[SummaryWriter]:
    """A writer whose summary appears at `out` complete, replacing a summary there, or not at all.

    Raises InputError when `out` exists and is something else than a summary.
    """
    _refuse_foreign(out)
    with directory_written_aside(out) as folder:
        yield SummaryWriter(folder)


def summary_digest(path: Path) -> str:
    """sha256 of a summary's manifest, which names that of every other file: equal digests are equal summaries."""
    return f"sha256:{_sha256(path / MANIFEST)}"


def verify_members(path: Path, raw: Mapping[str, Any]) -> list[str]:
    """What is wrong with a summary's files, as sentences: missing, altered, or not belonging there."""
    present, listed = set(_members(path)), raw["members"]
    problems = [f"{name} is missing" for name in sorted(set(listed) - present)]
    problems += _strangers(path, listed)
    return problems + [
        f"{name} is not the file the manifest names (sha256 differs)"
        for name in sorted(present & set(listed))
        if _sha256(path / name) != listed[name]
    ]


def refuse_altered(folders: Iterable[SummaryFolder]) -> None:
    """Raise InputError when files or rules are not those that the manifest names, as when a copy was cut short."""
    problems = []
    for folder in folders:
        wrong = verify_members(folder.path, folder.raw)
        if folder.raw["fingerprint"] != folder.manifest.fingerprint:
            wrong.append("the fingerprint is not that of its rules")
        problems += [Problem(str(folder.path), sentence, AS_WRITTEN, ASK_AGAIN) for sentence in wrong]
    if problems:
        raise InputError(problems)


def _read_manifest(path: Path) -> dict[str, Any]:
    where, expected = str(path), "a summary folder (manifest.json, variants/, an_track/, histograms/)"
    if not path.is_dir():
        raise refuse(where, "no folder" if os.path.lexists(path) else "no such folder", expected)
    if not (path / MANIFEST).exists():
        raise refuse(where, "no manifest.json", expected)
    raw = read_json(path / MANIFEST, expected, REMAKE)
    needed = {"schema", "fingerprint", "rules", "members", *COUNTED_FIELDS}
    if not isinstance(raw, dict) or set(raw) != needed:
        found = ", ".join(sorted(set(raw) ^ needed)) if isinstance(raw, dict) else type(raw).__name__
        raise refuse(f"{where}/{MANIFEST}", f"missing or unknown keys: {found}", ", ".join(sorted(needed)), REMAKE)
    if raw["schema"] != SCHEMA_VERSION:
        raise refuse(f"{where}/{MANIFEST}", f"schema {raw['schema']}", f"schema {SCHEMA_VERSION}", REMAKE)
    odd = [*odd_counts(raw), *_odd_members(raw)]
    if odd:
        raise InputError([Problem(f"{where}/{MANIFEST}", sentence, expected, REMAKE) for sentence in odd])
    parse_build(raw["rules"]["build"], where=f"{where}/{MANIFEST} rules.build")
    return raw


def _odd_members(raw: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about members that are no table of a contig of the build, and a reference that is none."""
    match raw:
        case {"rules": {"build": {"contigs": [*contigs]}, **rules}, "members": dict(members)}:
            names = [contig.get("name") for contig in contigs if isinstance(contig, dict)]
            known = {f"{table}/{name}.parquet" for table in TABLES for name in names}
            yield from (f"{name} does not belong to a summary" for name in sorted(set(members) - known))
            reference = rules.get("reference", "missing")
            if reference is not None and not re.fullmatch(SEQCOL, str(reference)):
                yield f"rules.reference is {reference!r}, which is no digest of a sequence collection"
        case _:
            yield "no rules.build.contigs, or members that are no files with their digests"


def _layout(member: Path, table: str) -> tuple[pq.FileMetaData, dict[int, int]]:
    """Footer, and block number -> row group. Refuses other columns, metadata, and blocks not each one row group."""
    column, first = POSITIONS[table]
    at = TABLES[table].names.index(column)
    expected = "the Parquet file that the manifest names"
    try:
        metadata = pq.read_metadata(member)
        columns = metadata.schema.to_arrow_schema()
        if metadata.metadata:
            raise refuse(str(member), f"{table}/{member.name} has metadata beside its rows", expected, REMAKE)
        if list(zip(columns.names, columns.types, strict=True)) != _stored_columns(table):
            found = f"{table} has columns {', '.join(f'{c.name} ({c.type})' for c in columns)}"
            raise refuse(str(member), found, f"those of schema {TABLES[table].version}", REMAKE)
        starts = [metadata.row_group(i).column(at).statistics.min for i in range(metadata.num_row_groups)]
        indices = [(start - first) // BLOCK_SIZE for start in starts]
    except (OSError, pa.ArrowException, AttributeError, IndexError, TypeError) as error:
        raise refuse(str(member), "not a readable member", expected, REMAKE) from error
    if indices != sorted(set(indices)):
        found = f"{table}/{member.name} has blocks out of order or in several row groups"
        raise refuse(str(member), found, expected, REMAKE)
    return metadata, {index: i for i, index in enumerate(indices)}


def _stored_columns(table: str) -> list[tuple[str, pa.DataType]]:
    """Names and types as Parquet holds them; it knows one kind of string."""
    schema = _to_arrow(pl.DataFrame(schema=TABLES[table].schema)).schema
    return [(c.name, pa.string() if pa.types.is_large_string(c.type) else c.type) for c in schema]


def _to_arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _members(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)


def _strangers(folder: Path, listed: Iterable[str]) -> Iterator[str]:
    """What lies in a summary's folder beside its manifest and members: other files, links, folders of no member."""
    known = {MANIFEST, *listed}
    folders = {name.partition("/")[0] for name in listed}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            yield f"{name} is a link, which does not belong to a summary"
        elif name not in (folders if path.is_dir() else known):
            yield f"{name} does not belong to a summary"


def _refuse_foreign(out: Path) -> None:
    """Only an empty folder or (the remains of) a summary may be replaced."""
    if not out.exists() and not out.is_symlink():
        return
    foreign = [out] if not out.is_dir() else [p for p in out.iterdir() if p.name not in {MANIFEST, *TABLES}]
    if foreign:
        raise refuse(
            str(out),
            f"it holds {foreign[0].name}, which is no part of a summary"
            if out.is_dir()
            else "it is there and no folder",
            "a new folder or a summary",
            "Give another --out, or remove what is there.",
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
