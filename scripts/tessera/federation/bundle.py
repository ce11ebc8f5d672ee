"""The bundle: what its manifest says of a summary, and the list of what a summary may hold when it leaves a node."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tessera.schemas.bundle import BUNDLE_VERSION, POLICY, REFGET, STRATUM
from tessera.schemas.consent import PERMISSIONS
from tessera.schemas.decisions import is_reason
from tessera.schemas.histograms import EDGES
from tessera.schemas.mask import ADJ, HIGHEST, is_fraction
from tessera.summary.lineage import Sources, as_documents
from tessera.summary.manifest import rule_differences
from tessera.summary.rules import counted_build, counting_rules

#: chr1 to chr22 and beyond, X, Y, M with and without chr, or the accession of a sequence
CONTIG = re.compile(r"(chr)?([1-9][0-9]?|X|Y|M|MT)|[A-Z]{2}_?[0-9]{6}\.[0-9]{1,2}")
BUILD = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,15}")
PAR = re.compile(r"PAR[1-9]|XTR")
ALLELE = re.compile(r"[ACGTN]+")
#: why carriers are not counted
DROPPED = (
    "no_copy_here", "filter", "missing", "half_call", "non_ref_call", "haploid_call_of_diploid", "het_call_of_haploid",
    "low_gq", "low_dp", "low_allele_balance", "duplicate_record", "symbolic_allele",
)  # fmt: skip
LEDGER = {"carriers_in", "carriers_counted", *(f"carriers_dropped:{reason}" for reason in DROPPED)}


def bundle_manifest(
    node: str,
    dataset: str | None,
    summary: Mapping[str, Any],
    members: Mapping[str, tuple[str, int]],
    sources: Sources,
) -> dict[str, Any]:
    """The manifest of a bundle, by the manifest of the summary; `members` is file -> sha256 and bytes."""
    return {
        "schema": BUNDLE_VERSION,
        "node": node,
        "dataset": dataset,
        "reference": summary["rules"]["reference"],
        "fingerprint": summary["fingerprint"],
        "strata": dict(summary["people"]),
        "an_basis": dict(summary["an_basis"]),
        "duo": dict(summary["consent"]),
        "sources": as_documents(sources),
        "policy": POLICY,
        "members": {name: {"sha256": digest, "bytes": size} for name, (digest, size) in sorted(members.items())},
    }


def not_allowed(summary: Mapping[str, Any], text: bytes) -> Iterator[str]:
    """Sentences about what may not leave a node in the manifest of a summary; `text` is the file it was read from.

    Every name in it is one of a closed list or of a form that no name of a person has.
    """
    allowed: dict[str, Callable[[str], object]] = {
        "people": re.compile(STRATUM).fullmatch,
        "consent": lambda name: name in (*PERMISSIONS, "not stated"),
        "not_counted": is_reason,
        "ledger": lambda name: name in LEDGER,
    }
    for key, is_allowed in allowed.items():
        yield from (f"manifest.json {key} names {name!r}" for name in summary[key] if not is_allowed(name))
    yield from _odd_rules(summary["rules"])
    if text != f"{json.dumps(summary, indent=1, sort_keys=True, ensure_ascii=True)}\n".encode():
        yield "manifest.json is not written as tessera count writes it: there may be more in it than its keys"


def words_not_allowed(column: str, words: Iterable[str | None], strata: Iterable[str], contig: str) -> list[str]:
    """The words of a text column that may not leave a node."""
    closed = {"contig": {contig}, "stratum": set(strata), "metric": set(EDGES)}
    if column in closed:
        return sorted(str(word) for word in words if word not in closed[column])
    return sorted(str(word) for word in words if word is None or not ALLELE.fullmatch(word))


def _odd_rules(rules: Mapping[str, Any]) -> Iterator[str]:
    """Rules other than those that this version counts by, and names that the operator chose and may not."""
    build, sequences = rules["build"], rules.get("sequences")
    if sequences is not None and not _are_sequences(sequences, len(build["contigs"])):
        yield f"manifest.json rules.sequences is {sequences!r}, which are no digests of the build's contigs"
        return
    forms = {"name": ([build["name"]], BUILD)} | {
        key: ([entry["name"] for entry in build.get(key) or ()], form)
        for key, form in {"contigs": CONTIG, "par": PAR}.items()
    }
    for key, (names, form) in forms.items():
        yield from (f"manifest.json rules.build.{key} names {n!r}" for n in names if not form.fullmatch(str(n)))
    if "par" not in build:
        yield "manifest.json rules.build has no par"
        return
    mask = rules.get("mask")
    if not isinstance(mask, dict) or not _is_mask(mask):
        yield f"manifest.json rules.mask is {mask!r}, which is no mask"
        return
    ours = counting_rules(counted_build(rules), sequences=sequences, mask=mask)
    for problem in rule_differences(ours, rules, "this version of tessera", "the summary"):
        yield f"manifest.json {problem.where}: {problem.found}, {problem.expected}"


def _are_sequences(sequences: Any, contigs: int) -> bool:
    told = isinstance(sequences, list) and len(sequences) == contigs
    return told and all(one is None or re.fullmatch(REFGET, str(one)) for one in sequences)


def _is_mask(mask: Mapping[str, Any]) -> bool:
    whole = (mask[name] for name in mask if name != "min_ab")
    share = mask.get("min_ab")
    return (
        set(mask) == set(ADJ.thresholds)
        and all(n is None or (type(n) is int and 0 <= n <= HIGHEST) for n in whole)
        and (share is None or (type(share) in (int, float) and is_fraction(share)))
    )
