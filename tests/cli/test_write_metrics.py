"""`tessera write-metrics`: documents in the standard's shape, judged by its published example and by our schema."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from commands import Tessera
from tessera.schemas.variant_metrics import VARIANT_METRICS

SCHEMA = Path(__file__).parents[2] / "docs" / "wgs-qc-metrics.schema.json"
#: HG00100 of the standard's benchmark, by the reference implementation 0.13.5
ALIGNMENTS = {
    "cross_contamination_rate": 0.0,
    "insert_size_std_deviation": 99.4,
    "mad_autosome_coverage": 4,
    "mean_autosome_coverage": 29.94,
    "mean_insert_size": 430.1,
    "pct_autosomes_15x": 95.9,
    "pct_reads_mapped": 99.78,
    "pct_reads_properly_paired": 98.19,
    "yield_bp_q30": 102984371235,
}
CALLS = {
    "count_deletions": 484308,
    "count_insertions": 480073,
    "count_snvs": 3906868,
    "ratio_heterozygous_homzygous_indel": 1.93,
    "ratio_heterozygous_homzygous_snv": 1.57,
    "ratio_insertion_deletion": 0.99,
    "ratio_transitions_transversions_snv": 1.96,
}
EXAMPLE = {
    "biosample": {"id": "HG00100"},
    "wgs_qc_metrics": {"aln_metrics": ALIGNMENTS, "variant_metrics": CALLS},
}


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """HG00100 with reads, and a person of a gVCF."""
    (tmp_path / "samples.tsv").write_text(
        "sample\tsex\tpopulation\tbam\tgvcf\nHG00100\tXX\tGB\tx.bam\t\ng\tXY\tGB\t\tg.vcf.gz\n"
    )
    measured = {**EXAMPLE, "wgs_qc_metrics": {"aln_metrics": ALIGNMENTS}, "tessera": {"sex_karyotype": "XX"}}
    (tmp_path / "alignments").mkdir()
    (tmp_path / "alignments" / "HG00100.json").write_text(json.dumps(measured))
    (tmp_path / "variants").mkdir()
    for sample in ("HG00100", "g"):
        row = {"sample": sample, "call_rate": 0.99, "het_hom_ratio": 1.6, "x_heterozygosity": 0.6, **CALLS}
        text = "\t".join(VARIANT_METRICS.names) + "\n" + "\t".join(str(row[name]) for name in VARIANT_METRICS.names)
        (tmp_path / "variants" / f"{sample}.tsv").write_text(text + "\n")
    return tmp_path


def write(tessera: Tessera, node: Path) -> tuple[int, str]:
    done = tessera(
        "write-metrics", "--samples", node / "samples.tsv", "--alignments", node / "alignments",
        "--variants", node / "variants", "--out", node / "metrics",
    )  # fmt: skip
    return done.code, done.err


def test_the_published_example_is_written_as_it_is(tessera: Tessera, node: Path, shared: Path) -> None:
    assert write(tessera, node) == (0, "")
    written = (node / "metrics" / "HG00100.metrics.json").read_text()
    assert written == (shared.parent / "schemas" / "examples" / "wgs-qc_HG00100.metrics.json").read_text()


def test_a_person_without_reads_has_metrics_of_calls_alone_and_both_fit_the_schema(
    tessera: Tessera, node: Path
) -> None:
    assert write(tessera, node) == (0, "")
    schema = Draft202012Validator(json.loads(SCHEMA.read_text()))
    found = {path.name: json.loads(path.read_text()) for path in (node / "metrics").glob("*.metrics.json")}
    assert sorted(found) == ["HG00100.metrics.json", "g.metrics.json"]
    assert list(found["g.metrics.json"]["wgs_qc_metrics"]) == ["variant_metrics"]
    for document in found.values():
        schema.validate(document)


def test_multiqc_finds_a_table_of_all_samples(tessera: Tessera, node: Path) -> None:
    """MultiQC's documentation, "Custom content": *_mqc.json with id, plot_type, headers, and data[sample][column]."""
    alignments = node / "alignments" / "HG00100.json"
    alignments.write_text(alignments.read_text().replace("430.1", "null"))
    assert write(tessera, node) == (0, "")
    content = json.loads((node / "metrics" / "ga4gh_wgs_qc_mqc.json").read_text())
    assert content["plot_type"] == "table"
    assert re.fullmatch(r"[a-z][a-z0-9_]*", content["id"])
    measured = ALIGNMENTS | CALLS
    del measured["mean_insert_size"]
    assert content["data"] == {"HG00100": measured, "g": CALLS}
    assert set(content["headers"]) == set(ALIGNMENTS | CALLS)
    shown = {name: header["format"].format(value) for name, header in content["headers"].items()
             if (value := measured.get(name)) is not None}  # fmt: skip
    assert shown["count_snvs"] == "3,906,868"
    assert shown["mean_autosome_coverage"] == "29.94"


@pytest.mark.parametrize(
    ("metric", "value"), [("pct_reads_mapped", 100.5), ("yield_bp_q30", 1.5), ("cross_contamination_rate", -0.1)]
)
def test_a_value_that_cannot_be_is_refused(tessera: Tessera, node: Path, metric: str, value: float) -> None:
    path = node / "alignments" / "HG00100.json"
    document = json.loads(path.read_text())
    document["wgs_qc_metrics"]["aln_metrics"][metric] = value
    path.write_text(json.dumps(document))
    code, said = write(tessera, node)
    assert code == 2
    assert f"metrics of sample HG00100 wgs_qc_metrics.aln_metrics.{metric}: found {value}" in said
    assert not (node / "metrics").exists()


def test_a_folder_that_holds_anything_else_is_left_as_it_is(tessera: Tessera, node: Path) -> None:
    assert write(tessera, node) == (0, "")
    (node / "metrics" / ".snakemake_timestamp").touch()
    assert write(tessera, node) == (0, "")
    (node / "metrics" / "ann.cram").write_text("years of work")
    code, said = write(tessera, node)
    assert (code, "it holds ann.cram, which is no part of a folder of metrics" in said) == (2, True)
    assert (node / "metrics" / "ann.cram").read_text() == "years of work"
