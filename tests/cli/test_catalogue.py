"""`tessera catalogue write` refuses what a record cannot say, each mistake in its place, all of them at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from catalogued import ENTRY, MORE, entry, write_config
from commands import Done, Tessera
from sent import count_people, manifest_of, put_manifest


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return count_people(tmp_path_factory.mktemp("described"))


@pytest.fixture
def write(tessera: Tessera, summary: Path, tmp_path: Path) -> Any:
    """Write records by an entry; of `summary` unless another is given."""

    def call(described: dict[str, Any], of: Path = summary, asked: str = "alder", name: str = "alder") -> Done:
        config = write_config(tmp_path, described, name)
        return tessera("catalogue", "write", of, "--config", config, "--entry", asked, "--out", tmp_path / "out")

    return call


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no contact": (entry(contact=None), "catalogue.alder: the key contact is missing; expected a mapping of name"),
    "a contact without e-mail": (
        entry(contact={"name": "Data desk"}),
        "catalogue.alder.contact: the key email is missing; expected an e-mail address.",
    ),
    "no e-mail address": (
        entry(contact={"name": "Data desk", "email": "desk at node"}),
        'catalogue.alder.contact.email: found "desk at node"; expected an e-mail address.',
    ),
    "a publisher nobody can reach": (
        entry(publisher={"name": "Example Institute", "page": "https://institute.example"}),
        "catalogue.alder.publisher: the key contact is missing",
    ),
    "a language by its name": (
        entry(title={"english": "Allele counts"}),
        'catalogue.alder.title: the language "english"; expected a language of two lower-case letters',
    ),
    "a language in capitals": (entry(keywords={"EN": ["counts"]}), 'catalogue.alder.keywords: the language "EN"'),
    "a text without a language": (
        entry(description="Allele counts"),
        'catalogue.alder.description: found "Allele counts"; expected texts by language',
    ),
    "no text": (entry(title={"en": " "}), 'catalogue.alder.title.en: found " "; expected text.'),
    "no language": (entry(title={}), "catalogue.alder.title: found {}; expected texts by language"),
    "a code that the ontology has not": (
        entry(duo=["DUO:0000042", "DUO:0000099"]),
        'catalogue.alder.duo[1]: found "DUO:0000099"; expected a permission or modifier of the Data Use Ontology',
    ),
    "two permissions": (
        entry(duo=["DUO:0000042", "DUO:0000006"]),
        "catalogue.alder.duo: DUO:0000042 and DUO:0000006; expected exactly one permission",
    ),
    "modifiers alone": (entry(duo=["DUO:0000045"]), "catalogue.alder.duo: no permission; expected exactly one"),
    "more than people consented to": (
        entry(duo=["DUO:0000004"]),
        "catalogue.alder.duo: DUO:0000004, which the consent of DUO:0000042 (3 people) does not allow",
    ),
    "an access right that there is not": (
        entry(access_rights="OPEN"),
        'catalogue.alder.access_rights: found "OPEN"; expected one of PUBLIC, RESTRICTED, NON_PUBLIC.',
    ),
    "an address without a scheme": (
        entry(access_url="node.example/data"),
        'catalogue.alder.access_url: found "node.example/data"; expected an address that begins with http',
    ),
    "an address that leaves its brackets": (
        entry(terms="https://node.example/> a <x"),
        'catalogue.alder.terms: found "https://node.example/> a <x"; expected an address',
    ),
    "a base that ends in a slash": (entry(base="https://node.example/"), "catalogue.alder.base: found"),
    "a country of two letters": (entry(countries=["EE"]), 'catalogue.alder.countries[0]: found "EE"; expected three'),
    "an id of no data set": (entry(dataset="my-data"), 'catalogue.alder.dataset: found "my-data"; expected a data set'),
    "an id of no day": (
        entry(dataset="GOE-EE-UT-20260230120000000"),
        "catalogue.alder.dataset: the date 2026-02-30; expected a day of the calendar.",
    ),
    "a change on no day": (
        entry(modified="2025-13-01"),
        "catalogue.alder.modified: the date 2025-13-01; expected a day",
    ),
    "ages the wrong way round": (entry(min_age=60, max_age=18), "catalogue.alder: min_age 60 above max_age 18"),
    "a basis in words": (entry(legal_basis="informed consent"), "catalogue.alder.legal_basis: found"),
    "a Beacon of no version": (
        entry(beacon={**MORE["beacon"], "api_version": "2"}),
        'catalogue.alder.beacon.api_version: found "2"; expected a version such as v2.1.0.',
    ),
    "a misspelt key": (entry(license="https://x.example"), "Did you mean"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_its_place(mistake: str, write: Any, tmp_path: Path) -> None:
    described, said = MISTAKES[mistake]
    if mistake == "a misspelt key":
        del described["licence"]
    done = write(described)
    assert done.code == 2
    assert said in done.err
    assert done.err.count("tessera: error:") == 1
    assert not (tmp_path / "out").exists()


def test_all_mistakes_are_told_at_once(write: Any) -> None:
    described = entry(
        contact=None,
        title={"EN": "x"},
        duo=["DUO:1"],
        access_rights="OPEN",
        publisher={**ENTRY["publisher"], "page": "x"},
    )
    assert write(described).err.count("tessera: error:") == 5


def test_an_entry_is_of_a_node_or_of_the_federation(write: Any) -> None:
    done = write(entry(), asked="birch", name="birch")
    assert 'catalogue.birch: there is no node "birch"; expected one of alder, federation.' in done.err
    done = write(entry(), asked="federation")
    assert done.err.startswith("tessera: error: --entry: 'federation'; expected an entry of the key catalogue (alder).")
    assert done.code == 2


def test_a_data_set_is_of_one_entry(tessera: Tessera, tmp_path: Path) -> None:
    config = write_config(tmp_path, entry(), catalogue={"alder": entry(), "federation": entry()})
    done = tessera("check", "--config", config)
    assert (
        "catalogue.federation.dataset: GOE-EE-UT-20260301120000000, as catalogue.alder.dataset; expected a data set of"
        in done.err
    )


def consenting(summary: Path, folder: Path, consent: dict[str, int]) -> Path:
    """The summary as if its people had consented otherwise."""
    shutil.copytree(summary, folder / "other")
    manifest = manifest_of(folder / "other")
    manifest["consent"] = consent
    put_manifest(folder / "other", manifest)
    return folder / "other"


@pytest.mark.parametrize(
    ("consent", "use"),
    [
        ({"DUO:0000004": 3}, "0000004"),
        ({"DUO:0000004": 1, "DUO:0000042": 2}, "0000042"),
        ({"DUO:0000042": 1, "DUO:0000006": 2}, "0000006"),
        ({"DUO:0000042": 1, "DUO:0000011": 2}, "0000011"),
        ({"DUO:0000006": 1, "DUO:0000007": 2}, "0000007"),
    ],
)
def test_without_duo_the_data_use_is_what_everybody_consented_to(
    consent: dict[str, int], use: str, write: Any, summary: Path, tmp_path: Path
) -> None:
    assert write(entry(), of=consenting(summary, tmp_path, consent)).code == 0
    assert f"odrl:hasPolicy <http://purl.obolibrary.org/obo/DUO_{use}> ." in (tmp_path / "out" / "gdi.ttl").read_text()


@pytest.mark.parametrize(
    ("consent", "said"),
    [
        ({"DUO:0000006": 1, "DUO:0000011": 2}, "DUO:0000006 (1 person), DUO:0000011 (2 people)"),
        ({"not stated": 3}, "not stated (3 people)"),
        ({"DUO:0000042": 2, "not stated": 1}, "not stated (1 person)"),
    ],
)
def test_where_no_data_use_follows_from_consent_it_must_be_said(
    consent: dict[str, int], said: str, write: Any, summary: Path, tmp_path: Path
) -> None:
    done = write(entry(), of=consenting(summary, tmp_path, consent))
    assert done.code == 2
    assert "catalogue.alder.duo: not given, and no permission follows from" in done.err
    assert said in done.err
    assert "Say it by duo." in done.err


def test_of_people_whose_consent_is_not_stated_the_operator_answers(write: Any, summary: Path, tmp_path: Path) -> None:
    other = consenting(summary, tmp_path, {"DUO:0000042": 2, "not stated": 1})
    assert write(entry(duo=["DUO:0000006"]), of=other).code == 0


def test_a_damaged_summary_is_not_described(write: Any, summary: Path, tmp_path: Path) -> None:
    other = consenting(summary, tmp_path, {"DUO:0000042": 3})
    next((other / "variants").iterdir()).write_bytes(b"PAR1")
    done = write(entry(), of=other)
    assert done.code == 2
    assert "sha256" in done.err


def test_a_folder_that_holds_anything_else_is_left_as_it_is(write: Any, tmp_path: Path) -> None:
    assert write(entry()).code == 0
    assert write(entry()).code == 0  # an older one is replaced
    (tmp_path / "out" / "ann.cram").write_text("years of work")
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    done = write(entry())
    assert (done.code, "it holds ann.cram, which is no part of a folder of records" in done.err) == (2, True)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before
