"""The exports that a configuration asks for: each where it belongs, as the command writes it, and not made twice."""

from pathlib import Path

import pytest
import yaml

from exported import FORMS
from nation import files_of
from run_folder import RunFolder

DATASET = "GOE-EE-UT-20260301120000000"
STUDY = {"source": "A study", "source_reference": "https://example.org/study"}
#: format -> where it lies in the results
PLACES = {
    "vcf": "allele_frequencies.vcf.gz",
    "gdi-parquet": f"exports/gdi-parquet/{DATASET}",
    "beacon": "exports/beacon/genomic_variations.jsonl.gz",
    "va-spec": "exports/va-spec/cohort_allele_frequencies.ndjson.gz",
    "gnomad": "exports/gnomad/sites.vcf.gz",
    "sites": "exports/sites/sites.parquet",
}
OPTIONS = {
    "gdi-parquet": ["--dataset", DATASET],
    "beacon": ["--dataset", DATASET, "--source", "A study", "--source-reference", "https://example.org/study"],
    "va-spec": ["--dataset", DATASET, "--reference", "nation/reference.fa"],
}


@pytest.fixture(scope="module")
def cedar(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """The node whose people are in a cohort VCF, with every export."""
    from nation import ROOT

    run = RunFolder(tmp_path_factory.mktemp("exports"), "config.yaml")
    run.call(["python", str(ROOT / "seeds" / "grow.py"), "nation"])
    config = yaml.safe_load((run.folder / "nation" / "config.yaml").read_text())
    config["nodes"] = {"cedar": config["nodes"]["cedar"]}
    config["federation"] = {"exports": list(FORMS), "dataset": DATASET, **STUDY}
    config.pop("truth", None)
    (run.folder / "config.yaml").write_text(yaml.safe_dump(config))
    run.snakemake()
    return run


@pytest.mark.parametrize("form", FORMS)
def test_an_export_lies_where_it_belongs_as_the_command_writes_it(cedar: RunFolder, form: str) -> None:
    place = cedar.folder / "results" / "federation" / PLACES[form]
    again = cedar.folder / "again" / form / place.name
    words = [str(word) for word in OPTIONS.get(form, [])]
    cedar.tessera("export", form, "results/federation/summary", *words, "--out", str(again))
    if place.is_dir():
        assert files_of(place) == files_of(again)
        assert len(files_of(place)) > 3
    else:
        beside = {path.name: path.read_bytes() for path in again.parent.iterdir()}
        assert {name: (place.parent / name).read_bytes() for name in beside} == beside
        assert len(beside) == 2


def test_what_is_there_is_not_made_again(cedar: RunFolder) -> None:
    assert not cedar.made("--dry-run")


def test_another_dataset_makes_again_the_exports_that_name_it(cedar: RunFolder) -> None:
    path: Path = cedar.folder / "config.yaml"
    before = path.read_text()
    path.write_text(before.replace(DATASET, "GDI-EE-UT-20260301120000000"))
    try:
        assert cedar.made("--dry-run") == {"export_summary": 3}
    finally:
        path.write_text(before)
