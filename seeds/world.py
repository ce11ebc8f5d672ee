"""Reads world.yaml, the description of the nation, into typed objects and refuses what it does not know."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from facts import Contig, Interval, Par


@dataclass(frozen=True)
class Repeat:
    """Bases to write into the reference from the 1-based position `at`."""

    contig: str
    at: int
    bases: str


@dataclass(frozen=True)
class Background:
    """How densely and how far apart random variants lie; see world.yaml."""

    spacing: int
    margin: int
    apart: int
    indel_share: float
    frequencies: tuple[float, ...]
    population_shift: float


@dataclass(frozen=True)
class Form:
    """One way to write a site in a file: `pos` 1-based."""

    pos: int
    ref: str
    alts: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """A place where people differ; `carriers` are alleles by copy, `written` what a file says instead."""

    name: str
    contig: str
    form: Form
    carriers: dict[str, str] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    frequency: float = 0.0

    def form_at(self, node: str) -> Form:
        """How this node writes the site."""
        return self.forms.get(node, self.form)


@dataclass(frozen=True)
class Person:
    """One sample of one node, as world.yaml describes it."""

    name: str
    node: str
    population: str
    karyotype: str
    consent: str
    declared: str = ""
    reason: str = ""
    parents: tuple[str, ...] = ()
    same_as: str = ""
    gt_style: str = "diploid"
    batch: int = 1
    lanes: int = 1
    depth: float = 30.0
    foreign: float = 0.0
    bad_blocks: float = 0.01
    contaminated: float = 0.0


@dataclass(frozen=True)
class NamedBlock:
    """A reference block of one person that world.yaml prescribes."""

    who: str
    place: Interval
    gq: int
    dp: int
    min_dp: int
    gt: str


@dataclass(frozen=True)
class World:
    """The whole nation."""

    seed: int
    contigs: tuple[Contig, ...]
    pars: tuple[Par, ...]
    gaps: tuple[Interval, ...]
    repeats: tuple[Repeat, ...]
    background: Background
    inputs: dict[str, str]
    cedar_not_callable: tuple[Interval, ...]
    people: dict[str, Person]
    blocks: tuple[NamedBlock, ...]
    mt_level: float
    sites: tuple[Site, ...]

    def at(self, node: str) -> list[Person]:
        """The people of one node, in the order of the file."""
        return [p for p in self.people.values() if p.node == node]

    def kind(self, contig: str) -> str:
        """autosome, x, y or mt."""
        return next(c.kind for c in self.contigs if c.name == contig)

    def in_par(self, contig: str, pos: int) -> bool:
        """Is the 1-based position pseudoautosomal on X or Y?"""
        kind = self.kind(contig)
        spans = [p.x if kind == "x" else p.y for p in self.pars]
        return kind in ("x", "y") and any(start < pos <= end for start, end in spans)


def load_world(path: Path) -> World:
    """Read the description; unknown keys raise TypeError or ValueError with their names."""
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    reference = text["reference"]
    people = {name: load_person(name, row) for name, row in text["people"].items()}
    return World(
        seed=text["seed"],
        contigs=tuple(Contig(**row) for row in reference["contigs"]),
        pars=tuple(Par(p["name"], tuple(p["x"]), tuple(p["y"])) for p in reference["par"]),
        gaps=tuple(Interval(**row) for row in reference["gaps"]),
        repeats=tuple(Repeat(**row) for row in reference["repeats"]),
        background=load_background(text["background"]),
        inputs={name: row["input"] for name, row in text["nodes"].items()},
        cedar_not_callable=tuple(Interval(**row) for row in text["cedar_not_callable"]),
        people=people,
        blocks=tuple(load_block(row) for row in text["blocks"]),
        mt_level=text["mt_level"],
        sites=tuple(load_site(row, people) for row in text["sites"]),
    )


def load_background(row: dict[str, Any]) -> Background:
    """The `background` section."""
    return Background(**{**row, "frequencies": tuple(row["frequencies"])})


def load_person(name: str, row: dict[str, Any]) -> Person:
    """One line of `people`; numbers that stand for a sex stay text."""
    row = {**row, "parents": tuple(row.get("parents", ())), "declared": str(row.get("declared", ""))}
    return Person(name=name, **row)


def load_block(row: dict[str, Any]) -> NamedBlock:
    """One line of `blocks`."""
    row = dict(row)
    place = Interval(row.pop("contig"), row.pop("start"), row.pop("end"))
    return NamedBlock(place=place, gt=row.pop("gt", "0/0"), **row)


def load_form(row: dict[str, Any]) -> Form:
    """A position, a REF and its ALTs."""
    return Form(row["pos"], row["ref"], tuple(row["alt"]))


def load_site(row: dict[str, Any], people: dict[str, Person]) -> Site:
    """One line of `sites`; a person it names must exist, and own the genotype rather than inherit it."""
    known = {"name", "contig", "pos", "ref", "alt", "carriers", "as", "written", "filter"}
    if set(row) - known:
        raise ValueError(f"site {row['name']}: unknown keys {sorted(set(row) - known)}")
    for who in [*row.get("carriers", {}), *row.get("written", {})]:
        if who not in people:
            raise ValueError(f"site {row['name']}: nobody is called {who!r}")
    for who in row.get("carriers", {}):
        if people[who].parents or people[who].same_as:
            raise ValueError(f"site {row['name']}: {who} inherits; give the genotype to whom it comes from")
    return Site(
        name=row["name"],
        contig=row["contig"],
        form=load_form(row),
        carriers={who: str(gt) for who, gt in row.get("carriers", {}).items()},
        forms={node: load_form(form) for node, form in row.get("as", {}).items()},
        written=row.get("written", {}),
        filters=row.get("filter", {}),
    )
