"""Consent: which DUO codes permit that a person is counted in a release, and what to say when they do not."""

from collections.abc import Sequence

import polars as pl

from tessera.schemas.samples import WITHDRAWN

#: no restriction; health, medical or biomedical research; general research use (Data Use Ontology)
PERMITTING = ("DUO:0000004", "DUO:0000006", "DUO:0000042")


def consent_reason(permitting: Sequence[str] = PERMITTING) -> pl.Expr:
    """`withdrawn`, `consent`, or empty where a person's consent covers the release or none was stated."""
    consent = pl.col("consent")
    return (
        pl.when(consent == WITHDRAWN).then(pl.lit("withdrawn"))
        .when(consent.is_null() | consent.is_in(list(permitting))).then(pl.lit(""))
        .otherwise(pl.lit("consent"))
        .alias("reason")
    )  # fmt: skip
