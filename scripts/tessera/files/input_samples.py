"""Which people of a sample sheet a VCF holds; a name that only one of the two knows stops the work."""

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tessera.errors import InputError, Problem
from tessera.files.paths import expand, real_path
from tessera.files.samples import read_samples
from tessera.schemas.sample_rows import each_person

NAMES_SHOWN = 10


def read_people(sheet: Path, file: Path, file_samples: Sequence[str], only: Sequence[str] = ()) -> pl.DataFrame:
    """The sheet's people in the order of `file_samples`; one row each.

    Expected in the file are the samples `only`, else those whose `gvcf` or `vcf` cell names this file (withdrawn
    people need no such cell), else all of the sheet. Raises InputError with both lists when the file lacks an
    expected sample or holds one that is not expected.
    """
    rows = read_samples(sheet, need_inputs=False)
    named = rows.filter(_names_file(rows, sheet.parent, file))
    withdrawn = rows.filter(pl.col("withdrawn") & pl.col("sample").is_in(list(file_samples)))
    expected = rows if named.is_empty() else pl.concat([named, withdrawn])
    if only:
        expected = rows.filter(pl.col("sample").is_in(list(only)))
    people = each_person(expected)
    listed, held = set(people["sample"]) | set(only), set(file_samples)
    problems = [
        Problem(str(sheet), f"no line for {_some(held - listed)}", f"a line for every sample of {file}",
                "Add them to the sheet, or leave them out of the file."),
        Problem(str(file), f"no sample named {_some(listed - held)}", f"every sample that {sheet} lists for it",
                "Give the file that holds them, or take them off the sheet."),
    ]  # fmt: skip
    found = [p for p, wrong in zip(problems, (held - listed, listed - held), strict=True) if wrong]
    if found:
        raise InputError(found)
    order = pl.DataFrame({"sample": list(file_samples)}, schema={"sample": pl.String})
    return order.join(people, on="sample", how="left", maintain_order="left")


def read_people_with_files(sheet: Path, only: Sequence[str], source: Path | None) -> pl.DataFrame:
    """The people of a sheet, or those of them in `only`, one row each, with the `file` that holds their calls.

    It is `source`, else the `gvcf` or `vcf` cell, null for withdrawn people without one. Raises InputError for a name
    that is not in the sheet, and for people whose calls are still to be made.
    """
    rows = read_samples(sheet, need_inputs=source is None)
    absent = sorted(set(only) - set(rows["sample"]))
    problems = [Problem(str(sheet), f"no line for {name}", "a line for each --sample") for name in absent]
    if only:
        rows = rows.filter(pl.col("sample").is_in(list(only)))
    file = pl.coalesce("gvcf", "vcf") if source is None else pl.lit(str(source))
    people = each_person(rows).join(rows.unique("sample").select("sample", file=file), on="sample", how="left")
    uncalled = people.filter(pl.col("file").is_null() & ~pl.col("withdrawn"))
    problems += [
        Problem(f"{sheet} sample {name}", f"{kind}, of which no calls are made", "a gvcf or vcf",
                "Call first (the workflow does), then give the gVCF.")
        for name, kind in uncalled.select("sample", "kind").iter_rows()
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    return people


def _names_file(rows: pl.DataFrame, folder: Path, file: Path) -> pl.Expr:
    cells = {cell for name in ("gvcf", "vcf") for cell in rows[name].drop_nulls().unique()}
    wanted = real_path(file)
    same = [cell for cell in cells if real_path(folder / expand(cell, os.environ)) == wanted]
    return pl.col("gvcf").is_in(same).fill_null(value=False) | pl.col("vcf").is_in(same).fill_null(value=False)


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(names)[:NAMES_SHOWN])
    more = len(names) - NAMES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown
