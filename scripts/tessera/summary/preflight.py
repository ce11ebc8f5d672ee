"""What summaries would do to each other in a sum: what is refused, what is converted, and what there is to note."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tessera.errors import Problem
from tessera.schemas.consent import NOT_STATED
from tessera.schemas.data_use import broadest_allowed
from tessera.summary.lineage import Lineage
from tessera.summary.manifest import Manifest, differing_rules
from tessera.summary.spelling import commonly_spelt, contig_names


@dataclass(frozen=True)
class Preflight:
    """Sentences on a sum: problems that refuse it, what it converts, and what who reads it should know."""

    refused: list[Problem]
    converted: list[str]
    noted: list[str]


def preflight(manifests: Sequence[Manifest], lineages: Sequence[Lineage]) -> Preflight:
    """Compare everything that is known of summaries before a table is read; `lineages` name them."""
    names = [lineage.name for lineage in lineages]
    rules = commonly_spelt([manifest.rules for manifest in manifests])
    return Preflight(
        differing_rules(rules, names),
        list(_converted(manifests, rules, names)),
        [*_an_notes(manifests, names), *_consent_notes(manifests), *_source_notes(lineages)],
    )


def _converted(manifests: Sequence[Manifest], rules: Sequence[object], names: Sequence[str]) -> Iterator[str]:
    for manifest, common, name in zip(manifests, rules, names, strict=True):
        own, other = contig_names(manifest.rules), contig_names(common)  # type: ignore[arg-type]
        spelt = [f"{a} as {b}" for a, b in zip(own, other, strict=True) if a != b]
        if spelt:
            more = f" and {len(spelt) - 3} more" if len(spelt) > 3 else ""
            yield f"{name}: contigs are renamed, their sequences have the same digests: {', '.join(spelt[:3])}{more}"


def _an_notes(manifests: Sequence[Manifest], names: Sequence[str]) -> Iterator[str]:
    said = {
        "variant_only": "nothing is known where no variant is listed: AN of the sum is an interval, and the sum is not "
        "exact",
        "declared": "the node declared where they are called; their records do not tell",
    }
    for basis, sentence in said.items():
        people = {name: m.an_basis[basis] for name, m in zip(names, manifests, strict=True) if basis in m.an_basis}
        if people:
            more = f" and {len(people) - 3:,} more" if len(people) > 3 else ""
            yield f"{basis}: of {sum(people.values()):,} people of {', '.join([*people][:3])}{more}, {sentence}"


def _consent_notes(manifests: Sequence[Manifest]) -> Iterator[str]:
    codes = {code for manifest in manifests for code in manifest.consent}
    stated = codes - {NOT_STATED}
    if stated:
        permitted = broadest_allowed(stated)
        yield f"use of the sum: {permitted or 'none: no use is permitted by all of ' + ', '.join(sorted(stated))}"
    if NOT_STATED in codes:
        people = sum(manifest.consent.get(NOT_STATED, 0) for manifest in manifests)
        yield f"what {people:,} people permit is not stated"


def _source_notes(lineages: Sequence[Lineage]) -> Iterator[str]:
    """Where some have sources, people of none may be in two summaries, and nobody would know."""
    if any(lineage.sources for lineage in lineages):
        for lineage in lineages:
            unnamed = lineage.people - sum(source.people for source in lineage.sources)
            if unnamed:
                yield f"{lineage.name}: {unnamed:,} people are of no named node, and may be in another, too"
