"""Writing text that leaves a node: BGZF, with an index for VCF, so that the same lines are the same bytes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import polars as pl
import pyarrow as pa
import pysam

from tessera.files.atomic import written_aside


def write_indexed_vcf(path: Path, header: Iterable[str], lines: Iterable[pl.Series]) -> None:
    """Write a header (without line ends) and sorted lines (with) as .vcf.gz with its .tbi; the index first, so both
    are whole.
    """
    index = path.with_name(f"{path.name}.tbi")
    with written_aside(path) as aside:
        with _compressed(aside) as file:
            file.write("".join(f"{line}\n" for line in header).encode())
            for some in lines:
                file.write(utf8(some))
        with written_aside(index) as aside_index:
            pysam.tabix_index(str(aside), preset="vcf", force=True, index=str(aside_index))


def write_lines(path: Path, lines: Iterable[pl.Series]) -> None:
    """Write lines that hold their ends: BGZF, which any gzip reads, where the name ends in .gz, else as they are."""
    with written_aside(path) as aside, _compressed(aside) if path.suffix == ".gz" else aside.open("wb") as file:
        for some in lines:
            file.write(utf8(some))


def utf8(texts: pl.Series) -> bytes:
    """The texts of a column without an empty cell, one after the other."""
    arrow = cast(pa.LargeStringArray, pa.array(texts.to_arrow(compat_level=pl.CompatLevel.oldest())))
    _, offsets, data = arrow.buffers()
    ends = memoryview(offsets).cast("q")[arrow.offset : arrow.offset + len(arrow) + 1]
    return bytes(memoryview(data)[ends[0] : ends[-1]]) if data is not None else b""


@contextmanager
def _compressed(path: Path) -> Iterator[BinaryIO]:
    with pysam.BGZFile(str(path), "wb", None) as file:
        yield cast(BinaryIO, file)
