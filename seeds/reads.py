"""Sequences people: even, clean paired reads with adapters, duplicates and errors, as gzipped FASTQ."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from people import X_COPIES, Copies
from world import Person, Site, World

READ = 150
ADAPTERS = (
    "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACATCACGATCTCGTATGC",
    "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTAGATCTCGGTGGTCGCCG",
)
FRAGMENT, SPREAD = 400, 40
MT_DEPTH = 60.0
ERROR_RATE, DUPLICATE_RATE, SHORT_RATE = 0.001, 0.01, 0.02
GOOD, BAD = "F", "+"  # Phred 37 and 10
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def molecules(world: World, sites: list[Site], sequences: dict[str, str], copies: Copies) -> list[tuple[str, float]]:
    """A person's DNA: each molecule and its depth (0: half the person's); Y brings its PARs."""
    found = []
    for contig in world.contigs:
        for i, _ in enumerate(copies.alleles[contig.name]):
            if contig.kind == "mt":
                share = (1 - world.mt_level, world.mt_level)[i] * MT_DEPTH
                found.append((with_alleles(sites, sequences, copies, contig.name, i), share))
            elif contig.kind == "y":
                found.append((y_molecule(world, sites, sequences, copies, contig.name, i), 0.0))
            elif contig.kind == "autosome" or X_COPIES[copies.karyotype][i] == "X":
                found.append((with_alleles(sites, sequences, copies, contig.name, i), 0.0))
    return found


def with_alleles(
    sites: list[Site],
    sequences: dict[str, str],
    copies: Copies,
    contig: str,
    copy: int,
    start: int = 0,
    end: int = -1,
) -> str:
    """The bases [start, end) of a contig with one copy's alleles in place of REF."""
    sequence, pieces, done = sequences[contig], [], start
    end = len(sequence) if end < 0 else end
    for site in sorted((s for s in sites if s.contig == contig), key=lambda s: s.form.pos):
        allele = copies.alleles[contig][copy].get(site.name, 0)
        if allele and start < site.form.pos <= end:
            if site.form.pos - 1 < done:
                raise ValueError(f"site {site.name}: overlaps another variant on the same copy")
            pieces += [sequence[done : site.form.pos - 1], site.form.alts[allele - 1]]
            done = site.form.pos - 1 + len(site.form.ref)
    return "".join([*pieces, sequence[done:end]])


def y_molecule(world: World, sites: list[Site], sequences: dict[str, str], copies: Copies, y: str, copy: int) -> str:
    """PAR1, the middle of Y, PAR2: the PARs are those of the copy that X's list calls Y."""
    x = next(c.name for c in world.contigs if c.kind == "x")
    par_copy = X_COPIES[copies.karyotype].index("Y")
    ends = [with_alleles(sites, sequences, copies, x, par_copy, *par.x) for par in world.pars]
    middle = with_alleles(sites, sequences, copies, y, copy, world.pars[0].y[1], world.pars[1].y[0])
    return ends[0] + middle + ends[1]


def fragments(rng: random.Random, molecule: str, depth: float) -> list[str]:
    """Pieces of a molecule, starts evenly spread with a little chance, on both strands; none with N."""
    number = round(depth * len(molecule) / (2 * READ))
    found = []
    for i in range(number):
        length = round(rng.gauss(FRAGMENT, SPREAD))
        if rng.random() < SHORT_RATE:
            length = rng.randrange(115, READ - 2)
        start = int((i + rng.random()) * (len(molecule) - length) / number)
        piece = molecule[start : start + length]
        if "N" not in piece:
            found.append(piece if rng.random() < 0.5 else piece.translate(COMPLEMENT)[::-1])
    return found


def read_pair(rng: random.Random, fragment: str) -> tuple[str, str, str, str]:
    """Both ends of a fragment with their qualities; a short fragment is read into the adapters."""
    first = (fragment + ADAPTERS[0])[:READ]
    second = (fragment.translate(COMPLEMENT)[::-1] + ADAPTERS[1])[:READ]
    return (*with_errors(rng, first), *with_errors(rng, second))


def with_errors(rng: random.Random, read: str) -> tuple[str, str]:
    """One base in a thousand wrong, and known to be doubtful."""
    quality = GOOD * len(read)
    position = rng.expovariate(ERROR_RATE)
    while position < len(read):
        at = int(position)
        wrong = rng.choice([b for b in "ACGT" if b != read[at]])
        read, quality = read[:at] + wrong + read[at + 1 :], quality[:at] + BAD + quality[at + 1 :]
        position += 1 + rng.expovariate(ERROR_RATE)
    return read, quality


def sequence_person(
    world: World, person: Person, sites: list[Site], sequences: dict[str, str], copies: Copies
) -> list[str]:
    """All fragments of a person in random order, with duplicates and, if prescribed, foreign DNA."""
    rng = random.Random(f"{world.seed}:reads:{person.name}")
    found = []
    for molecule, depth in molecules(world, sites, sequences, copies):
        found += fragments(rng, molecule, depth or person.depth / 2)
    found += rng.sample(found, round(DUPLICATE_RATE * len(found)))
    foreign = round(len(found) * person.foreign / (1 - person.foreign))
    found += ["".join(rng.choices("ACGT", k=FRAGMENT)) for _ in range(foreign)]
    rng.shuffle(found)
    return found


def write_reads(world: World, person: Person, pieces: list[str], folder: Path) -> list[tuple[str, str, str]]:
    """Write the lanes; give (read group, file name of R1, file name of R2) of each."""
    rng = random.Random(f"{world.seed}:errors:{person.name}")
    lanes = []
    for lane in range(1, person.lanes + 1):
        texts: tuple[list[str], list[str]] = ([], [])
        for i, fragment in enumerate(pieces[lane - 1 :: person.lanes]):
            bases_1, quality_1, bases_2, quality_2 = read_pair(rng, fragment)
            texts[0].append(f"@{person.name}:{lane}:{i}/1\n{bases_1}\n+\n{quality_1}\n")
            texts[1].append(f"@{person.name}:{lane}:{i}/2\n{bases_2}\n+\n{quality_2}\n")
        names = [f"{person.name}_L{lane}_R{mate}.fastq.gz" for mate in (1, 2)]
        for name, text in zip(names, texts, strict=True):
            (folder / name).write_bytes(gzip.compress("".join(text).encode(), 4, mtime=0))
        lanes.append((f"L{lane}", names[0], names[1]))
    return lanes
