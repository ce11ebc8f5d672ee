"""Grows the synthetic nation into a folder: python seeds/grow.py OUT. Same bytes each time."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

import calls
import people
import reads
import truth
import vcf
from facts import Interval, Member
from oracle import Genome
from reference import grow_reference
from world import Person, Site, World, load_world

WORLD = Path(__file__).with_name("world.yaml")
COLUMNS = "sample sex population batch consent read_group fastq_1 fastq_2 gvcf vcf"
READS_BLUR = 600  # bases beside contig ends, gaps and PAR borders where depth of reads is not exactly known


def main(argv: list[str]) -> int:
    """Grow the nation into the folder named on the command line."""
    if len(argv) != 1:
        print("usage: python seeds/grow.py OUT", file=sys.stderr)
        return 2
    grow(load_world(WORLD), Path(argv[0]))
    return 0


def grow(world: World, out: Path) -> None:
    """Write reference, build, inputs of every node, sheets, configuration and truth."""
    for folder in ("fastq", "gvcf", "vcf", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    nation = grow_nation(world)
    write_reference(nation.sequences, out / "reference.fa")
    write_build(world, out / "build.yaml")
    for node in world.inputs:
        rows = [row for person in world.at(node) for row in write_inputs(nation, person, out)]
        truth.write_table(out / f"{node}.tsv", COLUMNS, rows)
    write_variants(nation, out)
    write_config(world, out)
    known = [node for node, kind in world.inputs.items() if kind != "fastq"]
    keys = truth.all_keys(nation.genome, nation.sites)
    exact = exact_places(world)
    truth.write_truth(nation.genome, nation.members, keys, exact, out / "truth", values_known=known)


@dataclass(frozen=True)
class Nation:
    """Everything that is decided before a file is written."""

    world: World
    sequences: dict[str, str]
    sites: list[Site]
    copies: dict[str, people.Copies]
    members: dict[str, list[Member]]

    @property
    def genome(self) -> Genome:
        """What the oracle needs to know of the reference."""
        return Genome(self.world.contigs, self.world.pars, self.sequences)


def grow_nation(world: World) -> Nation:
    """Reference, sites, everybody's copies and calls, in memory."""
    sequences = grow_reference(world)
    sites = [*world.sites, *people.grow_background(world, sequences)]
    copies = people.grow_people(world, sites)
    return Nation(world, sequences, sites, copies, calls.grow_members(world, sites, copies))


def write_inputs(nation: Nation, person: Person, out: Path) -> list[list[object]]:
    """The sheet's rows of one person; reads are written on the way."""
    kind = nation.world.inputs[person.node]
    sex = person.declared or person.karyotype
    start: list[object] = [person.name, sex, person.population, person.batch, person.consent]
    if kind == "gvcf":
        return [[*start, "", "", "", f"gvcf/{person.name}.g.vcf.gz", ""]]
    if kind == "vcf":
        return [[*start, "", "", "", "", f"vcf/{person.node}.vcf.gz"]]
    own = nation.copies[person.name]
    pieces = reads.sequence_person(nation.world, person, nation.sites, nation.sequences, own)
    lanes = reads.write_reads(nation.world, person, pieces, out / "fastq")
    return [[*start, group, f"fastq/{first}", f"fastq/{second}", "", ""] for group, first, second in lanes]


def write_variants(nation: Nation, out: Path) -> None:
    """gVCFs, the cohort VCF and its BED."""
    for node, kind in nation.world.inputs.items():
        if kind == "gvcf":
            for member in nation.members[node]:
                path = out / "gvcf" / f"{member.sample}.g.vcf.gz"
                vcf.write_gvcf(nation.world, member, nation.sequences, path)
        if kind == "vcf":
            vcf.write_cohort(nation.world, nation.members[node], out / "vcf" / f"{node}.vcf.gz")
    bed = [f"{p.contig}\t{p.start}\t{p.end}\n" for p in calls.callable_places(nation.world)]
    (out / "callable.bed").write_text("".join(bed), encoding="utf-8")


def write_reference(sequences: dict[str, str], path: Path) -> None:
    """FASTA with lines of 60 bases, and its index."""
    offset, index, text = 0, [], []
    for name, bases in sequences.items():
        offset += len(name) + 2
        index.append(f"{name}\t{len(bases)}\t{offset}\t60\t61\n")
        lines = [bases[i : i + 60] for i in range(0, len(bases), 60)]
        text.append(f">{name}\n" + "".join(line + "\n" for line in lines))
        offset += len(bases) + len(lines)
    path.write_text("".join(text), encoding="utf-8")
    path.with_name(path.name + ".fai").write_text("".join(index), encoding="utf-8")


def write_build(world: World, path: Path) -> None:
    """The build: contigs with their kind, and the PAR table."""
    contigs = [{"name": c.name, "kind": c.kind, "length": c.length} for c in world.contigs]
    pars = [{"name": p.name, "x": list(p.x), "y": list(p.y)} for p in world.pars]
    build = {"name": "mini", "contigs": contigs, "par": pars}
    path.write_text(yaml.safe_dump(build, sort_keys=False, default_flow_style=None), encoding="utf-8")


def write_config(world: World, out: Path) -> None:
    """The pipeline's configuration, with paths that begin with OUT as it was given."""
    nodes: dict[str, dict[str, str]] = {}
    for node, kind in world.inputs.items():
        nodes[node] = {"samples": str(out / f"{node}.tsv")}
        if kind == "vcf":
            nodes[node]["callable"] = str(out / "callable.bed")
    config = {
        "reference": str(out / "reference.fa"),
        "build": str(out / "build.yaml"),
        "results": "results",
        "nodes": nodes,
        "mask": "adj",
        "consent": ["DUO:0000004", "DUO:0000006", "DUO:0000042"],
        "qc_policy": "config/policies/qc.yaml",
        "aligner": "minimap2",
        "tools": "wheels",
        "federation": {"summaries": []},
        "truth": str(out / "truth"),
    }
    (out / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def exact_places(world: World) -> dict[str, list[Interval]]:
    """Scope -> where the AN track is known base by base: everywhere, but for reads only away from edges."""
    whole = [Interval(c.name, 0, c.length) for c in world.contigs]
    blurred = edges(world)
    inner = [piece for place in calls.known_places(world) for piece in calls.subtract(place, blurred)]
    exact = {node: inner if kind == "fastq" else whole for node, kind in world.inputs.items()}
    return {**exact, truth.FEDERATION: inner if "fastq" in world.inputs.values() else whole}


def edges(world: World) -> list[Interval]:
    """Surroundings of every contig end, gap and PAR border."""
    points = [(c.name, point) for c in world.contigs for point in (0, c.length)]
    points += [(gap.contig, point) for gap in world.gaps for point in (gap.start, gap.end)]
    for contig in world.contigs:
        if contig.kind in ("x", "y"):
            spans = [par.x if contig.kind == "x" else par.y for par in world.pars]
            points += [(contig.name, point) for span in spans for point in span]
    return [Interval(name, max(0, at - READS_BLUR), at + READS_BLUR) for name, at in points]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
