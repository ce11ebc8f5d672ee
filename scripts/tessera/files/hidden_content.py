"""What a Parquet file of a summary holds beside its rows: free text, and bytes of no column."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from tessera.files.summaries import TEXTS

#: first and last bytes of the format; before the last ones the length of the footer
PARQUET = b"PAR1"
CREATED_BY = re.compile(r"parquet-cpp-arrow version [0-9]{1,3}(\.[0-9]{1,3}){1,3}")


def hidden_content(member: Path, table: str) -> Iterator[str]:
    """Sentences about what a file holds that no reader of its rows would see.

    Every byte belongs to the magic numbers, a page of a column or the footer; the footer is what its fields say when
    they are written again; none of them is free text.
    """
    metadata = pq.read_metadata(member)
    name = f"{table}/{member.name}"
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(metadata.num_columns)]
    if not CREATED_BY.fullmatch(metadata.created_by or ""):
        yield f"{name} says it was made by {metadata.created_by!r}, which is free text"
    for column in columns:
        if column.metadata or column.file_path:
            yield f"{name} has metadata beside the column {column.path_in_schema}"
        if column.path_in_schema in TEXTS[table] and column.statistics is not None:
            yield f"{name} has statistics of the text column {column.path_in_schema}"
    again = io.BytesIO()
    metadata.write_metadata_file(again)
    footer = again.getvalue()[len(PARQUET) :]
    body = member.stat().st_size - len(footer)
    with member.open("rb") as file:
        file.seek(max(0, body))
        if file.read() != footer:
            yield f"{name} has a footer with more than the fields of Parquet"
    if _end_of_pages(columns) != body:
        yield f"{name} has bytes that belong to no column"


def _end_of_pages(columns: Sequence[pq.ColumnChunkMetaData]) -> int:
    """Where the pages of all columns end, one after the other without a gap; -1 where there is one."""
    at = len(PARQUET)
    for column in columns:
        start = column.dictionary_page_offset if column.has_dictionary_page else column.data_page_offset
        if start != at:
            return -1
        at += column.total_compressed_size
    return at
