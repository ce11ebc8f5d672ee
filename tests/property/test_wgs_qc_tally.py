"""The tally of a cohort file by the kernel against the same records taken one by one.

How one person's records are tallied is compared with bcftools in tests/parity/test_call_metrics_vs_bcftools.py.
"""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np
import pytest

from tessera.cohort import wgs_qc_tally
from tessera.cohort.cluster import Workers
from tessera.cohort.engine import members_of, reader_of
from tessera.cohort.shards import shards_of
from tessera.cohort.wgs_qc import VariantTally, tallied
from tessera.cohort.wgs_qc_tally import RecordTally, TallyJob, tally_file, tally_shard
from tessera.files.vcf import VariantFile
from tessera.files.vcf_index import read_index
from tessera.genome.build import Build, Contig
from tessera.summary.blocks import BLOCK_SIZE
from tessera.summary.people import People

BCFTOOLS = Path(__file__).parents[2] / "scripts" / "wheel_tools" / "bcftools"
LENGTH = 3 * BLOCK_SIZE + 77
BUILD = Build("t", (Contig("chr1", "autosome", LENGTH), Contig("chrX", "x", LENGTH), Contig("chr2", "autosome", 99)))
ALLELES = [
    ("A", "G"), ("a", "t"), ("ACT", "ACG"), ("A", "C,G"), ("A", "*"), ("A", "*,T"), ("A", "<DEL>"), ("A", "N"),
    ("A", "AT"), ("ATT", "A"), ("ATT", "A,AT"), ("A", "T,AT"), ("CAA", "CTA,C"), ("AC", "GT"),
    ("ATG", "CT"), ("A", "A" + "C" * 49), ("A", "A" + "C" * 50), ("A" + "G" * 50, "A,AGG"), ("A", "."),
    ("A", "<NON_REF>"), ("A", "C,<NON_REF>"), ("A", "C,G,T,AC,AG,*"),
    ("A", ",".join("A" + "ACGT"[n % 4] * (1 + n // 4) for n in range(130))),
]  # fmt: skip
FIELDS = {"GT": "1,Type=String", "GQ": "1,Type=Integer", "DP": "1,Type=Integer", "PL": ".,Type=Integer"}


def cohort(random: Random, path: Path, people: int, lines: int) -> Path:
    """A VCF of any genotypes, half-calls, missing ones and ones of one allele; some at the borders of blocks."""
    header = ["##fileformat=VCFv4.3", '##FILTER=<ID=q,Description="q">']
    header += [f"##contig=<ID={name},length={LENGTH}>" for name in ("chr1", "chrX", "chr2", "decoy")]
    header += [f'##FORMAT=<ID={name},Number={kind},Description="f">' for name, kind in FIELDS.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    rows = ["\t".join([*columns, *(f"p{number}" for number in range(people))])]
    for contig in ("chr1", "chrX", "chr2", "decoy"):
        most = 40 if contig == "chr2" else LENGTH - 60
        places = [random.randint(1, most) for _ in range(lines)]
        if contig == "chr1":
            places += [BLOCK_SIZE * random.randint(1, 3) + random.randint(-1, 2) for _ in range(lines // 4)]
        for pos in sorted(places):
            rows.append(record(random, contig, pos, people))
    path.write_text("\n".join([*header, *rows]) + "\n")
    return path


def record(random: Random, contig: str, pos: int, people: int) -> str:
    ref, alts = random.choice(ALLELES)
    number = 0 if alts == "." else 1 + alts.count(",")
    fields = ["GT", *random.sample(["GQ", "DP", "PL"], random.choice([0, 0, 0, 1, 3]))]
    # plain ones, which the kernel counts by another path, and others
    odd = random.choice([0, 0, 0.1])
    rare = random.choice([0, 0.2, 0.9])
    cells = []
    for _ in range(people):
        alleles = [str(random.randint(0, number) if random.random() < rare else 0) for _ in range(2)]
        if random.random() < odd:
            alleles = random.choice([["."], [".", "."], [alleles[0], "."], [".", alleles[1]], alleles[:1]])
        cells.append(":".join([random.choice("/|").join(alleles), *(str(random.randint(0, 9)) for _ in fields[1:])]))
    filters = random.choice(["PASS", "PASS", ".", "q"])
    return "\t".join([contig, str(pos), ".", ref, alts, ".", filters, ".", ":".join(fields), *cells])


def one_by_one(file: VariantFile, people: People) -> dict[str, list[int]]:
    tally = VariantTally.of(len(people.names))
    for _ in tallied(file.records(people.names), BUILD, tally):
        pass
    return numbers(tally)


def numbers(tally: VariantTally) -> dict[str, list[int]]:
    """All but what is of X, which a cohort's tally leaves out."""
    return {name: value.tolist() for name, value in asdict(tally).items() if not name.startswith("x_")}


def chosen(random: Random, file: VariantFile) -> People:
    """Some of a file's people, in its order."""
    names = [name for name in file.samples if random.random() < 0.8] or file.samples[:1]
    return People(tuple(names), ("XX",) * len(names), ("EE_F",) * len(names))


@pytest.mark.parametrize("container", ["text", "bcf"])
@pytest.mark.parametrize("seed", range(6))
def test_the_kernel_tallies_what_record_by_record_comes_to(seed: int, container: str, tmp_path: Path) -> None:
    random = Random(seed)
    path = cohort(random, tmp_path / "cohort.vcf", people=random.choice([2, 5, 40, 70]), lines=120)
    if container == "bcf":
        bcftools("view", "--no-version", "-Ob", "-o", tmp_path / "cohort.bcf", path)
        path = tmp_path / "cohort.bcf"
    file = VariantFile(path)
    people = chosen(random, file)
    expected = one_by_one(file, people)
    assert all(sum(values) > 0 for values in expected.values())
    assert numbers(tally_file(file, people, BUILD, Workers())) == expected


def test_where_the_kernel_was_not_built_it_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(8)
    file = VariantFile(cohort(random, tmp_path / "cohort.vcf", people=7, lines=90))
    people = chosen(random, file)
    monkeypatch.setattr(wgs_qc_tally, "reader_of", lambda file, people: reader_of(file, people, "reference"))
    assert numbers(tally_file(file, people, BUILD, Workers())) == one_by_one(file, people)


@pytest.mark.parametrize("kind", ["vcf.gz", "bcf"])
def test_shards_add_up_to_the_file_whatever_the_cuts(kind: str, tmp_path: Path) -> None:
    random = Random(9)
    text = cohort(random, tmp_path / "cohort.vcf", people=9, lines=200)
    path = tmp_path / f"cohort.{kind}"
    bcftools("view", "--no-version", "-Oz" if kind == "vcf.gz" else "-Ob", "-o", path, text)
    bcftools("index", path)
    file = VariantFile(path, genotypes_only=True)
    people = chosen(random, file)
    index = read_index(path, list(file.contig_lengths))
    assert index is not None
    job = TallyJob(file, people, frozenset({"chr1", "chr2"}))
    # a byte is more than a shard may have: each block is one
    shards = shards_of(index, BUILD, 1, 1)
    assert sum(shard.contig == "chr1" for shard in shards) == 4
    whole = VariantTally.of(len(people.names))
    for shard in shards:
        whole.add_up(tally_shard(job, shard))
    assert numbers(whole) == one_by_one(file, people)


def test_everybody_of_a_stratum_or_not_is_the_same_person(tmp_path: Path) -> None:
    """Neither karyotype nor stratum changes what a person carries."""
    random = Random(10)
    file = VariantFile(cohort(random, tmp_path / "cohort.vcf", people=6, lines=60))
    names = tuple(file.samples)
    found = [
        numbers(tally_file(file, People(names, karyotypes, strata), BUILD, Workers()))
        for karyotypes, strata in ((("XX",) * 6, ("EE_F",) * 6), (("XY", "NA") * 3, ("EE_M", "LV_U") * 3))
    ]
    assert found[0] == found[1] == one_by_one(file, People(names, ("XX",) * 6, ("EE_F",) * 6))


def test_nothing_taken_is_nothing_carried() -> None:
    members = members_of(["a", "b"], People(("b",), ("XX",), ("EE_F",)))
    tally = RecordTally(members).finish()
    assert all(np.array_equal(value, [0]) for value in asdict(tally).values())


def bcftools(*words: object) -> None:
    subprocess.run([sys.executable, str(BCFTOOLS), *map(str, words)], check=True, capture_output=True)
