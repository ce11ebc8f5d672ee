"""Consent: which DUO codes permit that a person is counted in a release, and what to say when they do not."""

from collections.abc import Sequence

import polars as pl

from tessera.errors import Problem
from tessera.schemas.document import quoted
from tessera.schemas.samples import WITHDRAWN

#: no restriction; health, medical or biomedical research; general research use (Data Use Ontology)
PERMITTING = ("DUO:0000004", "DUO:0000006", "DUO:0000042")

#: every "data use permission" (DUO:0000001) of the ontology: those, disease specific research, and research on
#: population origins or ancestry alone. Its modifiers restrict a permission and permit nothing by themselves.
PERMISSIONS = (*PERMITTING, "DUO:0000007", "DUO:0000011")

#: of people for whom the sheet states nothing
NOT_STATED = "not stated"


def check_permitting(codes: Sequence[str], *, where: str) -> list[Problem]:
    """Codes by which nobody can permit anything, since they are no permission of the Data Use Ontology."""
    expected = f"a data use permission: one of {', '.join(PERMISSIONS)}"
    return [Problem(where, quoted(code), expected) for code in codes if code not in PERMISSIONS]


def consent_reason(permitting: Sequence[str] = PERMITTING) -> pl.Expr:
    """`withdrawn`, `consent`, or empty where a person's consent covers the release or none was stated."""
    consent = pl.col("consent")
    return (
        pl.when(consent == WITHDRAWN).then(pl.lit("withdrawn"))
        .when(consent.is_null() | consent.is_in(list(permitting))).then(pl.lit(""))
        .otherwise(pl.lit("consent"))
        .alias("reason")
    )  # fmt: skip
