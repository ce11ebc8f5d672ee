"""The manifest: what a summary is about, in numbers that add up, and the rules it was counted by."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import rfc8785

from tessera.errors import InputError, Problem
from tessera.schemas.qc_sums import QC_SUMS
from tessera.summary.algebra import add_counts
from tessera.summary.blocks import TABLES
from tessera.summary.spelling import commonly_spelt, contig_names

SCHEMA_VERSION = 1
#: letters of a GA4GH digest (base64url)
SEQCOL = r"[A-Za-z0-9_-]+"
RECOUNT = "Summaries add up only when counted by the same rules on the same reference: recount one of them."
#: rule -> what makes two summaries agree in it
REMEDIES = {
    "rules.mask.": "Recount one of them with the thresholds of the other (mask:, --mask).",
    "rules.sequences": "The bases differ: recount one of them on the reference of the other.",
    "rules.reference": "Recount one of them on the reference of the other; contigs that are only spelt otherwise are "
    "joined where all have the digests of their sequences, which a count with a reference writes.",
    "rules.normalisation": "Variants that nobody left-aligned do not add up with those that are: recount one of them "
    "with the reference (reference:, --reference).",
    "rules.build.par": "Men would have one copy and two: recount one of them with the build of the other.",
    "rules.histogram_edges": "Recount one of them with the version of tessera that counted the other.",
}


@dataclass(frozen=True)
class Manifest:
    """Counts of people and carriers, each a sum over people; `rules` are what must agree before a merge.

    people: stratum -> people counted. an_basis: how bases without variants are known (gvcf, declared,
    variant_only) -> people. consent: code -> people counted. not_counted: reason -> people.
    ledger: the conservation ledger; carriers (people x alleles) in, counted and dropped by reason.
    """

    rules: Mapping[str, Any]
    people: Mapping[str, int] = field(default_factory=dict)
    an_basis: Mapping[str, int] = field(default_factory=dict)
    consent: Mapping[str, int] = field(default_factory=dict)
    not_counted: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """sha256 of the canonical JSON (RFC 8785) of the rules."""
        return f"sha256:{hashlib.sha256(rfc8785.dumps(dict(self.rules))).hexdigest()}"

    @property
    def is_exact(self) -> bool:
        """False when some people's bases without variants are unknown: AN is then an interval."""
        return "variant_only" not in self.an_basis


COUNTED_FIELDS = [f.name for f in fields(Manifest) if f.name != "rules"]

_REASON = r"(withdrawn|consent|qc:[a-z_]+)"
#: counted field -> the names it may hold, so that a name of a person never is one of them
NAMES = {
    "people": r"[A-Za-z0-9]{1,16}_[FMU]",
    "an_basis": r"gvcf|declared|variant_only",
    "consent": r"DUO:[0-9]{7}|not stated",
    "not_counted": rf"{_REASON}(;{_REASON})*",
    "ledger": r"carriers(_[a-z]+)(:[a-z_]+)?",
}


def odd_counts(raw: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about counted fields of a manifest as read that hold other than known names and numbers above zero."""
    for field_name in COUNTED_FIELDS:
        counts = raw[field_name]
        if not isinstance(counts, dict):
            yield f"{field_name} holds no counts by name"
            continue
        for name, count in counts.items():
            if not re.fullmatch(NAMES[field_name], name):
                yield f"{field_name} has the unknown name {name}"
            if type(count) is not int or count < 1:
                yield f"{field_name} {name} is {count!r}, which counts nothing"


def odd_members(raw: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about members that are no table of a contig of the build, and a reference that is none."""
    match raw:
        case {"rules": {"build": {"contigs": [*contigs]}, **rules}, "members": dict(members)}:
            names = [contig.get("name") for contig in contigs if isinstance(contig, dict)]
            known = {f"{table}/{name}.parquet" for table in TABLES for name in names} | {QC_SUMS}
            yield from (f"{name} does not belong to a summary" for name in sorted(set(members) - known))
            reference = rules.get("reference", "")
            if reference is not None and not re.fullmatch(SEQCOL, str(reference)):
                yield f"rules.reference is {reference!r}, which is no digest of a sequence collection"
            match rules.get("sequences", "missing"):
                case None:
                    pass
                case [*sequences] if len(sequences) == len(contigs):
                    pass
                case odd:
                    yield f"rules.sequences is {odd!r}, which are no digests of the build's contigs"
        case _:
            yield "no rules.build.contigs, or members that are no files with their digests"


def combine_manifests(manifests: Sequence[Manifest], signs: Sequence[int], names: Sequence[str]) -> Manifest:
    """Add (sign 1) and subtract (sign -1) manifests; `names` are for messages.

    Raises InputError when rules differ, with each field that differs and both values.
    """
    rules = commonly_spelt([manifest.rules for manifest in manifests])
    problems = differing_rules(rules, names)
    if problems:
        raise InputError(problems)
    sums = {
        name: add_counts([getattr(manifest, name) for manifest in manifests], signs, name) for name in COUNTED_FIELDS
    }
    return Manifest(rules[0], **sums)


def differing_rules(rules: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Problem]:
    """Every rule in which one of some summaries differs from the first."""
    return [
        problem
        for other, name in zip(rules[1:], names[1:], strict=True)
        for problem in rule_differences(_by_contig(rules[0]), _by_contig(other), names[0], name)
    ]


def _by_contig(rules: Mapping[str, Any]) -> Mapping[str, Any]:
    """Rules whose sequences are told by contig, so that one that differs is named."""
    if not isinstance(rules.get("sequences"), list):
        return rules
    return {**rules, "sequences": dict(zip(contig_names(rules), rules["sequences"], strict=True))}


def rule_differences(
    mine: Mapping[str, Any], other: Mapping[str, Any], my_name: str, other_name: str, at: str = "rules"
) -> list[Problem]:
    """Every rule in which two summaries differ, by its path."""
    problems: list[Problem] = []
    for key in sorted(set(mine) | set(other)):
        a, b = mine.get(key), other.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            problems += rule_differences(a, b, my_name, other_name, f"{at}.{key}")
        elif a != b:
            mine_only, other_only = _apart(a, b)
            problems.append(
                Problem(
                    f"{at}.{key}",
                    f"{_short(other_only)} in {other_name}",
                    f"{_short(mine_only)} as in {my_name}",
                    next((remedy for rule, remedy in REMEDIES.items() if f"{at}.{key}".startswith(rule)), RECOUNT),
                )
            )
    return problems


def _apart(a: Any, b: Any) -> tuple[Any, Any]:
    """Of two lists of records those that only one has, so that a difference far down the list is seen."""
    if not all(isinstance(entries, list) and all(isinstance(e, Mapping) for e in entries) for entries in (a, b)):
        return a, b
    only = [entry for entry in a if entry not in b], [entry for entry in b if entry not in a]
    return only if any(only) else (a, b)


def _short(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
