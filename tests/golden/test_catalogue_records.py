"""Catalogue records by those who judge them: SHACL shapes of GDI and HealthDCAT-AP, and the schemas of GA4GH."""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from jsonschema import Draft202012Validator
from rdflib import DCAT, DCTERMS, RDF, XSD, Graph, Literal, Namespace, URIRef
from rdflib.compare import isomorphic
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from catalogued import DATASET, ENTRY, MORE, entry, gdi_shapes, health_shapes, violated, write_config
from nation import Nation, run
from sent import PEOPLE, count_people, manifest_of
from tessera.federation.catalogue import population_coverage
from tessera.schemas.data_use import ALLOWS, MODIFIERS
from tessera.summary.manifest import Manifest

HEALTH = Namespace("http://healthdataportal.eu/ns/health#")
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
OBO = Namespace("http://purl.obolibrary.org/obo/")
IRI = URIRef(f"https://node.example/fairdp/dataset/{DATASET}")
CASES = {
    "least": entry(),
    "most": entry(**MORE),
    "restricted": entry(access_rights="RESTRICTED"),
    "not public": entry(access_rights="NON_PUBLIC", synthetic=True),
}


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_people(tmp_path_factory.mktemp("described"))


@pytest.fixture(scope="session")
def records(summary: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Case -> folder of its records."""
    found = {}
    for case, described in CASES.items():
        folder = tmp_path_factory.mktemp("records")
        config = write_config(folder, described)
        run("catalogue", "write", summary, "--config", config, "--entry", "alder", "--out", folder / "catalogue")
        found[case] = folder / "catalogue"
    return found


@pytest.fixture(scope="session")
def schemas(shared: Path) -> Path:
    return shared.parent / "schemas"


def read(folder: Path, profile: str) -> Graph:
    return Graph().parse(folder / f"{profile}.ttl")


@pytest.mark.parametrize("case", CASES)
def test_records_have_the_shapes_of_gdi_and_healthdcat_ap(case: str, records: dict[str, Path], schemas: Path) -> None:
    rights = CASES[case]["access_rights"]
    assert violated(read(records[case], "gdi"), gdi_shapes(schemas)) == set()
    assert violated(read(records[case], "healthdcat-ap"), health_shapes(schemas, rights)) == set()


def test_every_other_access_right_is_refused_by_the_shapes_of_public_data(
    records: dict[str, Path], schemas: Path
) -> None:
    """So the shapes do look at the record."""
    said = violated(read(records["restricted"], "healthdcat-ap"), health_shapes(schemas, "PUBLIC"))
    assert said == {str(DCTERMS.accessRights)}


def without(predicate: URIRef) -> Callable[[Graph], None]:
    return lambda record: record.remove((IRI, predicate, None)) and None


def _wrong_count(record: Graph) -> None:
    record.set((IRI, HEALTH.numberOfUniqueIndividuals, Literal(-1, datatype=XSD.integer)))


def _title_twice(record: Graph) -> None:
    record.add((IRI, DCTERMS.title, Literal("Another", lang="en")))


def _no_email(record: Graph) -> None:
    record.remove((None, URIRef("http://www.w3.org/2006/vcard/ns#hasEmail"), None))


BROKEN: dict[str, tuple[Callable[[Graph], None], str]] = {
    "no publisher": (without(DCTERMS.publisher), str(DCTERMS.publisher)),
    "no title": (without(DCTERMS.title), str(DCTERMS.title)),
    "no theme": (without(DCAT.theme), str(DCAT.theme)),
    "no category": (without(HEALTH.healthCategory), str(HEALTH.healthCategory)),
    "a count below zero": (_wrong_count, str(HEALTH.numberOfUniqueIndividuals)),
    "two English titles": (_title_twice, str(DCTERMS.title)),
    "no e-mail": (_no_email, "http://www.w3.org/2006/vcard/ns#hasEmail"),
}


@pytest.mark.parametrize("mistake", BROKEN)
def test_the_shapes_see_what_is_broken(mistake: str, records: dict[str, Path], schemas: Path) -> None:
    record = read(records["most"], "gdi")
    breaks, path = BROKEN[mistake]
    breaks(record)
    assert path in violated(record, gdi_shapes(schemas))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("profile", ["gdi", "healthdcat-ap"])
@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")
def test_turtle_and_json_ld_are_the_same_record(case: str, profile: str, records: dict[str, Path]) -> None:
    turtle = read(records[case], profile)
    assert isomorphic(turtle, Graph().parse(records[case] / f"{profile}.jsonld", format="json-ld"))
    assert len(turtle) > 100


def test_words_are_the_operators(records: dict[str, Path]) -> None:
    record = read(records["most"], "gdi")
    said = {**ENTRY, **MORE}
    for predicate, key in ((DCTERMS.title, "title"), (DCTERMS.description, "description")):
        assert {(o.language, str(o)) for o in record.objects(IRI, predicate)} == set(said[key].items())
    assert {str(o) for o in record.objects(IRI, DCAT.keyword)} == set(said["keywords"]["en"])
    assert set(record.objects(IRI, ODRL.hasPolicy)) == {OBO.DUO_0000007, OBO.DUO_0000045, OBO.DUO_0000021}
    assert record.value(IRI, DCTERMS.issued) == Literal("2026-03-01", datatype=XSD.date)
    assert record.value(IRI, DCTERMS.modified) == Literal("2026-04-30", datatype=XSD.date)
    distribution = record.value(IRI, DCAT.distribution)
    assert str(record.value(distribution, DCAT.accessURL)) == said["access_url"]
    assert str(record.value(distribution, DCTERMS.rights)) == said["terms"]
    names = {str(o) for o in record.objects(None, URIRef("http://xmlns.com/foaf/0.1/name"))}
    assert names == {"Example Institute", "Example Laboratory", "Example Access Body"}


def plain_counts(summary: Path) -> tuple[int, int]:
    """People by the manifest and variants that somebody carries, read with the standard library and pyarrow alone."""
    carried = set()
    for path in (summary / "variants").glob("*.parquet"):
        for row in pq.read_table(path).to_pylist():
            if row["n_het"] + row["n_homalt"] + row["n_hemi"]:
                carried.add((row["contig"], row["pos"], row["ref"], row["alt"]))
    return sum(manifest_of(summary)["people"].values()), len(carried)


def counts_of(record: Graph) -> tuple[int, int]:
    (dataset,) = record.subjects(RDF.type, DCAT.Dataset)
    people, variants = HEALTH.numberOfUniqueIndividuals, HEALTH.numberOfRecords
    return int(str(record.value(dataset, people))), int(str(record.value(dataset, variants)))


def test_counts_are_those_of_the_summary(records: dict[str, Path], summary: Path) -> None:
    assert counts_of(read(records["least"], "gdi")) == plain_counts(summary)
    assert plain_counts(summary)[0] == len(PEOPLE)


def test_counts_of_the_nation_are_those_that_its_makers_expect(nation: Nation, tmp_path: Path) -> None:
    both = nation.summaries / "both"
    config = write_config(tmp_path, entry(duo=["DUO:0000007"]), name="federation")
    run("catalogue", "write", both, "--config", config, "--entry", "federation", "--out", tmp_path / "out")
    people = [
        row for row in nation.truth("people.tsv") if row["node"] in ("birch", "cedar") and row["counted"] == "true"
    ]
    carried = {key[:4] for key, n in nation.expected(("birch", "cedar")).items() if sum(n[2:])}
    record = read(tmp_path / "out", "healthdcat-ap")
    assert counts_of(record) == (len(people), len(carried))
    run("export", "vcf", both, "--total", "--out", tmp_path / "both.vcf.gz")
    with gzip.open(tmp_path / "both.vcf.gz", "rt") as lines:
        assert sum(not line.startswith("#") for line in lines) == len(carried)
    (coverage,) = (str(o) for o in record.objects(None, HEALTH.populationCoverage) if str(o)[0].isdigit())
    assert coverage == f"{len(people)} people are counted: {len(people)} of populations of fewer than 10 people."


def test_the_2504_people_of_1000_genomes_are_told_by_the_published_numbers(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Auton et al., Nature 526:68 (2015): 661 AFR, 347 AMR, 504 EAS, 503 EUR and 489 SAS."""
    monkeypatch.setenv("TESSERA_SHARED", str(shared.parent))
    example = Path(__file__).parents[2] / "config" / "examples" / "1000g-chr22"
    vcf = shared / "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"
    words = ["--samples", example / "samples.tsv", "--callable", example / "callable.bed", "--build", "GRCh37"]
    run("count", "--input", vcf, *words, "--assume-normalised", "--mask", "none", "--out", tmp_path / "summary")
    config = write_config(tmp_path, entry())
    run("catalogue", "write", tmp_path / "summary", "--config", config, "--entry", "alder", "--out", tmp_path / "out")
    record = read(tmp_path / "out", "gdi")
    said = "2,504 people are counted: 661 of AFR, 347 of AMR, 504 of EAS, 503 of EUR, 489 of SAS."
    assert Literal(said, lang="en") in set(record.objects(IRI, HEALTH.populationCoverage))
    assert counts_of(record) == plain_counts(tmp_path / "summary")


def test_only_populations_of_ten_people_are_named() -> None:
    people = {"EE_F": 6, "EE_M": 3, "EE_U": 1, "FI_F": 5, "FI_M": 4, "XB_F": 1000}
    said = population_coverage(Manifest({}, people=people))
    assert said == "1,019 people are counted: 10 of EE, 1,000 of XB, 9 of populations of fewer than 10 people."


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_same_words_and_summary_give_the_same_bytes(
    seed: str, records: dict[str, Path], summary: Path, tmp_path: Path
) -> None:
    config = write_config(tmp_path, dict(reversed(CASES["most"].items())))
    command = ["catalogue", "write", summary, "--config", config, "--entry", "alder", "--out", tmp_path / "again"]
    subprocess.run(
        [sys.executable, "-m", "tessera", *map(str, command)],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    written = {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}
    assert written == {path.name: path.read_bytes() for path in records["most"].iterdir()}
    assert len(written) == 6


def refuse_elsewhere(uri: str) -> Resource[Any]:
    raise AssertionError(f"the schema {uri} is not among those at hand")


def beacon_errors(schemas: Path, name: str, document: object) -> list[str]:
    """What a schema of the Beacon framework refuses; the schemas refer to each other by relative paths."""
    root = schemas.parent / "data/08_standards/beacon-v2/framework/json"
    files = {path.resolve().as_uri(): path for path in root.rglob("*.json")}
    resources = [
        (uri, Resource.from_contents(json.loads(path.read_text()), default_specification=DRAFT202012))
        for uri, path in files.items()
    ]
    registry = Registry(retrieve=refuse_elsewhere).with_resources(resources)
    validator = Draft202012Validator({"$ref": (root / "responses" / name).resolve().as_uri()}, registry=registry)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize(
    ("written", "schema", "needed"),
    [
        (
            "service-info.json",
            "ga4gh-service-info-1-0-0-schema.json",
            ("id", "name", "type", "organization", "version"),
        ),
        ("info.json", "beaconInfoResponse.json", ("meta", "response")),
    ],
)
def test_the_beacon_says_of_itself_what_ga4gh_asks(
    written: str, schema: str, needed: tuple[str, ...], records: dict[str, Path], schemas: Path
) -> None:
    document = json.loads((records["most"] / written).read_text())
    assert beacon_errors(schemas, schema, document) == []
    for key in needed:
        assert beacon_errors(schemas, schema, {name: value for name, value in document.items() if name != key})
    assert not (records["least"] / written).exists()


def test_data_use_follows_from_the_ontology(shared: Path) -> None:
    """Permissions and modifiers are those that the Data Use Ontology's own table calls so."""
    with (shared / "08_standards/duo/duo.csv").open() as lines:
        terms = {row["id"]: row["description"] for row in csv.DictReader(lines) if row["shorthand"]}
    assert {code for code, text in terms.items() if "data use permission" in text} == set(ALLOWS)
    assert {code for code, text in terms.items() if "data use modifier" in text} == set(MODIFIERS)
