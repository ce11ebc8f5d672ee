"""The manifest of a bundle, which is signed: what a node says of the summary that it sends."""

from typing import Any

from tessera.errors import Problem
from tessera.schemas.consent import PERMISSIONS
from tessera.schemas.document import Schema, check_document

BUNDLE_VERSION = 1
#: what is sent to partners under an agreement: exact counts without a floor
POLICY = {"tier": "T1", "floor": 0}
#: a population is two or three capital letters, as countries and reference panels have them; no name of a person
STRATUM = r"[A-Z]{2,3}_[FMU]"
#: GA4GH's digest of a sequence collection
SEQCOL = r"[A-Za-z0-9_-]{32}"
#: and of a sequence
REFGET = rf"SQ\.{SEQCOL}"
#: a file of more does not fit a ustar header
LARGEST_MEMBER = 8 * 2**30 - 1
_REMEDY = "A bundle is made by tessera bundle pack; see docs/federation.md."


def _key(expected: str, description: str, **keywords: object) -> Schema:
    return {**keywords, "x-expected": expected, "x-remedy": _REMEDY, "description": description}


def _text(description: str, expected: str, pattern: str, *, null: bool = False) -> Schema:
    kinds = ["string", "null"] if null else "string"
    told = f"{expected}, or null" if null else expected
    return _key(told, description, type=kinds, pattern=rf"^(?:{pattern})\Z")


def _counts(description: str, expected: str, pattern: str) -> Schema:
    """A mapping of names to numbers of people."""
    number = _key("a number of people from 1", "", type="integer", minimum=1)
    names = _key(expected, "", pattern=rf"^(?:{pattern})\Z") | {"x-found": "the name"}
    shape = {"type": "object", "additionalProperties": number, "propertyNames": names}
    return _key(f"numbers of people by {expected}", description, **shape)


def _mapping(description: str, properties: dict[str, Schema]) -> Schema:
    shape = {"type": "object", "additionalProperties": False, "required": list(properties), "properties": properties}
    return _key(f"a mapping with {', '.join(properties)}", description, **shape)


NODE = _text(
    "Name of the node.",
    "a name of lower-case letters, digits and '-', the first a letter, at most 32",
    "[a-z][a-z0-9-]{0,31}",
)
DATASET = _text(
    "Id of the data set in the Genome of Europe or GDI; null where it has none.",
    "a data set such as GOE-EE-UT-20260301120000000",
    r"(GOE|GDI)-[A-Z]{2}-[A-Z0-9]{1,16}-[0-9]{17}",
    null=True,
)
_MEMBER = _mapping(
    "",
    {
        "sha256": _text("Digest of the file.", "64 hexadecimal digits", "[0-9a-f]{64}"),
        "bytes": _key(
            "a number of bytes below 8 GiB", "Size of the file.", type="integer", minimum=1, maximum=LARGEST_MEMBER
        ),
    },
)
#: parts of a name between slashes begin with no dot: no name leads out of the folder, or is hidden
_MEMBER_NAME = _key(
    "the name of a file of a summary", "", pattern=r"^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*\Z"
) | {"x-found": "the name", "maxLength": 90}
DIGEST = _text("Digest of the summary's manifest.", "sha256: and 64 digits", "sha256:[0-9a-f]{64}")
_PEOPLE = _key("a number of people from 1", "People counted.", type="integer", minimum=1)
SOURCES = _key(
    "a list of sources", "The nodes' summaries that are in it.", type="array",
    items=_mapping("", {"node": NODE, "dataset": DATASET, "digest": DIGEST, "people": _PEOPLE}),
)  # fmt: skip
SCHEMA = _mapping(
    "A bundle's manifest.",
    {
        "schema": _key(f"version {BUNDLE_VERSION}", "Version of this table.", const=BUNDLE_VERSION),
        "node": NODE,
        "dataset": DATASET,
        "reference": _text("GA4GH seqcol digest of the reference; null where none was at hand.",
                           "32 letters and digits", SEQCOL, null=True),
        "fingerprint": _text("That of the rules of counting.", "sha256: and 64 digits", "sha256:[0-9a-f]{64}"),
        "strata": _counts("Leaf stratum -> N, people counted.", "a leaf stratum such as EE_F", STRATUM),
        "an_basis": _counts("How bases without variants are known -> people.", "gvcf, declared or variant_only",
                            "gvcf|declared|variant_only"),
        "duo": _counts("Consent as a DUO code -> people.", "a DUO permission, or not stated",
                       "|".join((*PERMISSIONS, "not stated"))),
        "sources": SOURCES,
        "policy": _key("tier T1 and floor 0", "Exact counts for partners; nothing was suppressed.", const=POLICY),
        "members": _key("the files of the summary", "File -> its digest and size.", type="object",
                        additionalProperties=_MEMBER, propertyNames=_MEMBER_NAME, required=["manifest.json"]),
    },
)  # fmt: skip


def check_sources(document: Any, *, where: str) -> list[Problem]:
    """Everything in a lineage that may not be there."""
    return check_document(document, SOURCES, where=where)


def check_bundle_manifest(document: Any, *, where: str) -> list[Problem]:
    """Everything in a bundle's manifest that may not be there."""
    return check_document(document, SCHEMA, where=where)
