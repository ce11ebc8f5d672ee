"""What an operator says of a data set, and the shapes by which others judge records of it.

The shapes are those of GDI and of HealthDCAT-AP as they are published, with what keeps an engine from reading them put
right: a prefix that is missing, a shape of DCAT-AP that is only named, and an `sh:or` that stands as a property.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from pyshacl import validate
from rdflib import RDF, Graph, Literal, Namespace, URIRef

SH = Namespace("http://www.w3.org/ns/shacl#")
DATASET = "GOE-EE-UT-20260301120000000"
_OFFICE = {
    "name": "Data access office",
    "email": "access@institute.example",
    "page": "https://institute.example/access",
}
ENTRY: dict[str, Any] = {
    "dataset": DATASET,
    "base": "https://node.example/fairdp",
    "title": {"en": "Allele counts of the example node", "et": "Näidissõlme alleelide arvud"},
    "description": {"en": 'Counts of "alleles"\nby population and sex, C:\\ and all.'},
    "keywords": {"en": ["allele frequency", "Genome of Europe"]},
    "publisher": {"name": "Example Institute", "page": "https://institute.example", "contact": _OFFICE},
    "contact": {"name": "Data desk", "email": "desk@institute.example"},
    "access_rights": "PUBLIC",
    "access_url": "https://node.example/data",
    "licence": "https://creativecommons.org/licenses/by/4.0/",
    "terms": "https://node.example/participation-rules",
    "countries": ["EST"],
    "coverage": {"en": "Adults of the general population."},
}
MORE: dict[str, Any] = {
    "creator": "Example Laboratory",
    "hdab": {"name": "Example Access Body", "page": "https://hdab.example", "contact": {**_OFFICE, "name": "Permits"}},
    "duo": ["DUO:0000007", "DUO:0000045", "DUO:0000021"],
    "legal_basis": "Consent",
    "modified": "2026-04-30",
    "min_age": 18,
    "max_age": 90,
    "synthetic": True,
    "beacon": {
        "id": "example.node.beacon",
        "name": "Example Beacon",
        "url": "https://node.example/beacon",
        "api_version": "v2.1.0",
        "environment": "test",
    },
}


#: what DCAT-AP 3.0, on which HealthDCAT-AP stands, asks of the classes that we write
BASE = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
[] a sh:NodeShape ; sh:targetClass dcat:Dataset ;
   sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
               [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
               [ sh:path dct:publisher ; sh:maxCount 1 ; sh:class foaf:Agent ] ,
               [ sh:path dct:creator ; sh:class foaf:Agent ] ,
               [ sh:path dct:issued ; sh:maxCount 1 ; sh:datatype xsd:date ] ,
               [ sh:path dct:modified ; sh:maxCount 1 ; sh:datatype xsd:date ] ,
               [ sh:path dct:provenance ; sh:class dct:ProvenanceStatement ] ,
               [ sh:path dcat:distribution ; sh:class dcat:Distribution ] .
[] a sh:NodeShape ; sh:targetClass dcat:Distribution ;
   sh:property [ sh:path dcat:accessURL ; sh:minCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
               [ sh:path dct:license ; sh:maxCount 1 ; sh:class dct:LicenseDocument ] ,
               [ sh:path dct:rights ; sh:maxCount 1 ; sh:class dct:RightsStatement ] ,
               [ sh:path dcat:accessService ; sh:class dcat:DataService ] .
[] a sh:NodeShape ; sh:targetClass foaf:Agent ;
   sh:property [ sh:path foaf:name ; sh:minCount 1 ; sh:nodeKind sh:Literal ] .
[] a sh:NodeShape ; sh:targetClass dcat:DataService ;
   sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
               [ sh:path dcat:endpointURL ; sh:minCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] .
"""
#: what HealthDCAT-AP asks of data that are not public, besides
OTHER = """
[] a sh:NodeShape ; sh:targetClass dcat:Dataset ;
   sh:property [ sh:path dcat:contactPoint ; sh:minCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
               [ sh:path dcat:keyword ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
               [ sh:path dct:type ; sh:minCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] ,
               [ sh:path dct:provenance ; sh:minCount 1 ; sh:nodeKind sh:BlankNodeOrIRI ] .
"""


def entry(**changed: Any) -> dict[str, Any]:
    """The entry, changed; None takes a key away."""
    whole = copy.deepcopy(ENTRY) | changed
    return {key: value for key, value in whole.items() if value is not None}


def write_config(folder: Path, described: dict[str, Any], name: str = "alder", **keys: Any) -> Path:
    """A configuration with one node and one entry."""
    root = Path(__file__).parents[1]
    document = {
        "build": "GRCh38",
        "assume_normalised": True,
        "qc_policy": str(root / "config" / "policies" / "qc.yaml"),
        "nodes": {"alder": {"samples": "samples.tsv"}},
        "catalogue": {name: described},
        **keys,
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path


def gdi_shapes(schemas: Path) -> Graph:
    """GDI's shapes, metadata 1.1."""
    shapes = Graph()
    for path in sorted((schemas / "gdi-metadata-shacl").glob("*.ttl")):
        shapes.parse(data="@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n" + path.read_text(), format="turtle")
    assert len(list(shapes.subjects(RDF.type, SH.NodeShape))) >= 8
    return _readable(shapes)


def health_shapes(schemas: Path, access_rights: str) -> Graph:
    """HealthDCAT-AP release 8: its shapes of public data, those below them, and what other data need besides."""
    text = (schemas / "healthdcat-ap-r8" / "public-shapes.ttl").read_text()
    shapes = Graph().parse(data=text.replace("access-right/PUBLIC", f"access-right/{access_rights}"), format="turtle")
    shapes += Graph().parse(data=BASE + (OTHER if access_rights != "PUBLIC" else ""), format="turtle")
    return _readable(shapes)


def _readable(shapes: Graph) -> Graph:
    for shape, part in list(shapes.subject_objects(SH.property)):
        if (part, SH.path, None) not in shapes and isinstance(part, URIRef) is False:
            shapes.remove((shape, SH.property, part))
            shapes.add((shape, SH.node, part))
            shapes.add((part, RDF.type, SH.NodeShape))
    for named in set(shapes.objects(None, SH.node)):
        if (named, None, None) not in shapes:
            shapes.add((named, RDF.type, SH.NodeShape))
    return shapes


def violated(record: Graph, shapes: Graph) -> set[str]:
    """The properties of which a shape says that they are not as they should be."""
    conforms, report, _ = validate(record, shacl_graph=shapes, do_owl_imports=False)
    paths = {str(path) for path in report.objects(None, SH.resultPath)}
    assert conforms is ((None, SH.conforms, Literal(True)) in report)
    assert conforms or (None, RDF.type, SH.ValidationResult) in report
    return set() if conforms else paths or {"a node"}
