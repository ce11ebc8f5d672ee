"""A sample sheet as most are, read in few steps: one row a person, without lanes, and nothing that has to be said.

Any other sheet is for `read_people`, which knows every shape and refuses what is wrong.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tessera.files.paths import expand, real_path
from tessera.schemas.consent import PERMITTING
from tessera.schemas.samples import NAME_PATTERN, POPULATION_PATTERN, SAMPLES, SEX_SPELLINGS, SEX_STRATA
from tessera.summary.people import Listed

FILE_COLUMNS = ("gvcf", "vcf")
COLUMNS = {"sample", "sex", "population", "batch", "consent", *FILE_COLUMNS}


def read_plain_sheet(sheet: Path, file: Path, file_samples: Sequence[str]) -> Listed | None:
    """The people of a file as `read_people` gives them, all of them counted; None where the sheet is not plain, where
    it lists others than the file holds, and where somebody's consent does not cover the release."""
    try:
        text = sheet.read_bytes().decode().replace("\r\n", "\n").removesuffix("\n")
    except (OSError, ValueError):
        return None
    header, *rows = (line.split("\t") for line in text.split("\n"))
    if not set(SAMPLES.required) <= set(header) <= COLUMNS or len(set(header)) < len(header):
        return None
    if any(len(row) != len(header) for row in rows):
        return None
    cells = dict(zip(header, map(tuple, zip(*rows, strict=True)), strict=False))
    if not rows or not _are_plain(cells):
        return None
    own = _naming(cells, sheet.parent, file)
    place = {name: at for at, name in enumerate(cells["sample"]) if not any(own) or own[at]}
    if len(place) != len(file_samples) or place.keys() != set(file_samples):
        return None
    order = [place[name] for name in file_samples]
    sex = [SEX_SPELLINGS[cells["sex"][at].lower()] for at in order]
    strata = [f"{cells['population'][at]}_{SEX_STRATA.get(of, 'U')}" for at, of in zip(order, sex, strict=True)]
    consents = [cells["consent"][at] if "consent" in cells else None for at in order]
    return Listed(file_samples, sex, strata, consents, [""] * len(order))


def _are_plain(cells: Mapping[str, Sequence[str]]) -> bool:
    """Whether no cell is wrong, and nobody's consent is another than covers a release."""
    names, populations = re.compile(NAME_PATTERN), re.compile(POPULATION_PATTERN)
    return (
        len(set(cells["sample"])) == len(cells["sample"])
        and all(map(names.match, cells["sample"]))
        and all(map(names.match, set(cells.get("batch", ())) - {""}))
        and all(map(populations.match, set(cells["population"])))
        and {sex.lower() for sex in set(cells["sex"])} <= SEX_SPELLINGS.keys()
        and set(cells.get("consent", ())) <= set(PERMITTING)
        and all(cell == cell.strip() for name in FILE_COLUMNS for cell in set(cells.get(name, ())))
    )


def _naming(cells: Mapping[str, Sequence[str]], folder: Path, file: Path) -> list[bool]:
    """Which rows name the file in a cell."""
    wanted = real_path(file)
    columns = [cells[name] for name in FILE_COLUMNS if name in cells]
    same = {cell for cell in set().union(*columns) if cell and real_path(folder / expand(cell, os.environ)) == wanted}
    return [not same.isdisjoint(row) for row in zip(*columns, strict=True)]
