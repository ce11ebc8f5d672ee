"""The `catalogue` key of the configuration: what an operator says of a data set, so that others can find it."""

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tessera.errors import Problem
from tessera.schemas.bundle import DATASET
from tessera.schemas.data_use import ALLOWS, MODIFIERS
from tessera.schemas.document import Schema, check_document, quoted

#: the entry for the sum of all nodes; no node has this name
FEDERATION = "federation"
#: of the EU's authority table access-right
ACCESS_RIGHTS = ("PUBLIC", "RESTRICTED", "NON_PUBLIC")
#: of a service, as Beacon v2 names them
ENVIRONMENTS = ("prod", "test", "dev", "staging")
_REMEDY = "See config/README.md#key-catalogue."
#: what no text has in it: half a character, and controls
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff"
#: what no IRI has in it, nor Turtle between < and >
_NOT_IN_IRI = rf'\s<>"{{}}|^`\\{_CONTROLS}'
_EMAIL = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"


def _key(description: str, expected: str, **keywords: Any) -> Schema:
    return {**keywords, "description": description, "x-expected": expected, "x-remedy": _REMEDY}


def _text(description: str, expected: str, pattern: str, **keywords: Any) -> Schema:
    return _key(description, expected, type="string", pattern=rf"^(?:{pattern})\Z", **keywords)


def _line(description: str) -> Schema:
    return _text(description, "text of one line", rf"[^\s{_CONTROLS}](?:[^\t\r\n{_CONTROLS}]*[^\s{_CONTROLS}])?")


def _url(description: str) -> Schema:
    return _text(description, "an address that begins with http:// or https://", rf"https?://[^{_NOT_IN_IRI}]+")


def _mapping(description: str, expected: str, properties: Schema, *optional: str) -> Schema:
    required = [name for name in properties if name not in optional]
    shape = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    return _key(description, expected, **shape)


def _by_language(description: str, value: Schema, expected: str) -> Schema:
    names = _key("", "a language of two lower-case letters (ISO 639-1), as en", pattern=r"^[a-z]{2}\Z")
    names["x-found"] = "the language"
    shape = {"type": "object", "minProperties": 1, "additionalProperties": value, "propertyNames": names}
    return _key(description, expected, **shape)


def _texts(description: str) -> Schema:
    text = _text("", "text", rf"\s*[^\s{_CONTROLS}][^{_CONTROLS}]*")
    return _by_language(description, text, "texts by language, as {en: Allele counts}")


def _list(description: str, expected: str, items: Schema) -> Schema:
    return _key(description, expected, type="array", minItems=1, uniqueItems=True, items=items)


def _age(description: str) -> Schema:
    return _key(description, "whole years from 0 to 150", type="integer", minimum=0, maximum=150)


def _contact(description: str) -> Schema:
    properties = {
        "name": _line("Name of the office."),
        "email": _text("Its address; of an office, not of a person.", "an e-mail address", _EMAIL),
        "page": _url("Page by which it can be reached."),
    }
    return _mapping(description, "a mapping of name, email and page", properties, "page")


def _agent(description: str) -> Schema:
    properties = {
        "name": _line("Name of the organisation."),
        "page": _url("Its home page."),
        "contact": _contact("Who answers there."),
    }
    return _mapping(description, "a mapping of name, page and contact", properties)


_BEACON = _mapping(
    "The Beacon that serves the data set; with it, `service-info.json` and `info.json` are written too.",
    "a mapping of id, name, url, api_version and environment",
    {
        "id": _text(
            "Its id, a domain name reversed.", "a name such as org.example.beacon", r"[a-z0-9-]+(\.[a-z0-9-]+)+"
        ),
        "name": _line("Its name."),
        "url": _url("Root of its API."),
        "api_version": _text(
            "Version of Beacon that it speaks.", "a version such as v2.1.0", r"v[0-9]+\.[0-9]+\.[0-9]+"
        ),
        "environment": _key("What it is for.", f"one of {', '.join(ENVIRONMENTS)}", enum=list(ENVIRONMENTS)),
    },
)
ENTRY = _mapping(
    "A data set.",
    "a mapping that begins with {dataset: GOE-EE-UT-20260301120000000}",
    {
        "dataset": _key(
            "Id of the data set in the Genome of Europe or GDI; the first eight digits are the date of issue.",
            "a data set such as GOE-EE-UT-20260301120000000",
            type="string",
            pattern=DATASET["pattern"],
        ),
        "base": _text(
            "Where the records are published: IRIs of the data set and all about it begin with this.",
            "an address such as https://node.example/fairdp, without / at its end",
            rf"https?://[^#?{_NOT_IN_IRI}]*[^/#?{_NOT_IN_IRI}]",
        ),
        "title": _texts("Title, by language."),
        "description": _texts("What the data set is and how it came to be, by language."),
        "keywords": _by_language(
            "Words to find it by, by language.",
            _list("", "a list of different words", _line("")),
            "lists of words by language, as {en: [allele frequency]}",
        ),
        "publisher": _agent("Organisation that makes the data set available."),
        "creator": _line("Organisation that made it; without this, the publisher."),
        "hdab": _agent("Health data access body of the country; without this, the publisher."),
        "contact": _contact("Who answers questions about the data set."),
        "access_rights": _key(
            "Who can have what is behind `access_url`.", f"one of {', '.join(ACCESS_RIGHTS)}", enum=list(ACCESS_RIGHTS)
        ),
        "access_url": _url("Page or service by which the data are had."),
        "licence": _url("Licence of the data, by its address."),
        "terms": _url("Participation rules: the terms of access."),
        "countries": _list(
            "Where the people live.",
            "a list of countries of three capital letters (ISO 3166-1), as [EST]",
            _text("", "three capital letters", "[A-Z]{3}"),
        ),
        "coverage": _texts("Who the people are and how they were chosen, by language."),
        "duo": _list(
            "Data use: one permission and any modifiers of the Data Use Ontology. Without this, the broadest "
            "permission that the consent of everybody counted allows.",
            "a list of different DUO codes",
            _key(
                "",
                "a permission or modifier of the Data Use Ontology, as DUO:0000042",
                enum=[*ALLOWS, *MODIFIERS],
            ),
        ),
        "legal_basis": _text(
            "Legal basis of the processing, a term of the Data Privacy Vocabulary.",
            "a term of the vocabulary (https://w3id.org/dpv), as Consent",
            r"[A-Z][A-Za-z0-9-]*",
        ),
        "modified": _text(
            "Date of the last change; without this, that of issue.",
            'a date between quotes, as "2026-03-01"',
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        ),
        "min_age": _age("Lowest age of the people."),
        "max_age": _age("Highest age of the people."),
        "synthetic": _key("Whether the people are invented.", "true or false", type="boolean", default=False),
        "beacon": _BEACON,
    },
    *("creator", "hdab", "duo", "legal_basis", "modified", "min_age", "max_age", "synthetic", "beacon"),
)
CATALOGUE = _key(
    "Data sets that get catalogue records ([federation](../docs/federation.md#catalogue-records)): by the name of the "
    f"node whose summary it is, or `{FEDERATION}` for the sum of all. Without this key no record is made.",
    "a mapping of nodes to data sets",
    type="object",
    additionalProperties=ENTRY,
    default={},
)


@dataclass(frozen=True)
class Contact:
    """An office that answers."""

    name: str
    email: str
    page: str | None = None


@dataclass(frozen=True)
class Agent:
    """An organisation."""

    name: str
    page: str
    contact: Contact


@dataclass(frozen=True)
class Beacon:
    """A Beacon that serves the data set."""

    id: str
    name: str
    url: str
    api_version: str
    environment: str


@dataclass(frozen=True)
class Entry:
    """What an operator says of a data set; each field is the key of the same name."""

    dataset: str
    base: str
    title: Mapping[str, str]
    description: Mapping[str, str]
    keywords: Mapping[str, tuple[str, ...]]
    publisher: Agent
    creator: str
    hdab: Agent
    contact: Contact
    access_rights: str
    access_url: str
    licence: str
    terms: str
    countries: tuple[str, ...]
    coverage: Mapping[str, str]
    duo: tuple[str, ...]
    modified: str
    legal_basis: str | None = None
    min_age: int | None = None
    max_age: int | None = None
    synthetic: bool = False
    beacon: Beacon | None = None

    @property
    def issued(self) -> str:
        """Date of issue, as `2026-03-01`: that of the data set's id."""
        return _date_of(self.dataset)


def build_entry(document: Mapping[str, Any]) -> Entry:
    """The typed form of an entry in which nothing is wrong; defaults are filled in."""
    publisher, beacon = _agent_of(document["publisher"]), document.get("beacon")
    made = {
        "publisher": publisher,
        "creator": document.get("creator", publisher.name),
        "hdab": _agent_of(document["hdab"]) if "hdab" in document else publisher,
        "contact": Contact(**document["contact"]),
        "keywords": {language: tuple(words) for language, words in document["keywords"].items()},
        "countries": tuple(document["countries"]),
        "duo": tuple(document.get("duo", ())),
        "modified": document.get("modified", _date_of(document["dataset"])),
        "beacon": Beacon(**beacon) if beacon else None,
    }
    return Entry(**{**document, **made})


def check_entries(document: Mapping[str, Any], *, where: str) -> Iterator[Problem]:
    """What a JSON Schema cannot say of the entries of a configuration; nothing of one in which it finds something."""
    entries, nodes = document.get("catalogue"), document.get("nodes")
    if not isinstance(entries, Mapping) or not isinstance(nodes, Mapping):
        return
    names = [*nodes, FEDERATION]
    described: dict[str, str] = {}
    for name, entry in entries.items():
        place = f"{where} catalogue.{name}"
        if name not in names:
            found = f"there is no node {quoted(name)}"
            yield Problem(place, found, f"one of {', '.join(map(str, names))}", _REMEDY)
        if not check_document(entry, ENTRY, where=place):
            yield from _check_entry(entry, place)
            other = described.setdefault(entry["dataset"], name)
            if other != name:
                found = f"{entry['dataset']}, as catalogue.{other}.dataset"
                yield Problem(f"{place}.dataset", found, "a data set of its own for each entry", _REMEDY)


def _check_entry(entry: Mapping[str, Any], place: str) -> Iterator[Problem]:
    for key, date in {"dataset": _date_of(entry["dataset"]), "modified": entry.get("modified")}.items():
        if date and not _is_date(date):
            yield Problem(f"{place}.{key}", f"the date {date}", "a day of the calendar", _REMEDY)
    permissions = [code for code in entry.get("duo", ()) if code in ALLOWS]
    if "duo" in entry and len(permissions) != 1:
        found = " and ".join(permissions) or "no permission"
        yield Problem(f"{place}.duo", found, f"exactly one permission: one of {', '.join(ALLOWS)}", _REMEDY)
    if entry.get("min_age", 0) > entry.get("max_age", 150):
        found = f"min_age {entry['min_age']} above max_age {entry['max_age']}"
        yield Problem(place, found, "the lower age as min_age", _REMEDY)


def _agent_of(document: Mapping[str, Any]) -> Agent:
    return Agent(document["name"], document["page"], Contact(**document["contact"]))


def _date_of(dataset: str) -> str:
    digits = dataset.rpartition("-")[2]
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def _is_date(date: str) -> bool:
    year, month, day = map(int, date.split("-"))
    return year > 0 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
