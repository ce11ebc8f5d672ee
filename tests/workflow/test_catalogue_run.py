"""A run whose data sets are described: records, and the crates that say how a node's summary was made."""

from __future__ import annotations

import getpass
import hashlib
import json
import re
import shutil
import socket
import sys
from collections.abc import Callable
from copy import copy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from rdflib import DCAT, RDF, Graph, Namespace

from catalogued import entry
from crates import judge
from handmade import vcf, write
from run_folder import ROOT
from sent import manifest_of, put_manifest
from test_changes import CONFIG, HEADER, NORTH, Small, row

HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
EAST = ["eva", "fay"]
METADATA = "ro-crate-metadata.json"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Described(Small):
    """North of gVCFs, south of a cohort VCF; both and their sum are described."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        lines = [f"chr1 {pos} A C PASS . GT:GQ:DP:AD 0/1:50:30:15,15 0/0:50:30:30,0" for pos in (44, 55)]
        write(folder / "east.vcf.gz", vcf(EAST, lines))
        rows = [row(name, "XX", "EE", "1").replace(f"{name}.g.vcf.gz", "east.vcf.gz") for name in EAST]
        (folder / "south.tsv").write_text(HEADER.replace("gvcf", "vcf") + "".join(rows))
        self.describe()

    def describe(self, **north: Any) -> None:
        """Write the configuration with an entry of each node and of the sum; `north` changes that of north."""
        entries = {
            "north": entry(**north),
            "south": entry(dataset="GOE-FI-XX-20260301120000000", access_rights="RESTRICTED"),
            "federation": entry(dataset="GDI-EE-UT-20260302120000000"),
        }
        text = yaml.safe_dump({"catalogue": entries}, allow_unicode=True)
        (self.folder / "config.yaml").write_text(CONFIG + text)

    def write_crate(self, out: Path, summary: Path, node: str = "north") -> str:
        """What is said when crates of a summary cannot be written to `kept` and `shared` in a folder."""
        words = ["catalogue", "write-crate", str(summary), "--config", "config.yaml", "--entry", node]
        words += ["--workflow", str(ROOT / "Snakefile"), "--private", f"results/{node}/private"]
        words += ["--out", str(out / "kept"), "--share", str(out / "shared")]
        return self.call([sys.executable, "-m", "tessera", *words], fails=True)

    def crate(self, place: str) -> dict[str, dict[str, Any]]:
        """The entities of a crate, by their ids."""
        graph = json.loads((self.folder / "results" / place / METADATA).read_text())["@graph"]
        assert len({entity["@id"] for entity in graph}) == len(graph)
        return {entity["@id"]: entity for entity in graph}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Described:
    """A finished run; tests that write take a copy."""
    described = Described(tmp_path_factory.mktemp("described") / "run")
    made = described.made()
    assert made["write_catalogue"] == 3
    assert made["write_crate"] == 2
    assert (made["digest_inputs"], made["digest_cohort"]) == (3, 1)
    return described


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def sha256_by_name(entities: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: e["sha256"] for e in entities.values() if "sha256" in e for name in as_list(e["name"])}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_finished_run_has_nothing_left_to_do(finished: Described) -> None:
    assert finished.made() == {}


def test_records_tell_the_numbers_of_their_summaries(finished: Described) -> None:
    for name, expected in {"north": (3, 3), "south": (2, 2), "federation": (5, 5)}.items():
        record = Graph().parse(finished.folder / "results" / name / "catalogue" / "gdi.ttl")
        (dataset,) = record.subjects(RDF.type, DCAT.Dataset)
        told = [record.value(dataset, HEALTH[term]) for term in ("numberOfUniqueIndividuals", "numberOfRecords")]
        assert tuple(int(str(number)) for number in told) == expected


@pytest.mark.parametrize("place", ["north/crate", "north/private/crate", "south/crate", "south/private/crate"])
def test_crates_are_workflow_run_crates(place: str, finished: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    assert judge(finished.folder / "results" / place, monkeypatch) == []


def _lose(entity: str, key: str) -> Callable[[dict[str, dict[str, Any]]], object]:
    return lambda entities: entities[entity].pop(key)


@pytest.mark.parametrize(
    ("breaks", "said"),
    [
        (_lose("./", "license"), "license"),
        (_lose("./", "datePublished"), "datePublished"),
        (_lose("./", "mainEntity"), "Main Workflow"),
        (_lose("#run", "instrument"), "instrument"),
        (_lose("Snakefile", "programmingLanguage"), "programmingLanguage"),
        (_lose("./", "conformsTo"), "versioned permalink"),
        (_lose(METADATA, "about"), "about"),
    ],
)
def test_the_validator_sees_what_is_missing(
    breaks: Callable[[dict[str, dict[str, Any]]], object],
    said: str,
    finished: Described,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(finished.folder / "results/north/crate", tmp_path / "crate")
    document = json.loads((tmp_path / "crate" / METADATA).read_text())
    breaks({entity["@id"]: entity for entity in document["@graph"]})
    (tmp_path / "crate" / METADATA).write_text(json.dumps(document))
    assert said in " ".join(judge(tmp_path / "crate", monkeypatch))


def test_the_crate_that_stays_names_every_input_and_output_by_digest(finished: Described) -> None:
    entities = finished.crate("north/private/crate")
    digests = sha256_by_name(entities)
    inputs = [f"{name}.g.vcf.gz" for name in NORTH] + ["north.tsv", "build.yaml"]
    results = finished.folder / "results"
    outputs = [path.relative_to(results / "north") for path in (results / "north/summary").rglob("*") if path.is_file()]
    outputs += [Path("private/decisions.tsv"), *(Path(f"private/summaries/{name}/manifest.json") for name in NORTH)]
    for name in inputs:
        (told,) = [d for path, d in digests.items() if Path(path).name == name]
        assert told == digest(finished.folder / name)
    for path in outputs:
        assert digests[str(path)] == digest(results / "north" / path)
    run = entities["#run"]
    told = {entities[link["@id"]]["name"] if isinstance(entities[link["@id"]]["name"], str) else "" for link in
            as_list(run["object"])}  # fmt: skip
    assert {"config.json", "QC policy", "mask", "build.yaml", "north.tsv"} <= {Path(name).name for name in told}
    kept = json.loads((results / "north/private/crate/config.json").read_text())
    assert kept["catalogue"]["north"]["title"] == entry()["title"]
    assert digests["config.json"] == digest(results / "north/private/crate/config.json")
    south = sha256_by_name(finished.crate("south/private/crate"))
    (told,) = [d for path, d in south.items() if path.endswith("east.vcf.gz")]
    assert told == digest(finished.folder / "east.vcf.gz")


def test_the_crate_that_stays_names_the_software(finished: Described) -> None:
    for place in ("north/private/crate", "north/crate"):
        entities = finished.crate(place)
        told = {e["name"]: e["softwareVersion"] for e in entities.values() if e["@type"] == "SoftwareApplication"}
        assert told["polars"] == version("polars")
        assert told["snakemake"] == version("snakemake")


def test_the_crate_that_leaves_knows_no_person_path_host_or_user(finished: Described) -> None:
    for node, people in {"north": list(NORTH), "south": EAST}.items():
        folder = finished.folder / "results" / node / "crate"
        assert sorted(path.name for path in folder.iterdir()) == ["Snakefile", METADATA]
        text = (folder / METADATA).read_text()
        for secret in [*people, socket.gethostname(), getpass.getuser(), "tsv", "vcf", "private", "results"]:
            assert not re.search(rf"(?<![A-Za-z]){re.escape(secret)}(?![A-Za-z])", text), secret
        assert str(finished.folder) not in text
        assert not re.search(r'"(/|\.\./|\./[^"])', text)
        inputs = [path for path in finished.folder.iterdir() if path.is_file()]
        assert len(inputs) >= 7
        assert not [path for path in inputs if digest(path) in text and path.name != "policy.yaml"]
        members = (finished.folder / "results" / node / "summary").rglob("*")
        assert all(digest(path) in text for path in members if path.is_file())


def test_names_that_an_operator_chose_leave_only_in_the_forms_of_contigs_and_builds(
    finished: Described, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder / "results/north/summary", tmp_path / "summary")
    manifest = manifest_of(tmp_path / "summary")
    manifest["rules"]["build"]["name"] = "of_ann"
    manifest["rules"]["build"]["contigs"][0]["name"] = "ann"
    for table in ("variants", "an_track", "histograms"):
        (tmp_path / "summary" / table / "chr1.parquet").rename(tmp_path / "summary" / table / "ann.parquet")
    manifest["members"] = [name.replace("chr1", "ann") for name in manifest["members"]]
    put_manifest(tmp_path / "summary", manifest)
    told = finished.write_crate(tmp_path, tmp_path / "summary")
    assert "the build is named 'of_ann'; expected only what docs/federation.md lists." in told
    assert "a contig is named 'ann'" in told
    assert not (tmp_path / "shared").exists()


def test_the_same_run_elsewhere_gives_the_same_records_and_crates(finished: Described, tmp_path: Path) -> None:
    again = Described(tmp_path / "elsewhere")
    again.made()
    for place in ("north/crate", "north/private/crate", "north/catalogue", "federation/catalogue"):
        mine, theirs = (run.folder / "results" / place for run in (again, finished))
        assert {p.name: p.read_bytes() for p in mine.iterdir()} == {p.name: p.read_bytes() for p in theirs.iterdir()}


def test_other_words_write_records_and_crates_again_and_count_nobody(finished: Described, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    changed = copy_of(finished, tmp_path / "run")
    changed.describe(countries=["FIN"])
    assert changed.made() == {"write_catalogue": 3, "write_crate": 2}
    assert "country/FIN>" in (tmp_path / "run/results/north/catalogue/gdi.ttl").read_text()


def test_a_person_who_leaves_is_no_input_any_more(finished: Described, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    changed = copy_of(finished, tmp_path / "run")
    changed.withdraw("north", "ben")
    changed.made()
    text = (tmp_path / "run/results/north/private/crate" / METADATA).read_text()
    assert "ben" not in text
    assert "ann.g.vcf.gz" in text


@pytest.mark.parametrize(
    ("node", "file", "text", "said"),
    [
        (
            "north",
            "private/digests/ann.sha256",
            None,
            "digests/ann.sha256: no such file; expected a list that sha256sum",
        ),
        ("south", "private/digests/cohorts/east.sha256", "east\n", "east.sha256 line 1: no digest of a file"),
        ("north", "private/summaries/cat.provenance.json", '{"versions": {"numpy": "cat"}}', "versions.numpy: 'cat'"),
        ("north", "private/summaries/ben/manifest.json", None, "ben/manifest.json: no such file"),
        ("north", "summary/variants/chr1.parquet", "PAR1", "sha256"),
        ("federation", "", "", "--entry: 'federation'; expected a node (north, south)."),
    ],
)
def test_what_is_missing_is_told_and_no_crate_is_written(
    node: str, file: str, text: str | None, said: str, finished: Described, tmp_path: Path
) -> None:
    shutil.copytree(finished.folder, tmp_path / "run", symlinks=True)
    run = copy_of(finished, tmp_path / "run")
    results = tmp_path / "run" / "results" / node
    if text is None:
        (results / file).unlink()
    elif file:
        (results / file).write_text(text)
    told = run.write_crate(tmp_path, results / "summary", node)
    assert said in told
    assert "Traceback" not in told
    assert not (tmp_path / "kept").exists()
    assert not (tmp_path / "shared").exists()


def copy_of(run: Described, folder: Path) -> Described:
    """The run, in a folder to which its own was copied."""
    changed = copy(run)
    changed.folder = folder
    return changed


def test_a_crate_replaces_no_other_folder_nor_the_one_that_stays(finished: Described, tmp_path: Path) -> None:
    north, work = finished.folder / "results" / "north", tmp_path / "kept" / "work"
    work.mkdir(parents=True)
    assert "it holds work, which is no part of a crate" in finished.write_crate(tmp_path, north / "summary")
    work.rmdir()
    (tmp_path / "shared").symlink_to(tmp_path / "kept")
    assert "which is --out; expected another folder" in finished.write_crate(tmp_path, north / "summary")
    assert not any((tmp_path / "kept").iterdir())
