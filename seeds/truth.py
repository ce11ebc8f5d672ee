"""Writes what the oracle counts as the tables that a summary is compared with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from facts import Interval, Member
from oracle import Counts, Genome, Key, Node, normalise, run_lengths
from world import Site

FEDERATION = "federation"


def write_table(path: Path, columns: str, rows: Iterable[Iterable[object]]) -> None:
    """A TSV with a header."""
    lines = [columns.replace(" ", "\t")] + ["\t".join(str(cell) for cell in row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def all_keys(genome: Genome, sites: Iterable[Site]) -> list[Key]:
    """Every variant of the world, normalised, in genome order."""
    order = {c.name: i for i, c in enumerate(genome.contigs)}
    keys = {
        (site.contig, *normalise(genome.sequences[site.contig], site.form.pos, site.form.ref, alt))
        for site in sites
        for alt in site.form.alts
    }
    return sorted(keys, key=lambda k: (order[k[0]], *k[1:]))


def write_truth(
    genome: Genome,
    members: dict[str, list[Member]],
    keys: list[Key],
    exact: dict[str, list[Interval]],
    folder: Path,
    *,
    values_known: Iterable[str],
) -> None:
    """The five files of the truth; histograms only of the scopes named in `values_known`."""
    nodes = {name: Node(genome, people) for name, people in members.items()}
    people = [(name, m.sample, str(m.counted).lower(), m.reason) for name, ms in members.items() for m in ms]
    write_table(folder / "people.tsv", "node sample counted reason", people)
    columns = "scope contig pos ref alt stratum n_dip n_hap n_het n_homalt n_hemi"
    write_table(folder / "variants.tsv", columns, variant_rows(nodes, keys))
    write_table(folder / "an_track.tsv", "scope contig start end stratum n_dip n_hap", track_rows(genome, nodes))
    exact_rows = [(p.contig, p.start, p.end, scope) for scope, places in exact.items() for p in places]
    write_table(folder / "exact.bed", "contig start end scope", exact_rows)
    histograms = [
        (name, *cell, count) for name in values_known for cell, count in sorted(nodes[name].histogram(keys).items())
    ]
    write_table(folder / "histograms.tsv", "scope contig stratum metric bin count", histograms)


def all_strata(nodes: dict[str, Node]) -> list[str]:
    """The strata of the federation."""
    return sorted({stratum for node in nodes.values() for stratum in node.strata})


def variant_rows(nodes: dict[str, Node], keys: list[Key]) -> list[tuple[object, ...]]:
    """Every variant at every scope and stratum; the federation is the sum over the nodes, one by one."""
    rows: list[tuple[object, ...]] = []
    for key in keys:
        federation = {stratum: Counts() for stratum in all_strata(nodes)}
        for name, node in nodes.items():
            for stratum in node.strata:
                counts = node.count(key, stratum)
                federation[stratum].add(counts)
                rows.append((name, *key, stratum, *counts.row()))
        rows += [(FEDERATION, *key, stratum, *counts.row()) for stratum, counts in federation.items()]
    return rows


def track_rows(genome: Genome, nodes: dict[str, Node]) -> list[tuple[object, ...]]:
    """The AN track of every node, and their sum base by base."""
    rows: list[tuple[object, ...]] = []
    for contig in genome.contigs:
        total = {stratum: [(0, 0)] * contig.length for stratum in all_strata(nodes)}
        for name, node in nodes.items():
            for stratum in node.strata:
                track = node.track(contig, stratum)
                rows += track_segments(name, contig.name, stratum, track)
                pairs = zip(total[stratum], track, strict=True)
                total[stratum] = [(a + c, b + d) for (a, b), (c, d) in pairs]
        for stratum, track in total.items():
            rows += track_segments(FEDERATION, contig.name, stratum, track)
    return rows


def track_segments(scope: str, contig: str, stratum: str, track: list[tuple[int, int]]) -> list[tuple[object, ...]]:
    """The track's runs as rows."""
    return [(scope, contig, start, end, stratum, dip, hap) for start, end, dip, hap in run_lengths(track)]
