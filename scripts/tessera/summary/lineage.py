"""Lineage: of which nodes' summaries a sum is made, so that no node is added twice."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tessera.errors import Problem

TWICE = "A person would be counted twice."


@dataclass(frozen=True, order=True)
class Source:
    """What a node sent: its name, the id of the data set, the digest of the summary, and how many people it counts."""

    node: str
    dataset: str | None
    digest: str
    people: int


#: the sources of one summary, sorted; none of one that never left its node
Sources = tuple[Source, ...]


@dataclass(frozen=True)
class Lineage:
    """A summary in a sum: how messages name it, its own digest, its people, and its sources."""

    name: str
    digest: str
    people: int
    sources: Sources


def named_sources(own: Source, sources: Sources) -> Sources:
    """The sources of what a node sends: those it got, and itself for the people who are of none of them."""
    rest = own.people - sum(source.people for source in sources)
    mine = (Source(own.node, own.dataset, own.digest, rest),) if rest else ()
    return tuple(sorted((*sources, *mine), key=_order))


def joined_sources(terms: Sequence[Lineage]) -> Sources:
    """The sources of a sum, whatever its order and grouping."""
    return tuple(sorted((source for term in terms for source in term.sources), key=_order))


def remaining_sources(whole: Lineage, parts: Sequence[Lineage]) -> Sources:
    """The sources that are left when parts are taken out; a part is known by its own digest, too."""
    gone = {source for part in parts for source in part.sources}
    alone = {part.digest for part in parts}
    return tuple(source for source in whole.sources if source not in gone and source.digest not in alone)


def overlaps(terms: Sequence[Lineage]) -> list[Problem]:
    """What would count people twice: a node that is in two of the summaries, as the same data or as other releases."""
    problems: list[Problem] = []
    seen: dict[str, tuple[str, Source]] = {}
    for term in terms:
        for source in term.sources:
            for key in (source.node, source.digest):
                where, other = seen.setdefault(key, (term.name, source))
                if where != term.name:
                    problems.append(_twice(term.name, source, where, other))
                    break
    for term in terms:
        if term.digest in seen and not term.sources:
            where, other = seen[term.digest]
            found = f"the summary of node {other.node}, which {where} holds already"
            problems.append(Problem(term.name, found, "each node once", TWICE))
    return problems


def not_contained(whole: Lineage, parts: Sequence[Lineage], people_left: int) -> list[Problem]:
    """Why parts cannot be taken out of a whole that is made of other sources."""
    remedy = "Subtract the summary of the node that was added."
    problems = [
        Problem(part.name, f"node {source.node} ({source.digest[:19]})", f"a source of {whole.name}", remedy)
        for part in parts
        for source in part.sources
        if source not in whole.sources
    ]
    named = sum(source.people for source in remaining_sources(whole, parts))
    if not problems and named > people_left:
        names = ", ".join(source.node for source in remaining_sources(whole, parts))
        found = f"{people_left:,} people would be left, and {named:,} are of {names}"
        problems.append(Problem(whole.name, found, "a part that is no part of a node's summary", remedy))
    return problems


def as_documents(sources: Sources) -> list[dict[str, Any]]:
    """Sources as they are written."""
    return [asdict(source) for source in sources]


def sources_of(documents: Sequence[Mapping[str, Any]]) -> Sources:
    """Sources as they were written."""
    return tuple(sorted((Source(**document) for document in documents), key=_order))


def odd_sources(sources: Sequence[Source], people: int) -> list[str]:
    """Sentences about sources that no summary of so many people has."""
    said = []
    for what, names in (("node", [s.node for s in sources]), ("digest", [s.digest for s in sources])):
        said += [
            f"the {what} {name} comes twice among the sources" for name in sorted(set(names)) if names.count(name) > 1
        ]
    if sum(source.people for source in sources) > people:
        said.append(f"the sources have more people than the {people:,} counted")
    return said


def _order(source: Source) -> tuple[str, str, str]:
    return source.node, source.dataset or "", source.digest


def _twice(where: str, source: Source, other_where: str, other: Source) -> Problem:
    if source.digest == other.digest:
        found = f"the summary of node {source.node} twice: {other_where} holds it, too"
        return Problem(where, found, "each node once", TWICE)
    found = f"another release of node {source.node} ({_told(source)}) than in {other_where} ({_told(other)})"
    remedy = "Keep the later one; tessera subtract takes the earlier one out of a sum."
    return Problem(where, found, "each node once", f"{TWICE} {remedy}")


def _told(source: Source) -> str:
    return f"{source.dataset or source.digest[:19]}, {source.people:,} people"
