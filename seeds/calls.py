"""Decides what each node's caller says about each person: records, reference blocks, declared regions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from facts import Block, Genotype, Interval, Member, Record
from people import Copies
from world import Form, Person, Site, World

Gt = list[int | None]
STAR = -1  # an allele of a genotype: deleted by another site's deletion


def grow_members(world: World, sites: list[Site], copies: dict[str, Copies]) -> dict[str, list[Member]]:
    """Node -> its people with all their calls, in the order of world.yaml."""
    ordered = sorted(sites, key=lambda s: (s.contig, s.form.pos))
    members = {}
    for node, kind in world.inputs.items():
        people = world.at(node)
        if kind == "vcf":
            members[node] = cohort_members(world, node, people, ordered, copies)
        elif kind == "gvcf":
            members[node] = [gvcf_member(world, p, ordered, copies[p.name]) for p in people]
        else:
            members[node] = [ideal_member(world, p, ordered, copies[p.name]) for p in people]
    return members


def new_member(person: Person) -> Member:
    """A person without calls, by their true karyotype; nobody is counted whose sheet says another."""
    return Member(person.name, person.karyotype, person.population, person.reason)


# ---- what a perfect caller sees in clean reads ----


def ideal_member(world: World, person: Person, sites: list[Site], copies: Copies) -> Member:
    """All variants right and deep, everything else a good reference block: what 30x of clean reads allow."""
    member = new_member(person)
    for site in sites:
        gt = tuple(sorted(copies.genotype(world, site)))
        if any(gt):
            form = site.form
            ad = tuple(100 if i in gt else 0 for i in range(len(form.alts) + 1))
            member.records.append(Record(site.contig, form.pos, form.ref, form.alts, gt, ad, dp=100, gq=99))
    for place in known_places(world):
        member.blocks.append(Block(place.contig, place.start, place.end, (0, 0), gq=99, dp=100, min_dp=100))
    return member


def known_places(world: World) -> list[Interval]:
    """The reference without its N."""
    whole = [Interval(c.name, 0, c.length) for c in world.contigs]
    y = next(c.name for c in world.contigs if c.kind == "y")
    holes = [*world.gaps, *(Interval(y, par.y[0], par.y[1]) for par in world.pars)]
    return [piece for place in whole for piece in subtract(place, holes)]


def subtract(place: Interval, holes: Sequence[Interval]) -> list[Interval]:
    """What is left of an interval without the holes."""
    pieces, start = [], place.start
    for hole in sorted(holes, key=lambda h: h.start):
        if hole.contig == place.contig and hole.end > start and hole.start < place.end:
            if hole.start > start:
                pieces.append(Interval(place.contig, start, hole.start))
            start = max(start, hole.end)
    if start < place.end:
        pieces.append(Interval(place.contig, start, place.end))
    return pieces


# ---- one file a person: gVCF ----


def gvcf_member(world: World, person: Person, sites: list[Site], copies: Copies) -> Member:
    """A record wherever the person carries an ALT or world.yaml prescribes one, and blocks between them."""
    member = new_member(person)
    for site in sites:
        gt = written_genotype(world, site, person, copies, sites)
        if any(a is not None and a > 0 for a in gt) or person.name in site.written:
            listed = sorted({a for a in gt if a is not None and a > 0}) or all_alts(site.form)
            member.records.append(one_record(world, site, person, gt, listed))
    member.records.sort(key=lambda r: (r.contig, r.pos))
    member.blocks = grow_blocks(world, person, member.records)
    return member


def all_alts(form: Form) -> list[int]:
    """The numbers of all ALTs of a site."""
    return list(range(1, len(form.alts) + 1))


def written_genotype(world: World, site: Site, person: Person, copies: Copies, sites: list[Site]) -> Gt:
    """The genotype as the file has it, in the site's allele numbers: style, `*`, what is prescribed."""
    if "gt" in site.written.get(person.name, {}):
        return parse_gt(str(site.written[person.name]["gt"]))
    where = copies.at(world, site)
    gt: Gt = []
    for i in where:
        allele = copies.alleles[site.contig][i].get(site.name, 0)
        gt.append(allele or (STAR if deleted(site, copies.alleles[site.contig][i], sites) else 0))
    if len(gt) == 1 and person.gt_style == "diploid":
        gt = gt * 2
    if len(gt) == 2 and world.kind(site.contig) == "mt" and person.gt_style == "haploid" and gt[0] == gt[1]:
        gt = gt[:1]
    return sorted(gt, key=lambda a: (a == STAR, a))


def parse_gt(text: str) -> Gt:
    """0/1, ./1, 1 -> alleles."""
    return [None if a == "." else int(a) for a in text.replace("|", "/").split("/")]


def deleted(site: Site, copy: dict[str, int], sites: list[Site]) -> bool:
    """Does another site's deletion on this copy take away the site's first base?"""
    for other in sites:
        near = other.contig == site.contig and 0 < site.form.pos - other.form.pos < 50
        if near and copy.get(other.name):
            alt = other.form.alts[copy[other.name] - 1]
            if len(alt) == 1 and site.form.pos < other.form.pos + len(other.form.ref):
                return True
    return False


def one_record(world: World, site: Site, person: Person, gt: Gt, listed: list[int]) -> Record:
    """One sample's record: alleles renumbered to the listed ALTs, with depths and qualities."""
    form = site.form_at(person.node)
    alts = [form.alts[a - 1] for a in listed] + (["*"] if STAR in gt else [])
    return sample_record(world, site, person, gt, listed, tuple(alts))


def sample_record(world: World, site: Site, person: Person, gt: Gt, listed: list[int], alts: tuple[str, ...]) -> Record:
    """The record with the given ALTs; prescribed values go before random good ones."""
    form, said = site.form_at(person.node), site.written.get(person.name, {})
    numbers: dict[int | None, int | None] = {
        0: 0,
        None: None,
        STAR: len(alts),
        **{a: i for i, a in enumerate(listed, start=1)},
    }
    new_gt: Genotype = tuple(numbers[a] for a in gt)
    rng = random.Random(f"{world.seed}:call:{person.name}:{site.name}")
    dp, gq = random_depth(world, site, person, rng), rng.choice([99, 99, 99, rng.randrange(40, 99)])
    dp = said.get("dp", dp)
    ad = split_depth(rng, 30 if dp is None else dp, new_gt, len(alts) + 1)
    ad = tuple(said.get("ad", ad))
    filter_ = site.filters.get(person.node, site.filters.get(person.name, "PASS"))
    record = Record(site.contig, form.pos, form.ref, alts, new_gt, ad, dp, said.get("gq", gq), filter_)
    named = site.frequency == 0
    return record if named else sometimes_bad(rng, record)


def random_depth(world: World, site: Site, person: Person, rng: random.Random) -> int:
    """A good depth for this person here: half on a single copy, much on MT."""
    kind = world.kind(site.contig)
    if kind == "mt":
        return rng.randrange(80, 400)
    alone = kind == "y" or (kind == "x" and person.karyotype in ("XY", "X0"))
    if alone and not world.in_par(site.contig, site.form.pos):
        return rng.randrange(11, 20)
    return rng.randrange(24, 41)


def split_depth(rng: random.Random, dp: int, gt: Genotype, alleles: int) -> tuple[int, ...]:
    """AD: the depth shared evenly, give or take a tenth, among the alleles of the genotype."""
    present = sorted({a for a in gt if a is not None}) or [0]
    ad = [0] * alleles
    for a in present:
        ad[a] = dp // len(present)
    if len(present) == 2:
        tilt = rng.randrange(-(dp // 10), dp // 10 + 1)
        ad[present[0]] += tilt + dp % 2
        ad[present[1]] -= tilt
    return tuple(ad)


def sometimes_bad(rng: random.Random, record: Record) -> Record:
    """One background genotype in fifty has a low GQ, a low depth or a bad balance."""
    kind = rng.randrange(150)
    if kind == 0:
        return replace(record, gq=rng.randrange(0, 20))
    if kind == 1:
        return replace(record, dp=8, ad=split_depth(rng, 8, record.gt, len(record.ad)))
    if kind == 2 and len(record.ad) == 2 and len(set(record.gt)) == 2:
        return replace(record, dp=30, ad=(26, 4))
    return record


def grow_blocks(world: World, person: Person, records: list[Record]) -> list[Block]:
    """Reference blocks over all known bases that are under no record's REF."""
    named = [b for b in world.blocks if b.who == person.name]
    under = [Interval(r.contig, r.pos - 1, r.pos - 1 + len(r.ref)) for r in records]
    blocks = [
        Block(piece.contig, piece.start, piece.end, tuple(parse_gt(b.gt)), b.gq, b.dp, b.min_dp)
        for b in named
        for piece in subtract(b.place, under)
    ]
    for place in known_places(world):
        rng = random.Random(f"{world.seed}:blocks:{person.name}:{place.contig}:{place.start}")
        start = place.start
        while start < place.end:
            end = min(start + rng.randrange(60, 500), place.end)
            block = random_block(world, person, rng, Interval(place.contig, start, end))
            holes = [*under, *(b.place for b in named)]
            pieces = subtract(Interval(place.contig, start, end), holes)
            blocks += [replace(block, start=p.start, end=p.end) for p in pieces]
            start = end
    return sorted(blocks, key=lambda b: (b.contig, b.start))


def random_block(world: World, person: Person, rng: random.Random, place: Interval) -> Block:
    """A good block, or with the person's share of bad ones: low GQ, low MIN_DP, or nothing seen."""
    gt: Genotype = (0, 0)
    kind, par = world.kind(place.contig), world.in_par(place.contig, place.start + 1)
    single = person.karyotype in ("XY", "X0") and kind in ("x", "y") and not par
    if single and person.gt_style == "haploid" and not world.in_par(place.contig, place.end):
        gt = (0,)
    if kind == "y" and "Y" not in person.karyotype:
        return Block(place.contig, place.start, place.end, gt, gq=0, dp=0, min_dp=0)
    dp = rng.randrange(11, 20) if single else rng.randrange(24, 40)
    good = Block(place.contig, place.start, place.end, gt, rng.randrange(30, 100), dp, dp - rng.randrange(0, 5))
    if rng.random() >= person.bad_blocks:
        return good
    low_dp = replace(good, dp=7 if single else 13, min_dp=4 if single else 8)
    nothing = replace(good, gt=(None, None), gq=0, dp=0, min_dp=0)
    return rng.choice([replace(good, gq=rng.randrange(0, 20)), low_dp, nothing])


# ---- one file a cohort: VCF ----


def cohort_members(
    world: World, node: str, people: list[Person], sites: list[Site], copies: dict[str, Copies]
) -> list[Member]:
    """Everybody has every record of the file; between them the BED speaks."""
    members = {p.name: new_member(p) for p in people}
    bed = callable_places(world)
    for member in members.values():
        member.declared = bed
    for site in sorted(sites, key=lambda s: (s.contig, s.form_at(node).pos)):
        gts = {p.name: written_genotype(world, site, p, copies[p.name], sites) for p in people}
        alleles = {a for gt in gts.values() for a in gt if a is not None}
        if not any(a > 0 for a in alleles):
            continue
        listed = sorted(a for a in alleles if a > 0)
        form = site.form_at(node)
        alts = tuple([form.alts[a - 1] for a in listed] + (["*"] if STAR in alleles else []))
        for person in people:
            record = sample_record(world, site, person, gts[person.name], listed, alts)
            members[person.name].records.append(contaminate(world, person, site, record))
    return list(members.values())


def callable_places(world: World) -> list[Interval]:
    """The regions of cedar's BED."""
    whole = [Interval(c.name, 0, c.length) for c in world.contigs]
    return [piece for place in whole for piece in subtract(place, world.cedar_not_callable)]


def contaminate(world: World, person: Person, site: Site, record: Record) -> Record:
    """Foreign DNA makes most hom-ALT and half as many hom-REF genotypes of a contaminated person look het."""
    if not person.contaminated or len(set(record.gt)) != 1 or record.gt[0] is None or record.dp is None:
        return record
    rng = random.Random(f"{world.seed}:contamination:{person.name}:{site.name}")
    share = person.contaminated if record.gt[0] else person.contaminated / 2
    if rng.random() >= share:
        return record
    ad = [0] * len(record.ad)
    ad[0], ad[1] = (record.dp // 3, record.dp - record.dp // 3)
    return replace(record, gt=(0, 1), ad=tuple(ad))
