"""Rows of a table as arrays: numbers as they are, and text as places in a sorted list of words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tessera.schemas.table import Table

if TYPE_CHECKING:
    import polars as pl

#: rows in which to look first; and few words
SOME, FEW = 4096, 16
INT32, INT64 = pa.int32(), pa.int64()
Array = npt.NDArray[np.integer]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Columns:
    """n rows of `table`: `arrays` holds of each column (n,) numbers or, of text, places in its `words`.

    Words are sorted and distinct; not every word need occur. `empty` (n,) are the rows with an empty cell, which
    holds 0 or the first word; none when it is None.
    """

    table: Table
    arrays: Mapping[str, Array]
    words: Mapping[str, Sequence[str]]
    empty: Bools | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.arrays[self.table.names[0]])

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    @classmethod
    def of_batch(cls, table: Table, rows: pa.RecordBatch) -> "Columns":
        """The rows of an Arrow batch whose columns are those of `table`, text as dictionaries."""
        arrays, words, missing = {}, {}, None
        for name, column in zip(table.names, rows.columns, strict=True):
            if column.null_count:
                nulls = column.is_null().to_numpy(zero_copy_only=False)
                missing = nulls if missing is None else missing | nulls
            if table.kinds[name] == "String":
                arrays[name], words[name] = _places(column)
            else:
                arrays[name] = _numbers(column)
        return cls(table, arrays, words, missing)

    @classmethod
    def of_frame(cls, table: Table, frame: "pl.DataFrame") -> "Columns":
        """The rows of a frame with the schema of `table`, without an empty cell."""
        words = {name: frame[name].unique().sort() for name in _texts(table)}
        arrays = {name: _coded(frame[name], words.get(name)) for name in table.names}
        return cls(table, arrays, {name: known.to_list() for name, known in words.items()})

    @classmethod
    def none(cls, table: Table) -> "Columns":
        """No rows."""
        arrays: dict[str, Array] = {
            name: np.zeros(0, np.int64 if kind == "Int64" else np.int32) for name, kind in table.kinds.items()
        }
        return cls(table, arrays, {name: [] for name in _texts(table)})

    def to_batch(self) -> pa.RecordBatch:
        """The rows as Arrow; text as a dictionary of the words that occur, sorted, so the same rows are the same."""
        rows = self.trimmed()
        columns = [rows._arrow(name) for name in self.table.names]
        return pa.RecordBatch.from_arrays(columns, schema=_schema(self.table))

    @property
    def frame(self) -> "pl.DataFrame":
        """The rows with the schema of the table."""
        import polars as pl

        texts = {
            name: pl.Series(self.words[name], dtype=pl.String).gather(self[name].astype(np.uint32))
            for name in self.words
        }
        return pl.DataFrame({**self.arrays, **texts}, schema=self.table.schema)

    def take(self, rows: slice | Array | Bools) -> "Columns":
        """Some of the rows, in this order."""
        empty = None if self.empty is None else self.empty[rows]
        return replace(self, arrays={name: column[rows] for name, column in self.arrays.items()}, empty=empty)

    def having(self, **arrays: Array) -> "Columns":
        """The rows with other values in some columns."""
        return replace(self, arrays={**self.arrays, **arrays})

    def saying(self, **words: Sequence[str]) -> "Columns":
        """The rows with other words, in the order of those that occur, in some text columns."""
        rows = self.trimmed()
        return replace(rows, words={**rows.words, **(words if len(rows) else {})})

    def row(self, number: int) -> dict[str, str | int]:
        """One row as text and numbers."""
        return {
            name: self.words[name][column[number]] if name in self.words else int(column[number])
            for name, column in self.arrays.items()
        }

    def trimmed(self) -> "Columns":
        """The rows with no more words than occur."""
        arrays, words = dict(self.arrays), dict(self.words)
        for name, known in self.words.items():
            if len(known) == 1 and len(self):
                continue
            occurs = np.zeros(len(known), np.bool_)
            for some in (slice(SOME), slice(SOME, None)):  # few rows mostly hold them all
                if not occurs.all():
                    occurs[self[name][some]] = True
            if not occurs.all():
                arrays[name] = (np.cumsum(occurs, dtype=np.int32) - 1)[self[name]]
                words[name] = [known[place] for place in np.flatnonzero(occurs).tolist()]
        return replace(self, arrays=arrays, words=words)

    def _arrow(self, name: str) -> pa.Array:
        column = np.ascontiguousarray(self[name])
        kind = INT64 if column.dtype == np.int64 else INT32
        numbers = pa.Array.from_buffers(kind, len(column), [None, pa.py_buffer(column)])
        if name not in self.words:
            return numbers
        words = self.words[name]
        text = _few_words(*words) if len(words) <= FEW else _text(words)
        return pa.DictionaryArray.from_arrays(numbers, text, safe=False)


def read_columns(table: Table, batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[Columns]:
    """About `rows` rows at a time; Arrow's batches end where text is read with other dictionaries."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= rows:
            yield Columns.of_batch(table, one_batch(waiting))
            waiting = []
    if waiting:
        yield Columns.of_batch(table, one_batch(waiting))


def one_batch(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    """Several batches as one."""
    if len(batches) == 1:
        return batches[0]
    (batch,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return batch


def with_common_words(parts: Sequence[Columns], also: Mapping[str, Sequence[str]] | None = None) -> list[Columns]:
    """The same rows, with one list of words for each text column, in which are those of `also` too."""
    alike = list(parts)
    for name in parts[0].words:
        lists = [*(part.words[name] for part in parts), (also or {}).get(name, [])]
        if any(words != lists[0] for words in lists):
            common = sorted(set().union(*lists))
            place_of = {word: place for place, word in enumerate(common)}
            alike = [part if part.words[name] == common else _recoded(part, name, common, place_of) for part in alike]
    return alike


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    alike = with_common_words(parts)
    arrays = {name: np.concatenate([part[name] for part in alike]) for name in alike[0].arrays}
    empty = None
    if any(part.empty is not None for part in alike):
        empty = np.concatenate([np.zeros(len(part), np.bool_) if part.empty is None else part.empty for part in alike])
    return Columns(alike[0].table, arrays, alike[0].words, empty)


def narrowed(numbers: Array) -> Array:
    """The numbers less the lowest, in the narrowest type: up to 16 bits are sorted by radix."""
    if not len(numbers):
        return numbers
    lowest = int(numbers.min())
    return (numbers - lowest).astype(np.min_scalar_type(int(numbers.max()) - lowest))


def _recoded(part: Columns, name: str, common: Sequence[str], place_of: Mapping[str, int]) -> Columns:
    places = np.array([place_of[word] for word in part.words[name]] or [0], np.int32)
    return replace(part, arrays={**part.arrays, name: places[part[name]]}, words={**part.words, name: common})


def _coded(column: "pl.Series", words: "pl.Series | None") -> Array:
    """Numbers as they are, text as places in `words`."""
    import polars as pl

    if words is None:
        return column.to_numpy()
    if len(words) <= 1:
        return np.zeros(len(column), np.int32)
    return column.cast(pl.Enum(words)).to_physical().to_numpy().astype(np.int32)


def _texts(table: Table) -> list[str]:
    return [name for name, kind in table.kinds.items() if kind == "String"]


def _numbers(column: pa.Array) -> Array:
    # not to_numpy, nor pa.array below: they import pandas, which takes longer than a small merge
    kind = np.int64 if column.type == pa.int64() else np.int32
    numbers: Array = np.frombuffer(column.buffers()[1], kind, len(column), column.offset * np.dtype(kind).itemsize)
    if column.null_count:
        numbers = numbers.copy()
        numbers[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return numbers


@cache
def _schema(table: Table) -> pa.Schema:
    """As rows go to Arrow."""
    kinds = {"String": pa.dictionary(INT32, pa.string()), "Int32": INT32, "Int64": INT64}
    return pa.schema([(name, kinds[kind]) for name, kind in table.kinds.items()])


@lru_cache(maxsize=64)
def _few_words(*words: str) -> pa.Array:
    """The words of a column that says the same in block after block."""
    return _text(words)


def _text(words: Sequence[str]) -> pa.Array:
    encoded = [word.encode() for word in words]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(words), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded)))


def _places(column: pa.DictionaryArray) -> tuple[Array, Sequence[str]]:
    """Places in a sorted list of words, and the list."""
    found, places = column.dictionary.to_pylist(), _numbers(column.indices)
    words = sorted({*found} or {""})
    if found == words:
        return places, words
    at = {word: place for place, word in enumerate(words)}
    return np.array([at[word] for word in found] or [0], np.int32)[places], words
