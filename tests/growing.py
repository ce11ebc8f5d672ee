"""A few people with calls of their own, as one gVCF each, as one cohort VCF, and as one file of some of them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from handmade import BUILD, LENGTHS, fasta, vcf, write
from nation import run

#: name -> karyotype and population
PEOPLE = {"ann-1": "XX EE", "ben-2": "XY EE", "cat-3": "XX LV", "dan-4": "XY LV", "eva-5": "X0 EE", "fin-6": "XY EE"}
#: the base at 1-based POS is the letter (POS - 1) % 4 of this
MOTIF = "ACGT"
SEQUENCES = {name: MOTIF * (length // 4) for name, length in LENGTHS.items()}
SITES = [("chr1", 5), ("chr1", 9), ("chr1", 130), ("chrX", 30), ("chrX", 100), ("chrY", 90), ("chrM", 7)]


@dataclass(frozen=True)
class Growing:
    """A folder with the files of everybody: `NAME.g.vcf` each, or `cohort.vcf` for all when `shared`."""

    folder: Path
    shared: bool

    @property
    def rules(self) -> list[object]:
        """The options that fix the rules."""
        return ["--build", self.folder / "build.yaml", "--reference", self.folder / "reference.fa"]

    @property
    def callable(self) -> list[object]:
        """The option that says where a cohort file without a record means reference."""
        return ["--callable", self.folder / "callable.bed"] if self.shared else []

    def source(self, name: str) -> Path:
        """The file that holds a person."""
        return self.folder / ("cohort.vcf" if self.shared else f"{name}.g.vcf")

    def sheet(self, names: Iterable[str], consent: str = "DUO:0000042") -> Path:
        """A sheet of these people."""
        names = list(names)
        rows = [[n, *PEOPLE[n].split(), consent, str(self.source(n))] for n in names]
        header = ["sample", "sex", "population", "consent", "vcf" if self.shared else "gvcf"]
        path = self.folder / f"{'-'.join(names)}.{consent.replace(':', '')}.tsv"
        return write(path, "\n".join("\t".join(row) for row in [header, *rows]) + "\n")

    def counted_in_one_go(self, names: Collection[str], out: Path) -> Path:
        """What `tessera count` says of a file that holds these people alone."""
        kept = [name for name in PEOPLE if name in names]
        file = write(self.folder / "some.vcf", text(kept, shared=self.shared))
        if kept:
            run("count", "--input", file, "--samples", self.sheet_without_files(kept), *self.rules, *self.callable,
                "--out", out)  # fmt: skip
        else:
            run("merge", *self.rules, "--out", out)
        return out

    def sheet_without_files(self, names: Sequence[str]) -> Path:
        """A sheet for `tessera count`."""
        rows = [[n, *PEOPLE[n].split(), "DUO:0000042"] for n in names]
        header = ["sample", "sex", "population", "consent"]
        return write(self.folder / "some.tsv", "\n".join("\t".join(row) for row in [header, *rows]) + "\n")


def grown(folder: Path, *, shared: bool) -> Growing:
    """Write everybody's files."""
    folder.mkdir(parents=True, exist_ok=True)
    growing = Growing(folder, shared)
    write(folder / "build.yaml", BUILD)
    fasta(folder / "reference.fa", SEQUENCES)
    write(folder / "callable.bed", "chr1\t0\t300\nchrX\t20\t290\nchrY\t60\t200\nchrM\t0\t100\n")
    if shared:
        write(folder / "cohort.vcf", text(list(PEOPLE), shared=True))
    else:
        for name in PEOPLE:
            write(growing.source(name), text([name], shared=False))
    return growing


def text(names: Sequence[str], *, shared: bool) -> str:
    """The file of some people: the same records whoever is in it, and of each person the same values."""
    cells = {name: values(name) for name in PEOPLE}
    lines = []
    for number, (contig, pos) in enumerate(SITES):
        ref = MOTIF[(pos - 1) % 4]
        alt = "G" if ref in "AC" else "A"
        if not shared:
            lines.append(block(contig, pos, [cells[name][number] for name in names]))
        told = [cells[name][number][0] for name in names]
        lines.append(f"{contig} {pos} {ref} {alt}{'' if shared else ',<NON_REF>'} PASS . GT:GQ:DP {' '.join(told)}")
    return vcf(names, lines)


def block(contig: str, before: int, cells: Sequence[tuple[str, str]]) -> str:
    """The reference block of four bases before a variant."""
    pos = before - 4
    told = " ".join(cell[1] for cell in cells)
    return f"{contig} {pos} {MOTIF[(pos - 1) % 4]} <NON_REF> . END={before - 1} GT:GQ:DP:MIN_DP {told}"


def values(name: str) -> list[tuple[str, str]]:
    """A person's cells at each site: the call, and the block before it."""
    draw = random.Random(name)
    found = []
    for _ in SITES:
        genotype = draw.choice(("0/0", "0/1", "1/1", "0/1", "1/1", "./1"))
        quality, depth = draw.choice((60, 60, 40, 40, 19)), draw.choice((30, 24, 24, 9))
        found.append((f"{genotype}:{quality}:{depth}", f"0/0:{draw.choice((60, 40, 40, 10))}:{depth}:{depth - 2}"))
    return found
