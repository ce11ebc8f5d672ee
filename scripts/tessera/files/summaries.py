"""A summary on disk: a folder with manifest.json and, per table and contig, one Parquet file.

A block is one row group, or, when it holds very much, several; so a reader need not hold more, whatever the size.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import rfc8785

from tessera.errors import InputError, Problem, refuse
from tessera.files.an_track import by_start, stored_batch, stored_runs
from tessera.files.atomic import directory_written_aside, refuse_foreign
from tessera.files.builds import parse_build
from tessera.files.json_documents import read_json
from tessera.files.lineage import LINEAGE, read_sources, write_sources
from tessera.files.qc_sums import read_qc_sums, write_qc_sums
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.qc_sums import QC_SUMS
from tessera.schemas.table import Table
from tessera.summary.blocks import BLOCK_SIZE, GROUP_ROWS, POSITIONS, TABLES, Block, BlockKey
from tessera.summary.cells import Cells, cells
from tessera.summary.checks import Judge
from tessera.summary.columns import Columns, joined, one_batch, read_columns
from tessera.summary.lineage import Lineage, Source, Sources, named_sources
from tessera.summary.manifest import COUNTED_FIELDS, SCHEMA_VERSION, Manifest, odd_counts, odd_members
from tessera.summary.parts import Part, row_groups
from tessera.summary.qc_sums import QcSums
from tessera.summary.spelling import contig_names

#: block number -> row group -> rows
Layout = dict[int, dict[int, int]]

MANIFEST = "manifest.json"
#: files of a summary that are no members
BESIDE = (MANIFEST, LINEAGE)
#: rows of a table that are read at once
ROWS_AT_ONCE = 65_536
#: bytes; twice as many stay with the process when arrays are freed, instead of going back and coming as new pages
KEPT = 2**24
TEXTS = {name: [c for c, kind in table.kinds.items() if kind == "String"] for name, table in TABLES.items()}
#: columns of an AN track that grow from row to row of a stratum
STEPS = ("start", "end")


def _how_written(table: Table) -> dict[str, Any]:
    """Text as dictionaries, numbers byte by byte: smaller and faster than Parquet's own choice.

    What grows from row to row is written by its steps. A reader holds a page of each column. Statistics only where
    `_layout` reads them.
    """
    texts, steps = TEXTS[table.name], STEPS if table is AN_TRACK else ()
    return {
        "compression": "zstd", "compression_level": 3, "data_page_size": 2**17, "store_schema": False,
        "write_statistics": [POSITIONS[table.name][0]],
        "use_dictionary": texts,
        "column_encoding": {
            name: "DELTA_BINARY_PACKED" if name in steps else "BYTE_STREAM_SPLIT"
            for name in table.names if name not in texts
        },
    }  # fmt: skip


HOW_WRITTEN = {name: _how_written(table) for name, table in TABLES.items()}
ALTERED = "not the file the manifest names (sha256 differs)"
REMAKE = "Make the summary again with tessera count or merge."
AS_WRITTEN, ASK_AGAIN = "the summary as it was written", "Ask for it again; tessera verify tells more."


class SummaryFolder:
    """A summary to read from; its manifest is read at once, its blocks when they are asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = _read_manifest(path)
        self.manifest = Manifest(self.raw["rules"], **{name: self.raw[name] for name in COUNTED_FIELDS})
        self.sources = read_sources(path, self.number_of_people)
        #: contig as it is asked for -> as it is stored
        self._stored = {name: name for name in contig_names(self.raw["rules"])}
        self._layouts: dict[tuple[str, str], Layout] = {}

    def spelt_as(self, rules: Mapping[str, Any]) -> "SummaryFolder":
        """The same summary under other names of its contigs: those of `rules`, which are its own but for spelling."""
        other = copy(self)
        other.manifest = replace(self.manifest, rules=rules)
        other._stored = dict(zip(contig_names(rules), contig_names(self.raw["rules"]), strict=True))
        return other

    @property
    def number_of_people(self) -> int:
        """How many people are counted."""
        return sum(self.manifest.people.values())

    @property
    def name(self) -> str:
        """The node whose summary it is, where that is known, else its path."""
        return self.sources[0].node if len(self.sources) == 1 else str(self.path)

    @property
    def lineage(self) -> Lineage:
        """What it is, and what it is made of, in a sum."""
        return Lineage(str(self.path), summary_digest(self.path), self.number_of_people, self.sources)

    def sources_as(self, node: str, dataset: str | None) -> Sources:
        """Its sources when a node of this name sends it."""
        return named_sources(Source(node, dataset, summary_digest(self.path), self.number_of_people), self.sources)

    @property
    def tables_digest(self) -> str:
        """sha256 of the names and digests of its tables: equal ones are of people who are alike in all calls."""
        return f"sha256:{hashlib.sha256(rfc8785.dumps(self.tables)).hexdigest()}"

    @property
    def tables(self) -> dict[str, str]:
        """The tables of its contigs -> sha256."""
        return {name: digest for name, digest in self.raw["members"].items() if name != QC_SUMS}

    @property
    def qc_sums(self) -> QcSums:
        """What was measured of its people, in sums; none where nothing was. Raises InputError as `block` does."""
        return read_qc_sums(self.path, self.raw["members"], self.manifest.people)

    @property
    def lists_variants(self) -> bool:
        """Whether a variant was listed by anybody."""
        return any(name.startswith("variants/") for name in self.raw["members"])

    @property
    def contigs(self) -> list[str]:
        """Contigs of which something is stored, in the build's order."""
        stored = {Path(member).stem for member in self.raw["members"]}
        return [contig for contig, own in self._stored.items() if own in stored]

    def indices(self, contig: str, tables: Iterable[str] = tuple(TABLES)) -> list[int]:
        """The numbers of the blocks of a contig for which one of `tables` stores something, in order."""
        return sorted({index for table in tables for index in self._layout(table, self._stored.get(contig, contig))})

    def block(self, key: BlockKey) -> Block:
        """One block; empty where nothing is stored. Raises InputError when it holds what no people could give."""
        return Block(**{name: self.rows(name, key).frame for name in TABLES})

    def rows(self, table: str, key: BlockKey) -> Columns:
        """The rows of one table of a block; none where nothing is stored. Raises InputError as `block` does."""
        found = list(self.batches(table, key.contig, [key.index]))
        return joined(found) if found else Columns.none(TABLES[table])

    def cells(self) -> Iterator[Cells]:
        """The cells of all variants, in genome order, some at a time. Raises InputError as `block` does."""
        strata = sorted(self.manifest.people)
        for contig in self.contigs:
            for index in self.indices(contig, ["variants"]):
                key = BlockKey(contig, index)
                yield from cells(self.rows("variants", key), self.rows("an_track", key), strata)

    def blocks(self) -> Iterator[tuple[BlockKey, Block]]:
        """All blocks of which something is stored, in genome order. Raises InputError as `block` does."""
        keys = (BlockKey(contig, index) for contig in self.contigs for index in self.indices(contig))
        return ((key, self.block(key)) for key in keys)

    def batches(
        self, table: str, contig: str, indices: Iterable[int] | None = None, rows: int = ROWS_AT_ONCE
    ) -> Iterator[Columns]:
        """The rows of a table of a contig, or of some of its blocks, about `rows` at a time; refused as `block` is."""
        own = self._stored.get(contig, contig)
        for columns, wrong in self.judged(table, own, indices, rows):
            if wrong:
                raise InputError([Problem(str(self.path), sentence, AS_WRITTEN, ASK_AGAIN) for sentence in wrong])
            named = columns if own == contig else columns.saying(contig=[contig])
            yield from _slices(named, rows) if table == AN_TRACK.name else [named]

    def judged(
        self, table: str, contig: str, indices: Iterable[int] | None = None, rows: int = ROWS_AT_ONCE
    ) -> Iterator[tuple[Columns, list[str]]]:
        """As `batches`, with sentences about what is wrong, for who tells everything.

        Of an AN track whole row groups come, as they are stored, so that nothing is put in order for who only asks.
        """
        layout = self._layout(table, contig)
        chosen = [index for index in (layout if indices is None else indices) if index in layout]
        if not chosen:
            return
        (facts,) = (known for known in self.raw["rules"]["build"]["contigs"] if known["name"] == contig)
        judge = Judge(self.manifest, facts, table)
        edges = np.cumsum([0, *(sum(layout[index].values()) for index in chosen)])
        done = 0
        groups = {group: size for index in chosen for group, size in layout[index].items()}
        for columns, sizes in self._read(table, contig, groups, rows):
            here = np.diff(np.clip(edges, done, done + len(columns)))
            done += len(columns)
            blocks = np.repeat(np.array(chosen)[here > 0], here[here > 0])
            yield columns, list(judge.wrong(columns, blocks, sizes))

    def _layout(self, table: str, contig: str) -> Layout:
        """Where the blocks of a member are; read once. Its footer is not kept, which takes a kilobyte a column."""
        name = f"{table}/{contig}.parquet"
        if name not in self.raw["members"]:
            return {}
        if (table, contig) not in self._layouts:
            self._layouts[table, contig] = _layout(self.path / name, table, self.raw["members"][name])
        return self._layouts[table, contig]

    def _read(
        self, table: str, contig: str, groups: Mapping[int, int], rows: int
    ) -> Iterator[tuple[Columns, Sequence[int]]]:
        """The rows of row groups (-> how many they are), about `rows` at a time; of an AN track with their sizes."""
        member = self.path / table / f"{contig}.parquet"
        # an array that is freed tells the allocator (glibc) that such ones come and go: a quarter of the CPU of reading
        np.empty(KEPT, np.uint8)
        try:
            with pq.ParquetFile(member, read_dictionary=TEXTS[table]) as file:
                if table == AN_TRACK.name:
                    stored = (file.read_row_group(group, use_threads=False).to_batches() for group in groups)
                    yield from stored_runs(map(one_batch, stored), rows)
                else:
                    batches = file.iter_batches(batch_size=rows, row_groups=list(groups), use_threads=False)
                    yield from ((columns, ()) for columns in read_columns(TABLES[table], batches, rows))
        except (OSError, pa.ArrowException) as error:
            raise refuse(str(member), "not a readable member", AS_WRITTEN, ASK_AGAIN) from error


class SummaryWriter:
    """Writes blocks in order within each contig; several contigs may be written side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers: dict[tuple[str, str], pq.ParquetWriter] = {}

    def write(self, key: BlockKey, part: Part) -> None:
        """Append one block to the files of its contig."""
        for table in (part.variants, part.an_track, part.histograms):
            for group in row_groups(table):
                self.append(key.contig, group)

    def append(self, contig: str, group: Columns) -> None:
        """Append one row group of a table."""
        batch = stored_batch(group) if group.table.name == AN_TRACK.name else group.to_batch()
        stored = pa.Table.from_batches([batch])
        self._writer(group.table.name, contig, stored.schema).write_table(stored, row_group_size=len(group))

    def close_contig(self, contig: str) -> None:
        """Finish the files of a contig."""
        for name in TABLES:
            writer = self._writers.pop((name, contig), None)
            if writer is not None:
                writer.close()

    def finish(self, manifest: Manifest, sources: Sources = (), qc_sums: QcSums | None = None) -> str:
        """Close every file and write the manifest with the digest of each; gives the manifest's own, of the whole."""
        for _, contig in list(self._writers):
            self.close_contig(contig)
        write_qc_sums(self._folder, qc_sums or {})
        members = {name: _sha256(self._folder / name) for name in _members(self._folder)}
        content = {
            "schema": SCHEMA_VERSION,
            "fingerprint": manifest.fingerprint,
            **asdict(manifest),
            "members": members,
        }
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=True)
        (self._folder / MANIFEST).write_text(f"{text}\n")
        write_sources(self._folder, sources)
        return summary_digest(self._folder)

    def _writer(self, table: str, contig: str, schema: pa.Schema) -> pq.ParquetWriter:
        if (table, contig) not in self._writers:
            (self._folder / table).mkdir(exist_ok=True)
            path = self._folder / table / f"{contig}.parquet"
            self._writers[table, contig] = pq.ParquetWriter(path, schema, **HOW_WRITTEN[table])
        return self._writers[table, contig]


@contextmanager
def new_summary(out: Path) -> Iterator[SummaryWriter]:
    """A writer whose summary appears at `out` complete, replacing a summary there, or not at all.

    Raises InputError when `out` exists and is something else than a summary.
    """
    refuse_foreign(out, {*BESIDE, *TABLES, QC_SUMS}.__contains__, "a summary")
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
        f"{name} is {ALTERED}" for name in sorted(present & set(listed)) if _sha256(path / name) != listed[name]
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
    odd = [*odd_counts(raw), *odd_members(raw)]
    if odd:
        raise InputError([Problem(f"{where}/{MANIFEST}", sentence, expected, REMAKE) for sentence in odd])
    parse_build(raw["rules"]["build"], where=f"{where}/{MANIFEST} rules.build")
    return raw


def _layout(member: Path, table: str, digest: str) -> Layout:
    """Where the blocks are. Refuses another digest, other columns, metadata, and row groups that are cut otherwise."""
    column, first = POSITIONS[table]
    at = TABLES[table].names.index(column)
    expected = "the Parquet file that the manifest names"
    try:
        if _sha256(member) != digest:
            raise refuse(str(member), ALTERED, AS_WRITTEN, ASK_AGAIN)
        metadata = pq.read_metadata(member)
        columns = metadata.schema.to_arrow_schema()
        if metadata.metadata:
            raise refuse(str(member), f"{table}/{member.name} has metadata beside its rows", expected, REMAKE)
        if list(zip(columns.names, columns.types, strict=True)) != _stored_columns(table):
            found = f"{table} has columns {', '.join(f'{c.name} ({c.type})' for c in columns)}"
            raise refuse(str(member), found, f"those of schema {TABLES[table].version}", REMAKE)
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        indices = [(group.column(at).statistics.min - first) // BLOCK_SIZE for group in groups]
        sizes = [group.num_rows for group in groups]
    except (OSError, pa.ArrowException, AttributeError, IndexError, TypeError) as error:
        raise refuse(str(member), "not a readable member", expected, REMAKE) from error
    goes_on = [
        before == after and size == GROUP_ROWS
        for (before, after), size in zip(pairwise(indices), sizes[:-1], strict=True)
    ]
    if not all(before < after or same for (before, after), same in zip(pairwise(indices), goes_on, strict=True)):
        found = f"{table}/{member.name} has blocks out of order or in several row groups"
        raise refuse(str(member), found, expected, REMAKE)
    layout: Layout = {index: {} for index in indices}
    for group, (index, size) in enumerate(zip(indices, sizes, strict=True)):
        layout[index][group] = size
    return layout


def _slices(runs: Columns, rows: int) -> Iterator[Columns]:
    """The runs by start and stratum, at most `rows` at a time."""
    ordered = by_start(runs)
    return (ordered.take(slice(at, at + rows)) for at in range(0, len(ordered), rows))


def _stored_columns(table: str) -> list[tuple[str, pa.DataType]]:
    """Names and types as Parquet holds them."""
    stored = {"String": pa.string(), "Int32": pa.int32(), "Int64": pa.int64()}
    return [(name, stored[kind]) for name, kind in TABLES[table].kinds.items()]


def _members(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name not in BESIDE)


def _strangers(folder: Path, listed: Iterable[str]) -> Iterator[str]:
    """What lies in a summary's folder beside its manifest and members: other files, links, folders of no member."""
    known = {*BESIDE, *listed}
    folders = {name.partition("/")[0] for name in listed}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            yield f"{name} is a link, which does not belong to a summary"
        elif name not in (folders if path.is_dir() else known):
            yield f"{name} does not belong to a summary"


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
