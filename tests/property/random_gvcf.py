"""Random gVCFs of one person in the dialects of callers: blocks that touch, leave gaps, overlap, begin together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from random_cohort import Cohort, random_bases, random_genome
from vcf_oracle import Genome

FIELDS = ("GT", "AD", "DP", "GQ", "MIN_DP", "GQX", "PL")
NUMBERS = {"AD": "R", "PL": "G"}


@dataclass(frozen=True)
class Dialect:
    """How a caller writes a reference block: its ALT, FORMAT, FILTERs, QUALs and what else is in INFO."""

    alt: str
    fields: str
    filters: Sequence[str]
    quals: Sequence[str]
    info: str


DIALECTS = {
    "gatk": Dialect("<NON_REF>", "GT:DP:GQ:MIN_DP:PL", (".",), (".",), "END={end}"),
    "reblocked": Dialect("<NON_REF>", "GT:DP:GQ", (".",), (".",), "END={end}"),
    "deepvariant": Dialect("<*>", "GT:GQ:MIN_DP:PL", (".", "."), ("0", "0.1"), "END={end}"),
    "dragen": Dialect("<NON_REF>", "GT:AD:DP:GQ:MIN_DP:PL", ("PASS", "LowQual"), (".", "1e-3"), "END={end}"),
    "bcftools": Dialect(".", "GT:MIN_DP:DP", (".", "PASS"), (".", "42.5"), "END={end};MIN_DP=7"),
    "strelka2": Dialect(".", "GT:GQX:DP:MIN_DP", ("PASS", "LowQual"), (".",), "END={end};BLOCKAVG_min30p3a"),
}


def random_gvcf(seed: int, dialect: Dialect, lines: int) -> Cohort:
    """One person's file on a random genome."""
    random = Random(seed)
    genome, karyotype = random_genome(random), random.choice(("XX", "XY", "XY", "X0"))
    sex = {"XX": "F", "XY": "M"}.get(karyotype, "U")
    rows = [
        row
        for contig, (_, bases) in genome.contigs.items()
        for row in rows_of(random, dialect, contig, bases, genome.par_x, lines)
    ]
    return Cohort(genome, ["p0"], [(karyotype, f"XA_{sex}")], text_of(genome, rows))


def rows_of(
    random: Random, dialect: Dialect, contig: str, bases: str, borders: Sequence[tuple[int, int]], lines: int
) -> list[list[str]]:
    """Lines of a contig in order; most blocks begin where the line before ends."""
    rows, pos, low = [], 1, False
    for _ in range(lines):
        if pos > len(bases):
            break
        end = min(len(bases), pos + random.choice((0, 0, 1, 3, 9, 30)))
        if random.random() < 0.1:
            end = random.choice([edge for par in borders for edge in par] + [len(bases)])
        end = max(pos, min(end, len(bases)))
        low = low if random.random() < 0.7 else not low
        if random.random() < 0.2:
            rows.append(variant(random, contig, bases, pos))
            end = pos - 1 + len(rows[-1][3])
        else:
            rows.append(block(random, dialect, contig, bases[pos - 1], pos, end, low=low))
        # a gap; a line within the last one; one that begins with it
        step = random.choices((1, 3, -3, None), (12, 1, 1, 1))[0]
        pos = pos if step is None else max(pos, end + step)
    return rows


def block(random: Random, dialect: Dialect, contig: str, ref: str, pos: int, end: int, *, low: bool) -> list[str]:
    """A block of good values, or of `low` ones that most masks take for not called."""
    depth = random.choice((0, 4, 7)) if low else random.choice((10, 25, 300))
    values = {
        "GT": random.choices(("0/0", "0", "0|0", "./.", ".", "0/.", "0/1"), (20, 3, 2, 2, 1, 1, 1))[0],
        "AD": f"{depth},0", "DP": random.choice((str(depth), str(depth), ".")), "GQX": "30",
        "GQ": random.choice(("99", "20", "21", "." if random.random() < 0.3 else "60")) if not low else "3",
        "MIN_DP": random.choice((str(depth), str(depth), str(max(0, depth - 3)), ".")), "PL": "0,30,450",
    }  # fmt: skip
    if dialect.alt == "." and values["GT"] == "0/1":
        values["GT"] = "0/0"
    fields = dialect.fields.split(":")
    fields = [f for f in fields if f == "GT" or random.random() < 0.97]
    kept = random.randint(1, len(fields)) if random.random() < 0.05 else len(fields)
    info = dialect.info.format(end=end) if end > pos or random.random() < 0.5 else "."
    cell = ":".join([values[f] for f in fields][:kept])
    shown = ref.lower() if random.random() < 0.05 else ref
    quals = random.choice(dialect.quals), random.choice(dialect.filters)
    return [contig, str(pos), ".", shown, dialect.alt, *quals, info, ":".join(fields), cell]


def variant(random: Random, contig: str, bases: str, pos: int) -> list[str]:
    """An SNV, an insertion or a deletion."""
    ref = bases[pos - 1 : pos - 1 + random.choice((1, 1, 2, 6))]
    alt = random.choice((random.choice("ACGT".replace(ref[0], "")), ref + random_bases(random, 2), ref[0]))
    alt = alt if alt != ref else "*"
    cell = f"{random.choice(('0/1', '1/1', '0|1', '1', './.'))}:9,{random.choice((1, 9))},0:18:{random.choice((5, 99))}"
    passed = random.choice((".", "LowQual"))
    return [contig, str(pos), ".", ref, f"{alt},<NON_REF>", "50", passed, ".", "GT:AD:DP:GQ", cell]


def text_of(genome: Genome, rows: Sequence[Sequence[str]]) -> str:
    """Header and lines."""
    lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=LowQual,Description="low">']
    lines += ['##ALT=<ID=NON_REF,Description="any">', '##INFO=<ID=END,Number=1,Type=Integer,Description="last base">']
    lines += ['##INFO=<ID=MIN_DP,Number=1,Type=Integer,Description="least depth">']
    lines += ['##INFO=<ID=BLOCKAVG_min30p3a,Number=0,Type=Flag,Description="joined">']
    kinds = [f"Number={NUMBERS.get(f, '1')},Type={'String' if f == 'GT' else 'Integer'}" for f in FIELDS]
    lines += [f'##FORMAT=<ID={f},{kind},Description="{f}">' for f, kind in zip(FIELDS, kinds, strict=True)]
    lines += [f"##contig=<ID={name},length={len(bases)}>" for name, (_, bases) in genome.contigs.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "p0"]
    return "\n".join([*lines, *("\t".join(row) for row in [columns, *rows])]) + "\n"
