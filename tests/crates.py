"""RO-Crates as the validator of their profiles judges them, without a network: the contexts come out of a package.

The package `rocrate` holds the context of a later RO-Crate, which has all terms of 1.1; that of Workflow Run RO-Crate
is in none, so the one term that we take of it is told here.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

#: of 1.1; later ones name them otherwise
WORKFLOW_TERMS = {"ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow"}
RUN_TERMS = {"@context": {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}}


class Answer:
    """What a server would answer."""

    status_code = 200

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.headers = {"Content-Type": "application/ld+json"}

    def json(self) -> dict[str, Any]:
        """The document."""
        return self._document


def judge(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a crate breaks of what Workflow Run RO-Crate, and the profiles below it, say must be."""
    from rdflib.plugins.shared.jsonld import context
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    crate_terms = json.loads(files("rocrate.data").joinpath("ro-crate.jsonld").read_text())
    crate_terms["@context"] |= WORKFLOW_TERMS

    def known(iri: object) -> dict[str, Any]:
        return RUN_TERMS if "terms/workflow-run" in str(iri) else crate_terms

    monkeypatch.setattr(context, "source_to_json", lambda source, *_, **__: (known(source), None))
    monkeypatch.setattr(HttpRequester, "get", lambda _, iri, **__: Answer(known(iri)), raising=False)
    result = services.validate(
        services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="workflow-run-crate",
            requirement_severity=models.Severity.REQUIRED,
            offline=True,
        )
    )
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
