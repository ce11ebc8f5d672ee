"""Makes the miniature reference: random bases, then repeats and every named site's REF written into it."""

from __future__ import annotations

import random

from world import World


def grow_reference(world: World) -> dict[str, str]:
    """Contig name -> bases; gaps and the PARs of Y are N. A site whose REF does not fit raises ValueError."""
    sequences = {c.name: random_bases(f"{world.seed}:{c.name}", c.length) for c in world.contigs}
    for site in world.sites:
        for form in (site.form, *site.forms.values()):
            write(sequences, site.contig, form.pos, form.ref)
    for repeat in world.repeats:
        write(sequences, repeat.contig, repeat.at, repeat.bases)
    for contig, start, end in masked(world):
        write(sequences, contig, start + 1, "N" * (end - start))
    check_sites(world, sequences)
    return sequences


def random_bases(seed: str, length: int) -> str:
    """So many random bases."""
    return "".join(random.Random(seed).choices("ACGT", k=length))


def write(sequences: dict[str, str], contig: str, pos: int, bases: str) -> None:
    """Replace bases from a 1-based position on."""
    old = sequences[contig]
    sequences[contig] = old[: pos - 1] + bases + old[pos - 1 + len(bases) :]


def masked(world: World) -> list[tuple[str, int, int]]:
    """Stretches of N: the gaps, and the PARs of Y."""
    gaps = [(gap.contig, gap.start, gap.end) for gap in world.gaps]
    y = next(c.name for c in world.contigs if c.kind == "y")
    return gaps + [(y, par.y[0], par.y[1]) for par in world.pars]


def check_sites(world: World, sequences: dict[str, str]) -> None:
    """Every way to write a site must have the reference's own bases as REF."""
    for site in world.sites:
        for form in (site.form, *site.forms.values()):
            found = sequences[site.contig][form.pos - 1 : form.pos - 1 + len(form.ref)]
            if found != form.ref:
                raise ValueError(f"site {site.name}: REF {form.ref} at {form.pos}, but the reference has {found}")
