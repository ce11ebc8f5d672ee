"""The QC policy: which metrics a sample must meet to be counted, as rules an operator may change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tessera.errors import InputError, Problem
from tessera.schemas.document import Schema, check_document, quoted
from tessera.schemas.wgs_qc import METRICS as STANDARD_METRICS

#: metric -> unit and meaning; those of the GA4GH WGS QC standard, version 1, and our own
NUMERIC_METRICS = {name: (metric.unit, metric.meaning) for name, metric in STANDARD_METRICS.items()} | {
    "call_rate": (
        "fraction",
        "share of the callable bases or sites at which the sample has a believed genotype",
    ),
    "het_hom_ratio": ("ratio", "number of heterozygous genotypes by that of homozygous ALT ones"),
    "max_kinship": (
        "kinship",
        "highest kinship with anybody else of the node, of `tessera find-relatives`: 0.354 or more is the same person; "
        "both of a pair break the rule",
    ),
}
DECLARED_METRICS = {
    "sex_karyotype": ("", "karyotype seen in the depth of X and Y, against the sheet's"),
    "x_heterozygosity": (
        "fraction",
        "share of the SNVs on X that are heterozygous: 0.2 or more where the sheet's karyotype has two copies of X or "
        "more, less where it has one",
    ),
}
METRICS = NUMERIC_METRICS | DECLARED_METRICS

_NUMBER: Schema = {
    "type": "number",
    "x-expected": "a number",
    "x-remedy": "See config/README.md#qc-policy.",
}

SCHEMA: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "QC policy of Tessera",
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "rules"],
    "x-expected": "a mapping with version and rules",
    "properties": {
        "version": {
            "const": 1,
            "description": "Version of this file's shape.",
            "x-expected": "version: 1",
        },
        "rules": {
            "type": "array",
            "description": "A sample that breaks a rule is not counted, and listed under `qc:METRIC`.",
            "x-expected": "a list of rules",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["metric"],
                "x-expected": "a mapping such as {metric: call_rate, min: 0.95}",
                "properties": {
                    "metric": {
                        "enum": list(METRICS),
                        "description": "What is measured.",
                        "x-expected": f"one of {', '.join(METRICS)}",
                    },
                    "min": {**_NUMBER, "description": "Lowest value that is counted."},
                    "max": {**_NUMBER, "description": "Highest value that is counted."},
                    "equals": {
                        "const": "declared",
                        "description": "`declared`: as in the sample sheet, whose NA declares nothing.",
                        "x-expected": "equals: declared",
                    },
                    "source": {
                        "type": "string",
                        "description": "Where the threshold comes from.",
                        "x-expected": "text",
                    },
                },
            },
        },
    },
}


@dataclass(frozen=True)
class QcRule:
    """One metric and the bounds, both included, within which a sample is counted."""

    metric: str
    min: float | None = None
    max: float | None = None
    equals: str | None = None
    source: str = ""


@dataclass(frozen=True)
class QcPolicy:
    """The rules, one per metric at most."""

    rules: tuple[QcRule, ...]

    def asks_for(self, metric: str) -> bool:
        """Whether a rule is on that metric."""
        return any(rule.metric == metric for rule in self.rules)


def parse_policy(document: object, *, where: str) -> QcPolicy:
    """The policy of a YAML document. Raises InputError with every problem."""
    problems = check_document(document, SCHEMA, where=where)
    if problems:
        raise InputError(problems)
    assert isinstance(document, Mapping)
    rules: list[dict[str, Any]] = document["rules"]
    metrics = [rule["metric"] for rule in rules]
    for index, rule in enumerate(rules):
        problems += _check_rule(rule, metrics[:index], f"{where} rules[{index}]")
    if problems:
        raise InputError(problems)
    return QcPolicy(tuple(QcRule(**rule) for rule in rules))


def _check_rule(rule: Mapping[str, Any], earlier: list[str], where: str) -> list[Problem]:
    metric, remedy = rule["metric"], "See config/README.md#qc-policy."
    bounds = {key for key in ("min", "max", "equals") if key in rule}
    problems = []
    if metric in earlier:
        problems.append(Problem(where, f"a second rule for {quoted(metric)}", "one rule for a metric", remedy))
    if metric in NUMERIC_METRICS and (not bounds or "equals" in bounds):
        problems.append(Problem(where, f"{metric} without a bound it can have", "min, max or both", remedy))
    if metric in DECLARED_METRICS and bounds != {"equals"}:
        problems.append(Problem(where, f"{metric} without equals alone", "equals: declared", remedy))
    for bound in sorted(bounds - {"equals"}):
        if not math.isfinite(rule[bound]):
            problems.append(Problem(where, f"{bound} {rule[bound]}", "a finite number", remedy))
    if {"min", "max"} <= bounds and rule["min"] > rule["max"]:
        problems.append(Problem(where, f"min {rule['min']} above max {rule['max']}", "min <= max", remedy))
    return problems
