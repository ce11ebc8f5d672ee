"""The build file: contigs that are counted, and pseudo-autosomal regions, as a JSON Schema."""

from typing import get_args

from tessera.genome.build import ContigKind
from tessera.schemas.document import Schema

#: the builds that come with the package
NAMED_BUILDS = ("GRCh37", "GRCh38")
#: positions are stored as 32-bit integers
LONGEST = 2**31 - 1
_REMEDY = "See config/README.md#key-build."


def _key(expected: str, **keywords: object) -> Schema:
    return {**keywords, "x-expected": expected, "x-remedy": _REMEDY}


def _mapping(example: str, optional: dict[str, Schema] | None = None, **properties: Schema) -> Schema:
    shape = {"type": "object", "additionalProperties": False, "required": list(properties)}
    return _key(f"a mapping such as {example}", **shape, properties=properties | (optional or {}))


_NAME = r"^[A-Za-z0-9._-]+\Z"
_DIGEST = r"^(SQ\.[A-Za-z0-9_-]{32}|[0-9a-f]{32})\Z"
_LETTERS = "letters, digits, '.', '_' and '-'"
_BASE = _key(f"a whole number from 0 to {LONGEST:,}", type="integer", minimum=0, maximum=LONGEST)
_SPAN = _key("[start, end), 0-based", type="array", minItems=2, maxItems=2, items=_BASE)

CONTIG = _mapping(
    "{name: chr1, kind: autosome, length: 248956422}",
    {
        "digests": _key(
            "a list of digests of the sequence",
            type="array",
            items=_key("SQ. and 32 letters (refget), or MD5 in 32 hexadecimal digits", type="string", pattern=_DIGEST),
        )
    },
    # a contig named 20 is a number to YAML
    name=_key(_LETTERS, type=["string", "integer"], pattern=_NAME, minimum=0),
    kind=_key(f"one of {', '.join(get_args(ContigKind))}", enum=list(get_args(ContigKind))),
    length=_key(f"a number of bases from 1 to {LONGEST:,}", type="integer", minimum=1, maximum=LONGEST),
)
PAR = _mapping(
    "{name: PAR1, x: [start, end], y: [start, end]}",
    name=_key(_LETTERS, type="string", pattern=_NAME),
    x=_SPAN,
    y=_SPAN,
)
SCHEMA: Schema = _key(
    "a mapping with name, contigs and par",
    type="object",
    additionalProperties=False,
    required=["name", "contigs"],
    properties={
        "name": _key(_LETTERS, type="string", pattern=_NAME),
        "contigs": _key("a list of at least one contig", type="array", minItems=1, items=CONTIG),
        "par": _key("a list of pseudo-autosomal regions", type=["array", "null"], items=PAR),
    },
)
