"""Data use of a data set: the permissions of the Data Use Ontology, which allows which, and its modifiers."""

from collections.abc import Iterable

#: permission -> what it allows a data set to be declared as, broadest first: no restriction allows everything, general
#: research all research, and health research does not allow research on ancestry
ALLOWS = {
    "DUO:0000004": ("DUO:0000004", "DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011"),
    "DUO:0000042": ("DUO:0000042", "DUO:0000006", "DUO:0000007", "DUO:0000011"),
    "DUO:0000006": ("DUO:0000006", "DUO:0000007"),
    "DUO:0000007": ("DUO:0000007",),
    "DUO:0000011": ("DUO:0000011",),
}
#: every "data use modifier" (DUO:0000017) of the ontology
MODIFIERS = tuple(
    f"DUO:00000{number}"
    for number in (12, 15, 16, 18, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 43, 44, 45, 46)
)  # fmt: skip
#: where the ontology defines a code
OBO = "http://purl.obolibrary.org/obo/"


def broadest_allowed(consents: Iterable[str]) -> str | None:
    """The broadest permission that everybody's consent allows; None where there is no such, or nobody's is known."""
    allowed = [ALLOWS.get(code, ()) for code in consents]
    return next((code for code in ALLOWS["DUO:0000004"] if allowed and all(code in each for each in allowed)), None)


def code_iri(code: str) -> str:
    """The IRI of a code such as DUO:0000042."""
    return f"{OBO}{code.replace(':', '_')}"
