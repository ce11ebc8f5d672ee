"""Catalogue records of a data set: DCAT in the profile of GDI, and in HealthDCAT-AP release 8.

A record is a list of nodes in the shape of JSON-LD 1.1: `@id` and `@type`, and properties with lists of values. Every
node has an IRI of its own, so that the same record always is the same text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from tessera.errors import Problem
from tessera.schemas.catalogue import Agent, Contact, Entry
from tessera.schemas.data_use import ALLOWS, broadest_allowed, code_iri
from tessera.schemas.variants import VARIANTS
from tessera.summary.manifest import Manifest

Value = Mapping[str, str]
Node = dict[str, Any]

PREFIXES = {
    "csvw": "http://www.w3.org/ns/csvw#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
#: tables of the Publications Office, and the regulation on the European Health Data Space
_AUTHORITY = "http://publications.europa.eu/resource/authority"
EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
#: populations of fewer people are not named in a record
FEWEST_NAMED = 10


@dataclass(frozen=True)
class Profile:
    """What a profile says its own way: the category of human genomes, the types of counts and of invented ones."""

    health_category: str
    types: tuple[str, ...]
    synthetic: tuple[str, ...]


PROFILES = {
    # GDI's shapes spell its only type with https
    "gdi": Profile(
        "http://data.gdi.eu/core/p2/HealthCategoryHumanGenomic",
        (),
        (f"{_AUTHORITY.replace('http:', 'https:')}/dataset-type/SYNTHETIC_DATA",),
    ),
    "healthdcat-ap": Profile(
        "https://hdeu-dcat.data.health.europa.eu/resource/authority/healthcategories/HGPD",
        (f"{_AUTHORITY}/dataset-type/STATISTICAL",),
        (f"{_AUTHORITY}/dataset-type/STATISTICAL", f"{_AUTHORITY}/dataset-type/SYNTHETIC_DATA"),
    ),
}


def check_use(entry: Entry, manifest: Manifest, *, where: str) -> Iterator[Problem]:
    """Why the data use of an entry cannot be said of the people of a summary."""
    place, consents = f"{where}.duo", manifest.consent
    if not entry.duo:
        if broadest_allowed(consents) is None:
            found = f"not given, and no permission follows from {_people_by(consents) or 'a summary of nobody'}"
            yield Problem(place, found, "a data use that the consent of everybody allows", "Say it by duo.")
        return
    (permission,) = (code for code in entry.duo if code in ALLOWS)
    broken = {code: n for code, n in consents.items() if code in ALLOWS and permission not in ALLOWS[code]}
    if broken:
        found = f"{permission}, which the consent of {_people_by(broken)} does not allow"
        yield Problem(place, found, "a data use that the consent of everybody allows", "Say a narrower one.")


def catalogue_record(entry: Entry, manifest: Manifest, records: int, profile: Profile) -> list[Node]:
    """The nodes of a data set's record; `records` is the number of variants that somebody carries.

    Sources: W3C DCAT 3, DCAT-AP 3.0, HealthDCAT-AP release 8, GDI metadata 1.1. Of the data use, for which the two
    profiles have no property, DCAT's `odrl:hasPolicy` tells.
    """
    dataset = f"{entry.base}/dataset/{entry.dataset}"
    agents = _agents(entry, dataset)
    return [
        _dataset(entry, manifest, records, profile, dataset, agents),
        *_distribution(entry, dataset),
        *agents.values(),
        *_contact_nodes(entry.contact, f"{dataset}#contact"),
        *(node for name, agent in _organisations(entry).items()
          for node in _contact_nodes(agent.contact, f"{dataset}#{name}-contact")),
        _node(f"{dataset}#provenance", "dct:ProvenanceStatement", {"rdfs:label": [_english(_provenance(manifest))]}),
        *_variables(dataset),
    ]  # fmt: skip


def _dataset(
    entry: Entry, manifest: Manifest, records: int, profile: Profile, dataset: str, agents: Mapping[str, Node]
) -> Node:
    people = sum(manifest.people.values())
    use = entry.duo or filter(None, [broadest_allowed(manifest.consent)])
    ages = {"healthdcatap:minTypicalAge": entry.min_age, "healthdcatap:maxTypicalAge": entry.max_age}
    facts: dict[str, list[Value]] = {
        "dct:identifier": [_plain(entry.dataset)],
        "dct:title": _in_languages(entry.title),
        "dct:description": _in_languages(entry.description),
        "dcat:keyword": [_said(word, language) for language, words in entry.keywords.items() for word in words],
        "dct:issued": [_typed(entry.issued, "xsd:date")],
        "dct:modified": [_typed(entry.modified, "xsd:date")],
        "dct:publisher": [_link(agents["publisher"]["@id"])],
        "dct:creator": [_link(agents.get("creator", agents["publisher"])["@id"])],
        "healthdcatap:hdab": [_link(agents.get("hdab", agents["publisher"])["@id"])],
        "dcat:contactPoint": [_link(f"{dataset}#contact")],
        "dct:accessRights": [_link(f"{_AUTHORITY}/access-right/{entry.access_rights}")],
        "dcatap:applicableLegislation": [_link(EHDS)],
        "odrl:hasPolicy": [_link(code_iri(code)) for code in use],
        "dcat:theme": [_link(f"{_AUTHORITY}/data-theme/HEAL")],
        "dct:type": [_link(kind) for kind in (profile.synthetic if entry.synthetic else profile.types)],
        "dct:spatial": [_link(f"{_AUTHORITY}/country/{country}") for country in entry.countries],
        "dpv:hasLegalBasis": [_link(f"{PREFIXES['dpv']}{entry.legal_basis}")] if entry.legal_basis else [],
        "healthdcatap:healthCategory": [_link(profile.health_category)],
        "healthdcatap:numberOfRecords": [_count(records)],
        "healthdcatap:numberOfUniqueIndividuals": [_count(people)],
        "healthdcatap:populationCoverage": [*_in_languages(entry.coverage), _english(population_coverage(manifest))],
        **{name: [_count(age)] for name, age in ages.items() if age is not None},
        "healthdcatap:hasStructuredData": [_typed("true", "xsd:boolean")],
        "healthdcatap:hasVariables": [_link(f"{dataset}#variables")],
        "dct:provenance": [_link(f"{dataset}#provenance")],
        "dcat:distribution": [_link(f"{entry.base}/distribution/{entry.dataset}")],
    }
    return _node(dataset, "dcat:Dataset", facts)


def population_coverage(manifest: Manifest) -> str:
    """How many people of which populations a summary counts; populations of few people are not named."""
    people: dict[str, int] = {}
    for stratum, n in sorted(manifest.people.items()):
        population = stratum.rpartition("_")[0]
        people[population] = people.get(population, 0) + n
    named = [f"{n:,} of {population}" for population, n in people.items() if n >= FEWEST_NAMED]
    few = sum(n for n in people.values() if n < FEWEST_NAMED)
    if few:
        named.append(f"{few:,} of populations of fewer than {FEWEST_NAMED} people")
    return f"{sum(people.values()):,} people are counted: {', '.join(named) or 'nobody'}."


def _provenance(manifest: Manifest) -> str:
    """By which rules, and on what reference, people were counted."""
    reference, build = manifest.rules["reference"], manifest.rules["build"]["name"]
    on = f"{build}, GA4GH sequence collection {reference}" if reference else f"{build}, no sequence at hand"
    exact = "exact" if manifest.is_exact else "an interval"
    return (
        f"Allele counts by Tessera, on {on}; rules of counting {manifest.fingerprint}; AN is {exact}. "
        f"Bases without a variant are known by {_people_by(manifest.an_basis) or 'nobody'}."
    )


def _distribution(entry: Entry, dataset: str) -> Iterator[Node]:
    identifier = f"{entry.base}/distribution/{entry.dataset}"
    service = f"{entry.base}/service/{entry.dataset}"
    facts = {
        "dct:title": _in_languages(entry.title),
        "dcat:accessURL": [_link(entry.access_url)],
        "dcatap:applicableLegislation": [_link(EHDS)],
        "dct:license": [_link(entry.licence)],
        "dct:rights": [_link(entry.terms)],
        "dcat:accessService": [_link(service)] if entry.beacon else [],
    }
    yield _node(identifier, "dcat:Distribution", facts)
    yield _node(entry.licence, "dct:LicenseDocument", {})
    yield _node(entry.terms, "dct:RightsStatement", {})
    if entry.beacon:
        served = {
            "dct:title": [_plain(entry.beacon.name)],
            "dcat:endpointURL": [_link(entry.beacon.url)],
            "dcat:servesDataset": [_link(dataset)],
        }
        yield _node(service, "dcat:DataService", served)


def _organisations(entry: Entry) -> dict[str, Agent]:
    """The publisher, and the health data access body where it is another."""
    return {"publisher": entry.publisher} | ({"hdab": entry.hdab} if entry.hdab != entry.publisher else {})


def _agents(entry: Entry, dataset: str) -> dict[str, Node]:
    found = {}
    for name, agent in _organisations(entry).items():
        # GDI takes the contact of an agent by the one property, HealthDCAT-AP by the other
        contact = f"{dataset}#{name}-contact"
        facts = {
            "foaf:name": [_plain(agent.name)],
            "foaf:homepage": [_link(agent.page)],
            "dcat:contactPoint": [_link(contact)],
            "cv:contactPoint": [_link(f"{contact}-point")],
        }
        found[name] = _node(f"{dataset}#{name}", "foaf:Agent", facts)
    if entry.creator != entry.publisher.name:
        found["creator"] = _node(f"{dataset}#creator", "foaf:Agent", {"foaf:name": [_plain(entry.creator)]})
    return found


def _contact_nodes(contact: Contact, identifier: str) -> Iterator[Node]:
    page = [_link(contact.page)] if contact.page else []
    card = {"vcard:fn": [_plain(contact.name)], "vcard:hasEmail": [_link(f"mailto:{contact.email}")]}
    yield _node(identifier, "vcard:Kind", card | {"vcard:hasURL": page})
    if not identifier.endswith("#contact"):
        point = {"cv:email": [_plain(contact.email)], "cv:contactPage": page}
        yield _node(f"{identifier}-point", "cv:ContactPoint", point)


def _variables(dataset: str) -> Iterator[Node]:
    """The columns of the leaf table, as CSV on the Web describes a table."""
    title = [_english("Allele counts by variant and stratum")]
    table, columns = f"{dataset}#table", {c.name: f"{dataset}#column-{c.name}" for c in VARIANTS.columns}
    yield _node(f"{dataset}#variables", "csvw:TableGroup", {"dct:title": title, "csvw:table": [_link(table)]})
    yield _node(table, "csvw:Table", {"dct:title": title, "csvw:column": [_link(iri) for iri in columns.values()]})
    for column in VARIANTS.columns:
        facts = {
            "csvw:name": [_plain(column.name)],
            "csvw:title": [_plain(column.name)],
            "dct:description": [_english(column.doc)],
            "csvw:datatype": [_plain("string" if column.dtype == pl.String else "integer")],
        }
        yield _node(columns[column.name], "csvw:Column", facts)


def _people_by(counts: Mapping[str, int]) -> str:
    words = {True: "person", False: "people"}
    return ", ".join(f"{name} ({n:,} {words[n == 1]})" for name, n in sorted(counts.items()))


def _node(identifier: str, kind: str, facts: Mapping[str, list[Value]]) -> Node:
    """A node; properties without a value are left out."""
    return {"@id": identifier, "@type": [kind]} | {name: values for name, values in facts.items() if values}


def _link(iri: str) -> Value:
    return {"@id": iri}


def _plain(text: str) -> Value:
    return {"@value": text}


def _said(text: str, language: str) -> Value:
    return {"@value": text, "@language": language}


def _english(text: str) -> Value:
    return _said(text, "en")


def _in_languages(texts: Mapping[str, str]) -> list[Value]:
    return [_said(text, language) for language, text in texts.items()]


def _typed(text: str, datatype: str) -> Value:
    return {"@value": text, "@type": datatype}


def _count(number: int) -> Value:
    return _typed(str(number), "xsd:nonNegativeInteger")
