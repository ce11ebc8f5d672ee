"""Gives every person their copies of every contig: named sites, random background, inheritance."""

from __future__ import annotations

import random
from dataclasses import dataclass

from world import Form, Person, Site, World

# copies of X; `Y` stands for the copy whose PARs recombine with X: it carries the second PAR haplotype
X_COPIES = {"XX": "XX", "XY": "XY", "XXY": "XXY", "X0": "X", "NA": "XX"}


@dataclass
class Copies:
    """A person's copies: for each contig a list of {site name: allele}; 0 and absent are REF."""

    karyotype: str
    alleles: dict[str, list[dict[str, int]]]

    def at(self, world: World, site: Site) -> list[int]:
        """Which copies have this site at all: on X outside the PARs, not the one of Y."""
        everyone = list(range(len(self.alleles[site.contig])))
        if world.kind(site.contig) == "x" and not world.in_par(site.contig, site.form.pos):
            return [i for i in everyone if X_COPIES[self.karyotype][i] == "X"]
        return everyone

    def genotype(self, world: World, site: Site) -> list[int]:
        """Alleles of the site, copy by copy."""
        return [self.alleles[site.contig][i].get(site.name, 0) for i in self.at(world, site)]


def empty_copies(world: World, karyotype: str) -> Copies:
    """A person without any variant; MT has two molecules, the second one for heteroplasmy."""
    number = {"autosome": 2, "x": len(X_COPIES[karyotype]), "y": karyotype.count("Y"), "mt": 2}
    return Copies(karyotype, {c.name: [{} for _ in range(number[c.kind])] for c in world.contigs})


def grow_background(world: World, sequences: dict[str, str]) -> list[Site]:
    """Random SNVs and small indels of the autosomes and X, far enough from all that is named."""
    sites = []
    for contig in world.contigs:
        if contig.kind not in ("autosome", "x"):
            continue
        rng = random.Random(f"{world.seed}:background:{contig.name}")
        taken = taken_places(world, contig.name)
        for start in range(0, contig.length - world.background.spacing, world.background.spacing):
            pos = start + rng.randrange(1, world.background.spacing - world.background.apart)
            form = random_change(rng, world, sequences[contig.name], pos)
            if not any(low <= pos <= high for low, high in taken):
                frequency = rng.choice(world.background.frequencies)
                sites.append(Site(f"{contig.name}_{pos}", contig.name, form, frequency=frequency))
    return sites


def taken_places(world: World, contig: str) -> list[tuple[int, int]]:
    """1-based stretches where no background variant may lie."""
    margin, apart = world.background.margin, world.background.apart
    length = next(c.length for c in world.contigs if c.name == contig)
    edges = [(0, 0), (length, length), *((g.start, g.end) for g in world.gaps if g.contig == contig)]
    if world.kind(contig) == "x":
        edges += [(edge, edge) for par in world.pars for edge in par.x]
    named = [(s.form.pos, s.form.pos + 20) for s in world.sites if s.contig == contig]
    return [(a - margin, b + margin) for a, b in edges] + [(a - apart, b + apart) for a, b in named]


def random_change(rng: random.Random, world: World, sequence: str, pos: int) -> Form:
    """An SNV, or an insertion or deletion of one to three bases after an anchor base."""
    ref = sequence[pos - 1]
    if rng.random() >= world.background.indel_share:
        return Form(pos, ref, (rng.choice([b for b in "ACGT" if b != ref]),))
    size = rng.randrange(1, 4)
    if rng.random() < 0.5:
        return Form(pos, sequence[pos - 1 : pos + size], (ref,))
    return Form(pos, ref, (ref + "".join(rng.choices("ACGT", k=size)),))


def grow_people(world: World, sites: list[Site]) -> dict[str, Copies]:
    """Sample -> copies. In world.yaml parents precede children, and a first sample the second."""
    everyone: dict[str, Copies] = {}
    for person in world.people.values():
        if person.same_as:
            everyone[person.name] = everyone[person.same_as]
        elif person.parents:
            mother, father = (everyone[name] for name in person.parents)
            everyone[person.name] = inherit(world, person, mother, father)
        else:
            everyone[person.name] = found(world, person, sites)
    return everyone


def found(world: World, person: Person, sites: list[Site]) -> Copies:
    """A person without known parents: named genotypes, and each background allele by its frequency."""
    copies = empty_copies(world, person.karyotype)
    for site in sites:
        where = copies.at(world, site)
        if site.frequency == 0:
            alleles = named_alleles(world, site, person, where)
        else:
            alleles = drawn(world, site, person, where)
        for i, allele in zip(where, alleles, strict=True):
            if allele:
                copies.alleles[site.contig][i][site.name] = allele
    return copies


def named_alleles(world: World, site: Site, person: Person, where: list[int]) -> list[int]:
    """The genotype that world.yaml gives, one allele a copy; a single allele on MT is homoplasmic."""
    if person.name not in site.carriers:
        return [0] * len(where)
    alleles = [int(a) for a in site.carriers[person.name].split("|")]
    if world.kind(site.contig) == "mt" and len(alleles) == 1:
        alleles *= 2
    if len(alleles) != len(where):
        raise ValueError(f"site {site.name}: {person.name} has {len(where)} copies, not {len(alleles)}")
    return alleles


def drawn(world: World, site: Site, person: Person, where: list[int]) -> list[int]:
    """One random allele a copy; populations differ a little in frequency."""
    shift = random.Random(f"{world.seed}:{site.name}:{person.population}").uniform(-1, 1)
    frequency = site.frequency * (1 + world.background.population_shift * shift)
    rng = random.Random(f"{world.seed}:{site.name}:{person.name}")
    return [int(rng.random() < frequency) for _ in where]


def inherit(world: World, person: Person, mother: Copies, father: Copies) -> Copies:
    """A child without recombination: a random copy of the mother's, and of the father's."""
    copies = empty_copies(world, person.karyotype)
    for contig in world.contigs:
        rng = random.Random(f"{world.seed}:inherit:{person.name}:{contig.name}")
        from_mother, from_father = mother.alleles[contig.name], father.alleles[contig.name]
        if contig.kind == "mt":
            copies.alleles[contig.name] = from_mother
        elif contig.kind == "y":
            copies.alleles[contig.name] = from_father[: person.karyotype.count("Y")]
        else:
            which = rng.randrange(2) if contig.kind == "autosome" else person.karyotype.count("Y")
            copies.alleles[contig.name] = [rng.choice(from_mother), from_father[which]]
    return copies
