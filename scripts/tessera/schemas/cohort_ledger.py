"""The ledger of a cohort that grows and shrinks, and the receipt of a withdrawal, as JSON Schemas."""

from collections.abc import Mapping
from typing import Any

from tessera.errors import Problem
from tessera.schemas.document import Schema, check_document, quoted
from tessera.schemas.samples import KARYOTYPES, NAME_PATTERN
from tessera.schemas.wgs_qc import METRICS

LEDGER_VERSION = RECEIPT_VERSION = 1
_REMEDY = "A ledger is written by tessera cohort alone: take a copy that is whole."


def _key(expected: str, description: str, **keywords: object) -> Schema:
    return {**keywords, "x-expected": expected, "x-remedy": _REMEDY, "description": description}


def _text(description: str, expected: str = "text", **keywords: object) -> Schema:
    return _key(expected, description, type="string", **keywords)


def _mapping(
    description: str, properties: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    known = {**properties, **(optional or {})}
    shape = {"type": "object", "additionalProperties": False, "required": list(properties), "properties": known}
    return _key(f"a mapping with {', '.join(known)}", description, **shape)


def _list(description: str, items: Schema, **keywords: object) -> Schema:
    return _key("a list", description, type="array", items=items, **keywords)


def _number(description: str, minimum: int = 0) -> Schema:
    return _key(f"a whole number from {minimum}", description, type="integer", minimum=minimum)


def _digest(description: str) -> Schema:
    return _text(description, "sha256: and 64 digits", pattern=r"^sha256:[0-9a-f]{64}\Z")


def _or_null(schema: Schema) -> Schema:
    return schema | {"type": [schema["type"], "null"], "x-expected": f"{schema['x-expected']}, or null"}


def _time(description: str) -> Schema:
    return _text(description, "a time such as 2026-03-01T12:00:00Z", pattern=r"^\d{4}(-\d\d){2}T\d\d(:\d\d){2}Z\Z")


def _sample(description: str) -> Schema:
    return _text(description, "the name of a sample", pattern=NAME_PATTERN)


PARTIAL = _mapping(
    "A folder of `partials`.",
    {
        "name": _text("Name of the folder.", "the number of the line", pattern=r"^[0-9]{6,}(-[0-9]+)?\Z"),
        "digest": _digest("Digest of its manifest, which names the digest of every other file."),
    },
)
_FILE = {
    "path": _text("Where the file lay, links followed."),
    "digest": _digest("Digest of its bytes."),
}
SOURCE = _mapping(
    "A file that people were counted from.",
    {
        **_FILE,
        "bytes": _number("Its size."),
        "callable": _or_null(_mapping("The BED of its callable regions (`--callable`).", _FILE)),
    },
)
PERSON = _mapping(
    "One who came in, by the facts that counted.",
    {
        "sample": _sample("Name of the sample."),
        "sex": _key(f"one of {', '.join(KARYOTYPES)}", "Sex karyotype.", enum=list(KARYOTYPES)),
        "stratum": _text("Leaf stratum."),
        "consent": _or_null(_text("DUO code; null where not stated.")),
        "reason": _text("Why the person is not counted; empty for who is."),
        "source": _number("Number of the file among `sources`, from 0."),
        "tables": _or_null(
            _digest("Digest of the person's own tables; null where a cohort file was counted as a whole.")
        ),
    },
    optional={
        "metrics": _mapping(
            "What was measured of the person, as whole numbers: 30.02 of two decimals is 3002; absent where nothing.",
            {},
            {name: _number(f"{metric.unit}, times {10**metric.decimals:,}.") for name, metric in METRICS.items()},
        )
        | {"x-expected": "a mapping of metrics"}
    },
)
_TOUCHED = {
    "rows": _mapping(
        "Rows of the person's own summary; what they hold was taken out of the cohort's.",
        {
            "variants": _number("Rows of the leaf table."),
            "an_track": _number("Runs of the AN track."),
            "histograms": _number("Bins of histograms."),
        },
    ),
    "counts": _number("Numbers above zero in those rows."),
}
WITHDRAWN_PERSON = _mapping(
    "One who was taken out.",
    {
        "sample": _sample("Name of the sample."),
        "partial": PARTIAL | {"description": "The person's own counts, which are taken out of the sum."},
        **_TOUCHED,
    },
)

#: event -> what its line holds beside ENVELOPE
EVENTS: dict[str, dict[str, Schema]] = {
    "init": {
        "schema": _key(str(LEDGER_VERSION), "Version of the ledger's shape.", const=LEDGER_VERSION),
        "reference": _or_null(_text("The reference FASTA; null where alleles are taken as written.")),
        "mask": _text("The mask that was asked for, as an argument of tessera count."),
        "fingerprint": _digest("Of the rules by which everybody is counted."),
        "partial": PARTIAL | {"description": "The summary of nobody, which holds the rules."},
    },
    "add": {
        "partial": PARTIAL | {"description": "The sum of the batch."},
        "sources": _list("The files of the batch.", SOURCE),
        "people": _list("Who came in.", PERSON, minItems=1),
        "reconsented": _list("Who had withdrawn before and consented again.", _sample("Name of the sample.")),
    },
    "withdraw": {"people": _list("Who was taken out.", WITHDRAWN_PERSON, minItems=1)},
    "release": {
        "out": _text("Where the summary was written, links followed."),
        "digest": _digest("Digest of its manifest."),
        "counted": _number("People counted in it; who they are follows from the lines before."),
    },
}
ENVELOPE: dict[str, Schema] = {
    "line": _number("Number of the line.", 1),
    "previous": _or_null(_digest("Digest of the line before, without its line end; null in the first.")),
    "at": _time("When, in UTC."),
    "tessera": _text("Version of the command."),
    "event": _key(f"one of {', '.join(EVENTS)}", "What happened.", enum=list(EVENTS)),
}
LINES = {event: _mapping(f"A line of `{event}`.", ENVELOPE | keys) for event, keys in EVENTS.items()}

RELEASE = _mapping(
    "A release that holds the person.",
    {
        "line": _number("Number of its line in the ledger.", 1),
        "at": _time("When it was made, in UTC."),
        **{key: EVENTS["release"][key] for key in ("out", "digest")},
    },
)
RECEIPT = _mapping(
    "The receipt of one person's withdrawal.",
    {
        "schema": _key(str(RECEIPT_VERSION), "Version of the receipt's shape.", const=RECEIPT_VERSION),
        "sample": _sample("Name of the sample."),
        "added": _time("When the person came in, in UTC."),
        "withdrawn": _time("When the person was taken out, in UTC."),
        "line": _number("Number of the withdrawal's line in the ledger.", 1),
        "digest": _digest("Digest of that line: a ledger without such a line was altered or cut."),
        **_TOUCHED,
        "still_in": _list("Releases made while the person was in. Who has them must be told.", RELEASE),
    },
)


def check_line(document: object, *, where: str) -> list[Problem]:
    """Everything in a line of the ledger that its event's schema refuses."""
    event = document.get("event") if isinstance(document, dict) else None
    if not isinstance(event, str) or event not in LINES:
        found = f"event {quoted(event)}" if event is not None else "no event"
        return [Problem(where, found, ENVELOPE["event"]["x-expected"], _REMEDY)]
    return check_document(document, LINES[event], where=where)


def check_receipt(document: Any, *, where: str) -> list[Problem]:
    """Everything in a receipt that its schema refuses."""
    return check_document(document, RECEIPT, where=where)
