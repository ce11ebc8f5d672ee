"""Genotypes of people at markers, as text: a row a person, a sign a marker."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tessera.errors import InputError, Problem, all_at_once
from tessera.files.tables import read_tsv, write_tsv
from tessera.schemas.relatives import MARKER_COPIES

Doses = npt.NDArray[np.int8]
#: copies that are not known are written as this sign, and are -1 in numbers
SIGNS = np.frombuffer(b".012", np.uint8)
_REMEDY = "Measure the sample again, with the same markers: tessera measure-variants --markers."


def write_marker_copies(path: Path, names: Sequence[str], doses: Doses) -> None:
    """Write (n, m) copies of ALT, -1 where they are not known, of n people."""
    texts = [SIGNS[row + 1].tobytes().decode() for row in doses]
    write_tsv(path, pl.DataFrame({"sample": list(names), "copies": texts}, schema=MARKER_COPIES.schema))


def read_marker_copies(paths: Sequence[Path], markers: int, leave_out: Sequence[str]) -> tuple[list[str], Doses]:
    """Names of n people, and their (n, `markers`) copies, out of all files; people to `leave_out` are passed over.

    Raises InputError for each row of another number of markers or with other signs.
    """
    names: list[str] = []
    doses: list[Doses] = []
    gone = set(leave_out)
    with all_at_once() as gathered:
        for path in paths:
            with gathered.trying():
                for sample, text in read_tsv(path, MARKER_COPIES).iter_rows():
                    if sample not in gone:
                        names.append(sample)
                        doses.append(_parsed(text or "", markers, f"{path} sample {sample}"))
    return names, np.stack(doses) if doses else np.zeros((0, markers), np.int8)


def _parsed(text: str, markers: int, where: str) -> Doses:
    signs = np.frombuffer(text.encode(), np.uint8)
    if len(signs) != markers:
        raise InputError([Problem(where, f"{len(signs):,} markers", f"{markers:,}, as --markers has", _REMEDY)])
    copies = np.where(signs == SIGNS[0], -1, signs.astype(np.int16) - SIGNS[1])
    if ((copies < -1) | (copies > 2)).any():
        raise InputError([Problem(where, "other signs", "0, 1, 2 or . for each marker", _REMEDY)])
    return copies.astype(np.int8)
