"""Cohort files of which every count is known: haplotypes to VCF and BCF, a FASTA that they fit, and the truth.

A seed fixes everything. Genotypes are phased and bare, or look like a joint call: AD, DP, GQ and PL, missing
genotypes, half-calls, several ALT alleles, and indels. Positions are unique and every FILTER is PASS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import polars as pl
import pysam

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Haplotypes = Iterable[tuple[int, npt.NDArray[np.int8]]]

CONTIG = "chr22"
POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
SEXES = {"XX": "F", "XY": "M"}
STRATA = [f"{population}_{letter}" for population in POPULATIONS for letter in SEXES.values()]
LONGEST_INDEL = 8
#: the number 0..1999 as bytes, filled up with zeros, which are dropped when a line is complete
DIGITS = np.array([list(str(number).ljust(4, "\0").encode()) for number in range(2000)], dtype=np.uint8)
TRUTH = ("n_dip", "n_het", "n_homalt", "half_alleles", "half_alt")


@dataclass(frozen=True)
class Cohort:
    """What fixes a cohort: two with equal values are equal files."""

    name: str
    people: int
    bases: int
    seed: int
    joint: bool = False

    @property
    def indels(self) -> float:
        """Share of the sites that are insertions or deletions."""
        return 0.11 if self.joint else 0.04


@dataclass(frozen=True)
class Site:
    """A record: 1-based POS, alleles as written, and the two alleles of each person (people, 2), -1 missing."""

    pos: int
    ref: str
    alts: tuple[str, ...]
    alleles: npt.NDArray[np.int8]


def write_cohort(folder: Path, cohort: Cohort, haplotypes: Haplotypes) -> None:
    """Write cohort.vcf, reference.fa, samples.tsv, groups.tsv, strata.tsv, build.yaml and truth.parquet.

    `haplotypes` gives a 0-based position (rising) and the alleles of 2 x people chromosomes, population by
    population; people are shuffled here, as files do not come sorted by population.
    """
    rng = np.random.default_rng(cohort.seed)
    reference = write_reference(folder / "reference.fa", cohort.bases, rng)
    order = rng.permutation(cohort.people)
    origins = np.repeat(np.arange(5), [len(part) for part in np.array_split(order, 5)])[order]
    strata = origins * 2 + rng.integers(0, 2, cohort.people)
    _write_people(folder, strata)
    (folder / "build.yaml").write_text(
        f"name: bench\ncontigs:\n  - {{name: {CONTIG}, kind: autosome, length: {cohort.bases}}}\n"
    )
    depths = rng.normal(32, 4, cohort.people).clip(15)
    truth = Truth(strata)
    with (folder / "cohort.vcf").open("wb", buffering=1 << 22) as file:
        file.write(_header(cohort).encode())
        for site in _sites(haplotypes, order, reference, cohort, rng):
            if cohort.joint:
                _write_joint(file, site, depths, truth, rng)
            else:
                truth.add(site)
                cells = _genotypes(site.alleles, np.full(len(site.alleles), ord("|"), np.uint8))
                _write_line(file, site, f"NS={cohort.people}\tGT", "100", cells.tobytes())
    truth.write(folder / "truth.parquet")


def write_reference(path: Path, bases: int, rng: np.random.Generator) -> bytes:
    """A random contig with short tandem repeats, in which indels move when they are left-aligned; its bases."""
    contig = rng.choice(np.frombuffer(b"ACGT", np.uint8), bases)
    for start in rng.integers(0, bases, bases // 1000):
        unit = int(rng.integers(1, 5))
        repeat = np.resize(contig[start : start + unit], 30)
        contig[start : start + 30] = repeat[: bases - start]
    path.write_bytes(b">%s\n%s\n" % (CONTIG.encode(), contig.tobytes()))
    pysam.faidx(str(path))
    return contig.tobytes()


def _write_people(folder: Path, strata: Ints) -> None:
    names, labels = person_names(len(strata)), [STRATA[index] for index in strata]
    karyotypes = {letter: sex for sex, letter in SEXES.items()}
    sheet = [f"{n}\t{karyotypes[label[-1]]}\t{label[:-2]}" for n, label in zip(names, labels, strict=True)]
    pairs = "".join(f"{n}\t{label}\n" for n, label in zip(names, labels, strict=True))
    (folder / "samples.tsv").write_text("\n".join(["sample\tsex\tpopulation", *sheet]) + "\n")
    (folder / "groups.tsv").write_text(pairs)
    (folder / "strata.tsv").write_text("#IID\tSTRATUM\n" + pairs)


def person_names(people: int) -> list[str]:
    return [f"S{number:06d}" for number in range(people)]


def _header(cohort: Cohort) -> str:
    fields = ["INFO=<ID=NS,Number=1", "FORMAT=<ID=GT,Number=1"]
    if cohort.joint:
        fields = ["INFO=<ID=AC,Number=A", "INFO=<ID=AN,Number=1", "INFO=<ID=DP,Number=1", *fields[1:]]
        fields += [f"FORMAT=<ID={key},Number={n}" for key, n in (("AD", "R"), ("DP", 1), ("GQ", 1), ("PL", "G"))]
    kinds = [f'##{f},Type={"String" if "=GT," in f else "Integer"},Description="see VCF">' for f in fields]
    contig = f"##contig=<ID={CONTIG},length={cohort.bases}>"
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *person_names(cohort.people)]
    return "\n".join(["##fileformat=VCFv4.3", contig, *kinds, "\t".join(columns)]) + "\n"


def _sites(
    haplotypes: Haplotypes, order: Ints, reference: bytes, cohort: Cohort, rng: np.random.Generator
) -> Iterator[Site]:
    for position, found in haplotypes:
        chromosomes = _dense(found)
        if cohort.joint and chromosomes.max() == 1 and rng.random() < 0.03:
            chromosomes = _with_more_alleles(chromosomes, rng)
        if chromosomes.max() > 0:
            ref, alts = _alleles_at(reference, position, int(chromosomes.max()), cohort.indels, rng)
            yield Site(position + 1, ref, alts, chromosomes.reshape(-1, 2)[order])


def _dense(alleles: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """The alleles renumbered so that none is skipped; 0 stays the reference."""
    held = np.bincount(alleles, minlength=2) > 0
    held[0] = True
    return alleles if held.all() else (np.cumsum(held) - 1).astype(np.int8)[alleles]


def _with_more_alleles(alleles: npt.NDArray[np.int8], rng: np.random.Generator) -> npt.NDArray[np.int8]:
    carriers = np.flatnonzero(alleles)
    changed = alleles.copy()
    changed[carriers[rng.random(len(carriers)) < 0.3]] = 2
    if rng.random() < 0.3:
        changed[carriers[rng.random(len(carriers)) < 0.2]] = 3
    return _dense(changed)


def _alleles_at(
    reference: bytes, start: int, alts: int, indels: float, rng: np.random.Generator
) -> tuple[str, tuple[str, ...]]:
    """REF and ALT of a site with this many ALT alleles: bases, deletions, or insertions."""
    following = reference[start : start + 2 * LONGEST_INDEL].decode()
    draw, size = rng.random(), int(rng.integers(alts, LONGEST_INDEL + 1))
    if draw > indels or len(following) < 2 * LONGEST_INDEL:
        others = [base for base in "ACGT" if base != following[0]]
        return following[0], tuple(rng.permutation(others)[:alts].tolist())
    if draw < indels / 2:
        return following[: size + 1], tuple(following[:kept] for kept in range(1, alts + 1))
    # half of the insertions repeat what follows, as tandem repeats do
    more = following[1:] if rng.random() < 0.5 else "".join(rng.choice(list("ACGT"), 2 * LONGEST_INDEL))
    return following[0], tuple(following[0] + more[: size - n] for n in range(alts))


def _genotypes(alleles: npt.NDArray[np.int8], separators: Bytes) -> Bytes:
    """Tab and genotype of each person: (people, 4) bytes."""
    cells = np.empty((len(alleles), 4), np.uint8)
    cells[:, 0], cells[:, 2] = ord("\t"), separators
    cells[:, 1], cells[:, 3] = np.where(alleles < 0, ord("."), alleles + ord("0")).T
    return cells


def _write_line(file: BinaryIO, site: Site, info_and_format: str, qual: str, cells: bytes) -> None:
    columns = (CONTIG, site.pos, ".", site.ref, ",".join(site.alts), qual, "PASS", info_and_format)
    file.write("\t".join(map(str, columns)).encode() + cells + b"\n")


def _write_joint(
    file: BinaryIO, site: Site, depths: npt.NDArray[np.float64], truth: "Truth", rng: np.random.Generator
) -> None:
    """Blank some genotypes and halve others, then write the record with its likelihoods."""
    draw, people = rng.random(len(site.alleles)), len(site.alleles)
    often = 0.2 if rng.random() < 0.9 else rng.exponential(8)
    missing, half = draw < 0.01 * often, draw > 0.9995
    called = np.sort(site.alleles, axis=1)
    alleles = called.copy()
    alleles[missing] = -1
    alleles[half, 0] = -1
    seen = Site(site.pos, site.ref, site.alts, alleles)
    truth.add(seen)
    phased = (called[:, 0] != called[:, 1]) & (rng.random(people) < 0.1)
    depth, cells = _joint_cells(called, len(site.alts), depths, rng)
    cells[:, :4] = _genotypes(alleles, np.where(phased & ~missing, ord("|"), ord("/")).astype(np.uint8))
    # callers write a missing genotype short or with reads that did not suffice
    bare, reads = missing & (draw < 0.003 * often), ":" + ",".join("0" * (len(site.alts) + 1)) + ":0:.:."
    cells[missing, 4:] = 0
    cells[missing & ~bare, 4 : 4 + len(reads)] = np.frombuffer(reads.encode(), np.uint8)
    counts = [int((alleles == allele).sum()) for allele in range(1, len(site.alts) + 1)]
    info = f"AC={','.join(map(str, counts))};AN={int((alleles >= 0).sum())};DP={int(depth.sum())}"
    _write_line(file, seen, f"{info}\tGT:AD:DP:GQ:PL", f"{rng.exponential(3000):.2f}", cells[cells != 0].tobytes())


def _joint_cells(
    called: npt.NDArray[np.int8], alts: int, depths: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[Ints, Bytes]:
    """Depth of each person, and (people, width) bytes of GT (left empty), AD, DP, GQ and PL."""
    people, every = len(called), np.arange(len(called))
    first, second = called[:, 0].astype(np.int64), called[:, 1].astype(np.int64)
    het = first != second
    depth = rng.poisson(depths).clip(2, 999)
    # reads of the second allele, or a read in error
    minor = (rng.random(people) < 0.03).astype(np.int64)
    minor[het] = rng.binomial(depth[het], 0.48)
    reads = np.zeros((people, alts + 1), np.int64)
    reads[every, first] = depth - minor
    reads[every, np.where(het, second, (first + 1) % (alts + 1))] = minor
    quality = np.minimum(99, 3 * depth)
    binned = (second == 0) & (quality >= 10) & (rng.random(people) < 0.25)
    quality = np.where(binned, quality // 10 * 10, quality)
    quality[het] = np.where(rng.random(het.sum()) < 0.9, 99, rng.integers(20, 99, het.sum()))
    groups = (reads, depth[:, None], quality[:, None], _likelihoods(first, second, quality, alts, rng))
    return depth, np.hstack([np.zeros((people, 4), np.uint8), *map(_numbers, groups)])


def _likelihoods(first: Ints, second: Ints, quality: Ints, alts: int, rng: np.random.Generator) -> Ints:
    """PL (people, genotypes) in the order of VCF: zero where called, then the larger the fewer alleles are shared."""
    columns = []
    for b in range(alts + 1):
        for a in range(b + 1):
            shared = (first == a) | (first == b) | (second == a) | (second == b)
            noise = (rng.random(len(first)) * (quality + 1)).astype(np.int64)
            exact = (second == 0) & (a == 0)
            value = quality * np.where(shared, 1, 12) + np.where(exact, 0, noise)
            columns.append(np.where((first == a) & (second == b), 0, value))
    return np.stack(columns, axis=1)


def _numbers(values: Ints) -> Bytes:
    """A colon and (people, numbers) as text with commas: (people, 5 x numbers) bytes, zeros to be dropped."""
    people, numbers = values.shape
    cells = np.empty((people, numbers, 5), np.uint8)
    cells[:, :, 0] = ord(",")
    cells[:, 0, 0] = ord(":")
    cells[:, :, 1:] = DIGITS[values]
    return cells.reshape(people, numbers * 5)


class Truth:
    """What a count must find: per record, ALT and stratum, of people with both alleles, and of half-calls."""

    def __init__(self, strata: Ints) -> None:
        self._strata = strata
        self._keys: list[tuple[int, str, str]] = []
        self._counts: list[Ints] = []

    def add(self, site: Site) -> None:
        """Tally one record."""
        first, second = site.alleles.T
        full, half = (first >= 0) & (second >= 0), (first >= 0) != (second >= 0)
        people, halves = self._tally(full), self._tally(half)
        for allele, alt in enumerate(site.alts, start=1):
            copies = (first == allele).astype(np.int8) + (second == allele)
            parts = (people, self._tally(full & (copies == 1)), self._tally(full & (copies == 2)))
            self._keys.append((site.pos, site.ref, alt))
            self._counts.append(np.stack([*parts, halves, self._tally(half & (copies == 1))]))

    def _tally(self, who: npt.NDArray[np.bool_]) -> Ints:
        return np.bincount(self._strata[who], minlength=len(STRATA))

    def write(self, path: Path) -> None:
        """One row per variant and stratum."""
        counts = np.concatenate([rows.T for rows in self._counts]).astype(np.int32)
        columns = {name: [key[i] for key in self._keys for _ in STRATA] for i, name in enumerate(("pos", "ref", "alt"))}
        frame = pl.DataFrame({**columns, "stratum": STRATA * len(self._keys)}, schema_overrides={"pos": pl.Int32})
        frame.with_columns(pl.Series(name, counts[:, i]) for i, name in enumerate(TRUTH)).write_parquet(path)
