"""Random small cohorts and gVCFs as VCF text, rich in what real files hold and callers disagree about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from vcf_oracle import Genome

KARYOTYPES = ("XX", "XY", "X0", "XXY", "XYY", "XXX", "NA")
SEXES = {"XX": "F", "XY": "M"}
FORMATS = {"GT": "String", "AD": "Integer", "DP": "Integer", "GQ": "Integer", "MIN_DP": "Integer"}
#: values around the thresholds of adj, and around the edges of histograms
QUALITIES = (0, 4, 5, 19, 20, 21, 60, 99, 100, 150)
DEPTHS = (0, 1, 4, 5, 6, 9, 10, 11, 25, 40, 100, 130)
LONGEST = 6


@dataclass(frozen=True)
class Cohort:
    """A file and what is known besides it: a genome, and karyotype and stratum of each column's person."""

    genome: Genome
    names: list[str]
    people: list[tuple[str, str]]
    text: str


def random_genome(random: Random) -> Genome:
    """Four contigs; homopolymers and short repeats, so that an indel can be written in many ways."""
    contigs = {
        "chr1": ("autosome", random_bases(random, 150)),
        "chrX": ("x", random_bases(random, 120)),
        "chrY": ("y", random_bases(random, 110)),
        "chrM": ("mt", random_bases(random, 60)),
    }
    return Genome(contigs, [(0, 30), (100, 120)], [(0, 25), (95, 110)])


def random_bases(random: Random, length: int) -> str:
    """Words of one to three bases, repeated up to four times."""
    bases = ""
    while len(bases) < length:
        word = "".join(random.choices("ACGT", k=random.randint(1, 3)))
        bases += word * random.choice((1, 1, 2, 4))
    return bases[:length]


def random_cohort(seed: int, people: int, lines: int, *, blocks: bool) -> Cohort:
    """`lines` variant lines over `people`; with `blocks` also reference blocks, as a gVCF has them."""
    random = Random(seed)
    genome = random_genome(random)
    karyotypes = [random.choice(KARYOTYPES if random.random() < 0.3 else ("XX", "XY")) for _ in range(people)]
    strata = [f"{random.choice(('XA', 'XB'))}_{SEXES.get(k, 'U')}" for k in karyotypes]
    names = [f"p{i}" for i in range(people)]
    left_out = set() if random.random() < 0.5 else {random.choice(("GQ", "DP", "AD", "MIN_DP"))}
    declared = [name for name in FORMATS if name not in left_out]
    writer = _Writer(random, genome, people, declared, blocks)
    rows = [writer.line() for _ in range(lines)]
    rows += [writer.block() for _ in range(lines if blocks else 0)]
    rows += random.choices(rows, k=len(rows) // 8)  # the same line again
    order = [*genome.contigs, "decoy"]
    rows.sort(key=lambda row: (order.index(row[0]), int(row[1])))
    return Cohort(genome, names, list(zip(karyotypes, strata, strict=True)), text_of(genome, declared, names, rows))


def text_of(genome: Genome, declared: Sequence[str], names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Header and lines; alleles that are not written in bases are declared, so that BCF takes them."""
    lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=LowQual,Description="low">']
    lines += ['##ALT=<ID=NON_REF,Description="any">', '##ALT=<ID=DEL,Description="deletion">']
    lines += ['##INFO=<ID=END,Number=1,Type=Integer,Description="last base">']
    lines += [
        f'##FORMAT=<ID={f},Number={"R" if f == "AD" else 1},Type={FORMATS[f]},Description="{f}">' for f in declared
    ]
    lines += [f"##contig=<ID={name},length={len(bases)}>" for name, (_, bases) in genome.contigs.items()]
    lines += ["##contig=<ID=decoy,length=50>"]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]
    return "\n".join([*lines, *("\t".join(row) for row in [columns, *rows])]) + "\n"


class _Writer:
    """Draws lines of one file."""

    def __init__(self, random: Random, genome: Genome, people: int, declared: Sequence[str], gvcf: bool) -> None:
        self.random, self.genome, self.people, self.declared, self.gvcf = random, genome, people, declared, gvcf

    def line(self) -> list[str]:
        """A variant line somewhere; rarely on a contig that is not counted."""
        random = self.random
        if random.random() < 0.03:
            return ["decoy", "5", ".", "A", "C", ".", "PASS", ".", *self.cells(1, reference=False)]
        contig = random.choice([*self.genome.contigs, "chr1", "chrX"])
        bases = self.genome.contigs[contig][1]
        pos = random.choice((random.randint(1, len(bases)), self.near_border(contig, len(bases))))
        ref = bases[pos - 1 : pos - 1 + random.choice((1, 1, 1, 2, LONGEST))]
        alts = list(dict.fromkeys(self.alt(ref) for _ in range(random.choice((1, 1, 2, 3)))))
        alts = [alt for alt in alts if alt != ref] or ["*"]
        alts += ["<NON_REF>"] if self.gvcf and random.random() < 0.8 else []
        passed = random.choices(("PASS", ".", "LowQual"), (8, 2, 1))[0]
        shown = ref.lower() if random.random() < 0.1 else ref
        cells = self.cells(len(alts), reference=False)
        return [contig, str(pos), ".", shown, ",".join(alts), ".", passed, ".", *cells]

    def near_border(self, contig: str, length: int) -> int:
        """A POS within some bases of a PAR border, or of an end of the contig."""
        pars = self.genome.par_x if contig == "chrX" else self.genome.par_y if contig == "chrY" else []
        border = self.random.choice([0, length, *(edge for par in pars for edge in par)])
        return min(length, max(1, border + self.random.randint(-4, 4)))

    def alt(self, ref: str) -> str:
        """An SNV or MNV, an indel at any place within REF, a spanning deletion, a symbolic allele or a breakend."""
        random = self.random
        kind = random.choices(("change", "insert", "delete", "*", "<DEL>", "]chr1:9]A"), (8, 6, 6, 2, 2, 1))[0]
        if kind in ("*", "<DEL>", "]chr1:9]A"):
            return kind
        at = random.randrange(len(ref))
        if kind == "insert":
            copied = random.choice((ref, ref[at:], "".join(random.choices("ACGT", k=random.randint(1, 3)))))
            return ref[: at + 1] + copied + ref[at + 1 :]
        if kind == "delete" and len(ref) > 1:
            gone = min(random.randint(1, 3), len(ref) - 1)
            at = random.randint(0, len(ref) - gone)
            return ref[:at] + ref[at + gone :]
        return ref[:at] + random.choice("ACGT".replace(ref[at], "")) + ref[at + 1 :]

    def block(self) -> list[str]:
        """A reference block, or a reference record of one base."""
        random = self.random
        contig = random.choice(list(self.genome.contigs))
        bases = self.genome.contigs[contig][1]
        pos = random.randint(1, len(bases))
        end = random.choice((pos, random.randint(pos, len(bases)), random.randint(pos, len(bases))))
        alt = random.choice(("<NON_REF>", "<NON_REF>", "<*>", "."))
        cells = self.cells(0 if alt == "." else 1, reference=True)
        info = f"END={end}" if end > pos or random.random() < 0.5 else "."
        return [contig, str(pos), ".", bases[pos - 1], alt, ".", random.choice((".", ".", "PASS")), info, *cells]

    def cells(self, alts: int, *, reference: bool) -> list[str]:
        """FORMAT and a cell for each person; fields are left out of a line, and off the ends of cells."""
        random = self.random
        fields = [f for f in self.declared if f == "GT" or random.random() < 0.93]
        fields = [f for f in fields if reference or f != "MIN_DP"]
        return [":".join(fields), *(self.cell(fields, alts, reference) for _ in range(self.people))]

    def cell(self, fields: Sequence[str], alts: int, reference: bool) -> str:
        """One person's values; mostly good, so that most people are counted."""
        random = self.random
        good = random.random() < 0.6
        depth = 40 if good else random.choice(DEPTHS)
        drawn = {
            "GT": self.genotype(0 if reference and random.random() < 0.9 else alts),
            "GQ": "60" if good else random.choice((".", *map(str, QUALITIES))),
            "DP": str(depth) if random.random() < 0.95 else ".",
            "MIN_DP": str(random.choice((depth, *DEPTHS))) if random.random() < 0.9 else ".",
            "AD": self.reads(depth, alts, good),
        }
        values = [drawn[f] for f in fields]
        kept = random.randint(1, len(values)) if random.random() < 0.05 else len(values)
        return ":".join(values[:kept])

    def reads(self, depth: int, alts: int, good: bool) -> str:
        """AD of each allele; around a fifth of the depth unless good; sometimes wholly or partly missing."""
        if self.random.random() < 0.04:
            return "."
        shares = [
            depth // 3 if good else self.random.choice((0, depth // 5 - 1, depth // 5, depth)) for _ in range(alts)
        ]
        parts = [str(max(0, n)) for n in (depth, *shares)]
        if self.random.random() < 0.03:
            parts[self.random.randrange(len(parts))] = "."
        return ",".join(parts)

    def genotype(self, alts: int) -> str:
        """Haploid or diploid, phased or not, half known or not at all."""
        random = self.random
        first, second = (random.choices(("0", str(random.randint(0, alts)), "."), (4, 6, 1))[0] for _ in range(2))
        if random.random() < 0.3:
            second = first
        if random.random() < 0.15:
            return first
        return f"{first}{random.choice('/|')}{second}"
