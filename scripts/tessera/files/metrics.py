"""Metrics of samples: on alignments one JSON file each, as GA4GH WGS QC version 1; on calls a table."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import polars as pl

from tessera.errors import InputError, Problem, all_at_once
from tessera.files.atomic import written_aside
from tessera.files.json_documents import read_json
from tessera.files.tables import read_tsv
from tessera.schemas.document import quoted
from tessera.schemas.variant_metrics import VARIANT_METRICS


def write_metrics(path: Path, document: dict[str, Any]) -> None:
    """Write a document `{biosample: {id}, wgs_qc_metrics: {aln_metrics: {}}, tessera: {}}`."""
    with written_aside(path) as aside:
        aside.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_metrics(path: Path) -> dict[str, Any]:
    """The metrics of a file as one flat row, `sample` first; a metric that could not be measured is None.

    Raises InputError when the file is missing or has another shape, with every metric that is none.
    """
    expected = "a metrics file of tessera measure-alignments"
    match read_json(path, expected):
        case {
            "biosample": {"id": str(sample)},
            "wgs_qc_metrics": {"aln_metrics": dict(standard)},
            "tessera": dict(own),
        }:
            found = {**standard, **own}
        case _:
            raise InputError([Problem(str(path), "no biosample.id, aln_metrics or tessera", expected)])
    texts = {name for name, value in found.items() if type(value) not in (int, float, NoneType)} - {"sex_karyotype"}
    problems = [Problem(str(path), f"{name} is {quoted(found[name])}", "a number, or null") for name in sorted(texts)]
    if type(found.get("sex_karyotype")) not in (str, NoneType):
        problems.append(Problem(str(path), f"sex_karyotype is {found['sex_karyotype']}", "a karyotype, or null"))
    if problems:
        raise InputError(problems)
    return {"sample": sample, **found}


def read_alignment_metrics(paths: Sequence[Path]) -> pl.DataFrame:
    """One row per file of `tessera measure-alignments`: `sample` and its metrics."""
    rows = []
    with all_at_once() as gathered:
        for path in paths:
            with gathered.trying():
                rows.append(read_metrics(path))
    frame = pl.DataFrame(rows, schema_overrides={"sample": pl.String}, infer_schema_length=None)
    return _once_each(frame) if rows else pl.DataFrame(schema={"sample": pl.String})


def read_variant_metrics(paths: Sequence[Path]) -> pl.DataFrame:
    """The rows of all files of `tessera measure-variants`: `sample` and its metrics."""
    return _once_each(
        pl.concat([pl.DataFrame(schema=VARIANT_METRICS.schema), *(read_tsv(path, VARIANT_METRICS) for path in paths)])
    )


def _once_each(rows: pl.DataFrame) -> pl.DataFrame:
    twice = rows.filter(pl.col("sample").is_duplicated())["sample"].unique().sort()
    if len(twice):
        raise InputError([Problem(f"sample {name}", "measured twice", "one file with its metrics") for name in twice])
    return rows
