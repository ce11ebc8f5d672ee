"""A sample sheet as most are, read in few steps: one row a person, without lanes, and nothing that has to be said.

Any other sheet is for `read_people`, which knows every shape and refuses what is wrong.
"""

import os
import re
from collections.abc import Mapping, Sequence
from io import StringIO
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
    cells = _columns(text)
    if cells is None or not _are_plain(cells):
        return None
    own, samples = _naming(cells, sheet.parent, file), list(file_samples)
    order: Sequence[int] = range(len(samples))
    if any(own) or cells["sample"] != samples:
        place = {name: at for at, name in enumerate(cells["sample"]) if not any(own) or own[at]}
        if len(place) != len(samples) or place.keys() != set(samples):
            return None
        order = [place[name] for name in samples]
    karyotype = {sex: SEX_SPELLINGS[sex.lower()] for sex in set(cells["sex"])}
    sex = [karyotype[cells["sex"][at]] for at in order]
    pairs = [(cells["population"][at], of) for at, of in zip(order, sex, strict=True)]
    # one text for all people of a stratum
    stratum = {(population, of): f"{population}_{SEX_STRATA.get(of, 'U')}" for population, of in set(pairs)}
    consents = [cells["consent"][at] if "consent" in cells else None for at in order]
    return Listed(file_samples, sex, [stratum[pair] for pair in pairs], consents, [""] * len(pairs))


def _columns(text: str) -> dict[str, list[str]] | None:
    """The cells by column, of which people who have the same share one text; None where a row is cut short or too long,
    and where columns are missing or unknown."""
    lines = StringIO(text, newline="\n")
    header = next(lines, "").removesuffix("\n").split("\t")
    if not set(SAMPLES.required) <= set(header) <= COLUMNS or len(set(header)) < len(header):
        return None
    columns: list[list[str]] = [[] for _ in header]
    same: dict[str, str] = {}
    at_name = header.index("sample")
    for line in lines:
        row = line.removesuffix("\n").split("\t")
        if len(row) != len(header):
            return None
        for at, (column, cell) in enumerate(zip(columns, row, strict=True)):
            column.append(cell if at == at_name else same.setdefault(cell, cell))
    return dict(zip(header, columns, strict=True)) if columns[at_name] else None


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
