"""Contigs that summaries spell otherwise (`1` and `chr1`), and are the same by the digests of their sequences."""

from collections.abc import Mapping, Sequence
from typing import Any

from tessera.genome.build import other_name
from tessera.summary.rules import reference_digest


def commonly_spelt(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rules of counting with one spelling of each contig, where all have the same sequences; else as they are.

    A contig that any of them spells as `chr1` is spelt so. The rule looks at nothing but the spellings that occur, so
    a sum has the same names in whatever order and groups it is made.
    """
    sequences = [told.get("sequences") for told in rules]
    names = [contig_names(told) for told in rules]
    first: Sequence[str | None] = sequences[0] or ()
    proven = any(first) and all(other == first for other in sequences)
    if not proven or any(len(other) != len(first) for other in names):
        return list(rules)
    common = [_common(set(spelt)) for spelt in zip(*names, strict=True)]
    if len(set(common) - {None}) < len(common) - common.count(None):
        return list(rules)
    return [told if mine == common else _spelt(told, mine, common) for told, mine in zip(rules, names, strict=True)]


def contig_names(rules: Mapping[str, Any]) -> list[str]:
    """The contigs of the build, in its order."""
    return [contig["name"] for contig in rules["build"]["contigs"]]


def _common(names: set[str]) -> str | None:
    """The one name of a contig, None where the names are not two spellings of one."""
    longest = max(names, key=lambda name: (name.startswith("chr"), name))
    return longest if names <= {longest, other_name(longest)} else None


def _spelt(rules: Mapping[str, Any], mine: Sequence[str], common: Sequence[str | None]) -> Mapping[str, Any]:
    names = [name or own for name, own in zip(common, mine, strict=True)]
    build = rules["build"]
    contigs = [contig | {"name": name} for contig, name in zip(build["contigs"], names, strict=True)]
    return {
        **rules,
        "build": {**build, "contigs": contigs},
        "reference": reference_digest(names, rules["sequences"]),
    }
