"""Metrics of samples: on alignments one JSON file each, on calls a table; and both as GA4GH WGS QC version 1."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from types import NoneType
from typing import Any

import polars as pl

from tessera.errors import InputError, Problem, all_at_once
from tessera.files.atomic import directory_written_aside, refuse_foreign, written_aside
from tessera.files.json_documents import read_json
from tessera.files.paths import unlike_file
from tessera.files.samples import read_samples
from tessera.files.tables import read_tsv
from tessera.schemas.document import check_document, quoted
from tessera.schemas.sample_rows import each_person, measured_alone
from tessera.schemas.variant_metrics import VARIANT_METRICS
from tessera.schemas.wgs_qc import ALIGNMENT_METRICS, METRICS, SCHEMA
from tessera.schemas.wgs_qc import VARIANT_METRICS as STANDARD_VARIANT_METRICS
from tessera.summary.qc_sums import Scaled, scaled

#: MultiQC looks into files of this ending
FOR_MULTIQC = "ga4gh_wgs_qc_mqc.json"


def write_metrics(path: Path, document: dict[str, Any]) -> None:
    """Write a document `{biosample: {id}, wgs_qc_metrics: {aln_metrics: {}}, tessera: {}}`."""
    with written_aside(path) as aside:
        _write_json(aside, document)


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


def write_standard_metrics(folder: Path, alignments: pl.DataFrame, variants: pl.DataFrame) -> None:
    """Write SAMPLE.metrics.json, in the shape of the standard, for each sample that was measured, into a new folder.

    `alignments` and `variants` have `sample` and its metrics; a sample of one table alone has that group alone. Beside
    them lies one file for MultiQC, with all of them.
    """
    documents: dict[str, dict[str, Any]] = {}
    for rows, group, metrics in (
        (alignments, "aln_metrics", ALIGNMENT_METRICS),
        (variants, "variant_metrics", STANDARD_VARIANT_METRICS),
    ):
        for row in rows.iter_rows(named=True):
            own = documents.setdefault(row["sample"], {"biosample": {"id": row["sample"]}, "wgs_qc_metrics": {}})
            own["wgs_qc_metrics"][group] = {name: row.get(name) for name in metrics}
    # Snakemake leaves a file of its own in a folder that is an output
    known = (FOR_MULTIQC, ".snakemake_timestamp")
    refuse_foreign(folder, lambda name: name in known or name.endswith(".metrics.json"), "a folder of metrics")
    with directory_written_aside(folder) as aside:
        for sample, document in documents.items():
            problems = check_document(document, SCHEMA, where=f"metrics of sample {sample}")
            if problems:
                raise InputError(problems)
            text = json.dumps(document, indent=4, sort_keys=True) + "\n"
            (aside / f"{sample}.metrics.json").write_text(text, encoding="utf-8")
        _write_json(aside / FOR_MULTIQC, _for_multiqc(documents))


def _for_multiqc(documents: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A table of MultiQC's custom content (its documentation, "Custom content"); what was not measured has no cell."""
    measured = {
        sample: {name: value for group in document["wgs_qc_metrics"].values() for name, value in group.items()}
        for sample, document in documents.items()
    }
    return {
        "id": "ga4gh_wgs_qc",
        "section_name": "GA4GH WGS QC",
        "description": "Metrics of the GA4GH WGS Quality Control standard, version 1, of each sample.",
        "plot_type": "table",
        "pconfig": {"id": "ga4gh_wgs_qc_table", "title": "GA4GH WGS QC: metrics", "namespace": "GA4GH WGS QC"},
        "headers": {
            name: {
                "title": name,
                "description": f"{metric.meaning} ({metric.unit})",
                "format": f"{{:,.{metric.decimals}f}}",
                **({"min": 0, "max": 100, "suffix": "%"} if metric.unit == "%" else {}),
            }
            for name, metric in METRICS.items()
        },
        "data": {
            sample: {name: value for name, value in metrics.items() if value is not None}
            for sample, metrics in sorted(measured.items())
        },
    }


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n", encoding="utf-8")


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


def read_measured(
    people: pl.DataFrame, alignments: Sequence[Path], variants: Sequence[Path]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What was measured of people (one row each) on alignments and on calls; a folder stands for the file of each."""
    aligned, called = measured_alone(people)
    with all_at_once() as gathered:
        with gathered.trying():
            on_alignments = read_alignment_metrics(metric_files(alignments, aligned, ".json"))
        with gathered.trying():
            on_calls = read_variant_metrics(metric_files(variants, called, ".tsv"))
    return on_alignments, on_calls


def read_scaled(
    sheet: Path, names: Collection[str], alignments: Sequence[Path], variants: Sequence[Path]
) -> dict[str, Scaled]:
    """Sample -> the metrics of the standard that were measured, for those of `names`, as QC sums add them.

    Raises InputError for each value that a metric cannot have.
    """
    people = each_person(read_samples(sheet, need_inputs=False))
    found: dict[str, dict[str, float | None]] = {}
    for rows in read_measured(people.filter(pl.col("sample").is_in(list(names))), alignments, variants):
        for row in rows.iter_rows(named=True):
            found.setdefault(row["sample"], {}).update(row)
    with all_at_once() as gathered:
        values: dict[str, Scaled] = {}
        for name in names:
            with gathered.trying():
                values[name] = scaled(name, found.get(name, {}))
    return values


def metric_files(given: Sequence[Path], samples: Sequence[str], suffix: str) -> list[Path]:
    """The given files; a folder stands for the file of each of `samples` in it."""
    files: list[Path] = []
    for path in given:
        files += [path / f"{sample}{suffix}" for sample in samples] if path.is_dir() else [path]
    found = {path: unlike_file(path) for path in files}
    problems = [Problem(str(path), what, "metrics of a sample") for path, what in found.items() if what]
    if problems:
        raise InputError(problems)
    return files


def _once_each(rows: pl.DataFrame) -> pl.DataFrame:
    twice = rows.filter(pl.col("sample").is_duplicated())["sample"].unique().sort()
    if len(twice):
        raise InputError([Problem(f"sample {name}", "measured twice", "one file with its metrics") for name in twice])
    return rows
