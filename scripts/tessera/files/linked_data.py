"""Writing linked data, nodes in the shape of JSON-LD, as JSON-LD 1.1 and as Turtle: the same nodes, the same bytes.

A node has an `@id`, `@type` and properties, each a list of at least one value.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

Node = Mapping[str, Any]
#: escapes of Turtle's quoted strings (RDF 1.1 Turtle, section 6.4)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})


def json_ld(nodes: Iterable[Node], prefixes: Mapping[str, str]) -> str:
    """A JSON-LD document; nodes by IRI, keys and values in order."""
    graph = [{name: _sorted(values) for name, values in node.items()} for node in _by_iri(nodes)]
    document = {"@context": dict(prefixes), "@graph": graph}
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def turtle(nodes: Iterable[Node], prefixes: Mapping[str, str]) -> str:
    """A Turtle document; nodes by IRI, properties and values in order. IRIs need no escapes (see schemas)."""
    lines = [f"@prefix {name}: <{iri}> ." for name, iri in sorted(prefixes.items())]
    for node in _by_iri(nodes):
        facts = [("a", " , ".join(sorted(node["@type"])))]
        facts += [
            (name, " ,\n        ".join(map(_term, _sorted(node[name])))) for name in sorted(node) if name[0] != "@"
        ]
        body = " ;\n".join(f"    {name} {values}" for name, values in facts)
        lines.append(f"\n<{node['@id']}>\n{body} .")
    return "\n".join(lines) + "\n"


def _by_iri(nodes: Iterable[Node]) -> list[Node]:
    return sorted(nodes, key=lambda node: str(node["@id"]))


def _sorted(values: Any) -> Any:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True)) if isinstance(values, list) else values


def _term(value: Mapping[str, str]) -> str:
    if "@id" in value:
        return f"<{value['@id']}>"
    text = f'"{value["@value"].translate(_ESCAPES)}"'
    if "@language" in value:
        return f"{text}@{value['@language']}"
    return f"{text}^^{value['@type']}" if "@type" in value else text
