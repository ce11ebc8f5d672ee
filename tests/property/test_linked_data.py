"""Whatever an operator writes, Turtle and JSON-LD say the same and say it as it was written, by rdflib's parsers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rdflib import Graph, Literal, URIRef
from rdflib.compare import isomorphic

from catalogued import entry
from tessera.files.linked_data import json_ld, turtle
from tessera.schemas.catalogue import ENTRY
from tessera.schemas.document import check_document

PREFIXES = {"dct": "http://purl.org/dc/terms/", "xsd": "http://www.w3.org/2001/XMLSchema#"}
TITLE = URIRef("http://purl.org/dc/terms/title")
TEXTS = st.text() | st.text(st.sampled_from("a\"\\'\n\r\t<>{}@^.;é\u2028😀 "), max_size=12)
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")


def sound(**keys: Any) -> bool:
    return check_document(entry(**keys), ENTRY, where="") == []


@given(texts=st.lists(TEXTS, min_size=1, max_size=3), address=st.text(max_size=8).map("https://node.example/".__add__))
def test_texts_and_addresses_that_are_accepted_arrive_as_they_were_written(texts: list[str], address: str) -> None:
    assume(sound(terms=address) and all(sound(description={"en": text}) for text in texts))
    titles = [{"@value": text, "@language": "en"} for text in texts]
    node = {"@id": address, "@type": ["dct:Standard"], "dct:title": titles, "dct:relation": [{"@id": address}]}
    first, second = turtle([node], PREFIXES), json_ld([node], PREFIXES)
    read = Graph().parse(data=first, format="turtle")
    assert set(read.objects(URIRef(address), TITLE)) == {Literal(text, lang="en") for text in texts}
    assert isomorphic(read, Graph().parse(data=second, format="json-ld"))
    again = {**dict(reversed(node.items())), "dct:title": titles[::-1]}
    assert (turtle([again], PREFIXES), json_ld([again], PREFIXES)) == (first, second)


@pytest.mark.parametrize("odd", ["half \ud800", "bell \x07", "nul \x00", " ", "\n"])
def test_what_no_text_is_made_of_is_refused(odd: str) -> None:
    assert not sound(description={"en": odd})
    assert not sound(creator=odd)
    assert not sound(terms=f"https://node.example/{odd}")
