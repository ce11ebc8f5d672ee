"""Cohort files of many people, wide enough for the kernel's long steps; valid, and odd where callers are odd."""

import random
from dataclasses import dataclass

LENGTH = 3000
BASES = "ACGT"


@dataclass(frozen=True)
class WideCohort:
    """The text of a VCF, the bases of its one contig, and everybody's karyotype and stratum."""

    text: str
    bases: str
    karyotypes: list[str]
    strata: list[str]


def wide_cohort(seed: int, people: int, records: int, fields: str) -> WideCohort:
    """`fields` is the FORMAT of most records; some have less, some alleles are many, some genotypes are odd."""
    chance = random.Random(seed)
    bases = "".join(chance.choice(BASES) for _ in range(LENGTH))
    names = [f"p{i}" for i in range(people)]
    karyotypes = [chance.choice(["XX", "XY", "NA"]) for _ in names]
    strata = [
        f"{chance.choice(['AA', 'BB', 'CC'])}_{'F' if k == 'XX' else 'M' if k == 'XY' else 'U'}" for k in karyotypes
    ]
    lines = [
        "##fileformat=VCFv4.3", f"##contig=<ID=chrX,length={LENGTH}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Reads">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
        '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
        '##FILTER=<ID=q10,Description="Low">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]),
    ]  # fmt: skip
    for pos in sorted(chance.sample(range(2, LENGTH - 40), records)):
        lines.append(_record(chance, bases, pos, people, fields))
    return WideCohort("\n".join(lines) + "\n", bases, karyotypes, strata)


def _record(chance: random.Random, bases: str, pos: int, people: int, fields: str) -> str:
    ref = bases[pos - 1 : pos - 1 + chance.choice([1, 1, 1, 2, 5])]
    alts: list[str] = []
    while len(alts) < chance.choice([1, 1, 1, 2, 3]):
        alt = "".join(chance.choice(BASES) for _ in range(chance.choice([1, 1, 1, 3])))
        if alt != ref and alt not in alts:
            alts.append(alt)
    if chance.random() < 0.1:
        alts.append("*")
    keys = fields if chance.random() < 0.9 else chance.choice(["GT", "GT:GQ", "GT:DP:AD"])
    rare = chance.choice([0.0, 0.02, 0.5])
    # as on MT: more reads than the kernel adds up over many records, or counts at all
    deep = chance.choice([1] * 8 + [200, 300])
    samples = [_sample(chance, keys.split(":"), len(alts), rare, deep) for _ in range(people)]
    filters = chance.choice(["PASS", "PASS", ".", "q10"])
    return "\t".join(["chrX", str(pos), ".", ref, ",".join(alts), ".", filters, ".", keys, *samples])


def _sample(chance: random.Random, keys: list[str], alts: int, rare: float, deep: int) -> str:
    separator = chance.choice("/|")
    if chance.random() < rare:
        odd = chance.random()
        alleles = [chance.choice([".", *map(str, range(alts + 1))]) for _ in range(1 if odd < 0.1 else 2)]
        genotype = separator.join(alleles)
    else:
        genotype = f"0{separator}0"
    depth = chance.choice([chance.randrange(40), 130]) * deep
    values = {
        "AD": ",".join(str(chance.randrange(depth + 1)) for _ in range(alts + 1)) if chance.random() < 0.9 else ".",
        "DP": str(depth) if chance.random() < 0.95 else ".",
        "GQ": str(chance.randrange(120)) if chance.random() < 0.95 else ".",
        "PL": ",".join(str(chance.randrange(300)) for _ in range((alts + 1) * (alts + 2) // 2)),
    }
    return ":".join([genotype, *(values[key] for key in keys[1:])])
