"""The report of a run: who was counted, who was not and why, and what was found, as text and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

KEY = ("contig", "pos", "ref", "alt")
MERGED = "merged"
#: scope of a comparison of the merged summary
FEDERATION = "federation"


@dataclass(frozen=True)
class Scope:
    """A node, or all nodes merged: people counted, people not counted by reason, variants that somebody carries.

    `exact` is False where some people's bases without a record are unknown, so that AN is an interval; `related` has
    pairs of people by degree, and is None where nobody looked for them. `metrics` is metric -> n, mean and sd over the
    people of whom it was measured.
    """

    name: str
    counted: int
    not_counted: Mapping[str, int]
    variants: int
    exact: bool = True
    related: Mapping[str, int] | None = None
    metrics: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """A summary that equals the expected numbers of a scope (else its check would have failed): how many they are."""

    scope: str
    compared: int


def count_variants(blocks: Iterable[pl.DataFrame]) -> int:
    """How many variants somebody carries, out of leaf tables none of which holds a variant of another."""
    carriers = pl.sum_horizontal("n_het", "n_homalt", "n_hemi")
    return sum(block.filter(carriers > 0).select(pl.struct(KEY).n_unique()).item() for block in blocks)


def reasons(decisions: pl.DataFrame) -> dict[str, int]:
    """Reason -> people of a decisions table who are not counted for it; several reasons are one, joined by `;`."""
    gone = decisions.filter(~pl.col("counted")).group_by("reason").len().sort("reason")
    return dict(gone.iter_rows())


def build_report(nodes: Sequence[Scope], merged: Scope, comparisons: Sequence[Comparison]) -> dict[str, Any]:
    """The report as a JSON document; `comparisons` may be of any scopes, or none where no expected counts are known."""
    return {
        "nodes": {scope.name: _scope(scope) for scope in nodes},
        MERGED: _scope(merged),
        "comparisons": {c.scope: {"numbers_compared": c.compared} for c in comparisons},
        "duplicates_between_nodes": "not screened",
    }


def report_text(report: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """The report for people; `places` is what lies where in the results, in the order in which it is said."""
    scopes = {**report["nodes"], MERGED: report[MERGED]}
    table = [("", "counted", "not counted", "variants")]
    for name, scope in scopes.items():
        gone = sum(scope["not_counted"].values())
        table.append((name, f"{scope['counted']:,}", f"{gone:,}", f"{scope['variants']:,}"))
    why = [
        (f"{name}: {reason}", f"{people:,}")
        for name, scope in report["nodes"].items()
        for reason, people in scope["not_counted"].items()
    ]
    parts = ["People and variants\n" + _aligned(table)]
    if why:
        parts.append("Not counted, by node and reason\n" + _aligned(why))
    related = [
        (f"{name}: {degree}", f"{pairs:,}")
        for name, scope in report["nodes"].items()
        for degree, pairs in scope.get("related_pairs", {}).items()
    ]
    if related:
        parts.append("To review: pairs of people of a node who are related, by degree\n" + _aligned(related))
    parts.append("\n".join(_sentences(report)))
    parts.append(
        "Where it lies in the results\n" + _aligned([(what, where) for what, where in places.items()], numbers=False)
    )
    return "\n\n".join(parts) + "\n"


def _scope(scope: Scope) -> dict[str, Any]:
    return {
        "counted": scope.counted,
        "not_counted": dict(sorted(scope.not_counted.items())),
        "variants": scope.variants,
        "exact": scope.exact,
        "metrics": {name: dict(told) for name, told in scope.metrics.items()},
        **({} if scope.related is None else {"related_pairs": dict(scope.related)}),
    }


def _sentences(report: Mapping[str, Any]) -> list[str]:
    comparisons = dict(report["comparisons"])
    pooled = comparisons.pop(FEDERATION, None)
    sentences = [f"merged == pooled: {_verdict([pooled] if pooled else [])}"]
    if comparisons:
        sentences.append(f"each node == its expected counts: {_verdict(list(comparisons.values()))}")
    if not report[MERGED]["exact"]:
        sentences.append("AN is an interval: of some people nothing is known where their file lists no variant.")
    sentences.append("Duplicates between nodes are not screened yet: a person in two nodes is counted twice.")
    return sentences


def _verdict(comparisons: Sequence[Mapping[str, Any]]) -> str:
    if not comparisons:
        return "not checked, no expected counts were given"
    compared = f"({sum(c['numbers_compared'] for c in comparisons):,} numbers compared)"
    return f"yes {compared}"


def _aligned(rows: Sequence[Sequence[str]], *, numbers: bool = True) -> str:
    """Rows as columns; all but the first are aligned to the right when they are numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [cell.rjust(width) if numbers else cell for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  " + "  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)
