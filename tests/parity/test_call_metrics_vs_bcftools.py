"""The standard's metrics on calls: equal to the reference implementation's own commands, and its certified values.

NPM-sample-QC (bin/count_variants.py) counts lines of `bcftools view`; here the same commands are run on one person of
a VCF at a time, ALTs that the person does not carry taken out. Of a FILTER of `.` the standard's `-f PASS` knows
nothing; these commands say `.,PASS`.
"""

import csv
import gzip
import random
import re
from pathlib import Path

import numpy as np
import pytest

from commands import Bcftools, Tessera
from tessera.cohort.wgs_qc import Kind, VariantTally, kind_of, tallied, x_heterozygosity
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build, Contig, Par

#: alleles of records: SNVs in several spellings, indels below and above 50 bases, MNPs, complex, symbolic and `*`
RECORDS = [
    ("A", "G"), ("A", "C"), ("A", "C,G"), ("ACT", "ACG"), ("AC", "GT"), ("A", "AT"), ("ATT", "A"), ("ATT", "A,AT"),
    ("A", "T,AT"), ("A", "*,T"), ("A", "<DEL>"), ("A", "AN"), ("ATG", "CT"), ("A", "A" + "C" * 49),
    ("A", "A" + "C" * 50), ("A" + "G" * 49, "A"), ("A" + "G" * 50, "A"), ("CAA", "CTA,C"), ("T", "C,<NON_REF>"),
    ("G", "."), ("AT", "GT,A"), ("ATCC", "GCC"),
]  # fmt: skip
BUILD = Build("t", (Contig("chr1", "autosome", 100_000), Contig("chrX", "x", 100_000)))
BUILD_FILE = "name: t\ncontigs: [{name: chr1, kind: autosome, length: 100000}, {name: chrX, kind: x, length: 100000}]\n"
CERTIFIED = {"het_snvs": 4341, "snvs": 4341 + 4148, "het_indels": 1103, "indels": 1103 + 740}


def random_vcf(path: Path, seed: int, people: int) -> None:
    """A VCF of people with any genotypes: half-calls, missing ones, and three FILTERs, on an autosome and on X."""
    chance = random.Random(seed)
    lines = [
        "##fileformat=VCFv4.2",
        '##FILTER=<ID=q,Description="q">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">',
        *(f"##contig=<ID={contig.name},length={contig.length}>" for contig in BUILD.contigs),
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"])
        + "".join(f"\ts{i}" for i in range(people)),
    ]
    for contig in ("chr1", "chrX"):
        for at in range(400):
            ref, alt = chance.choice(RECORDS)
            alleles = ["0", "0", *map(str, range(1, 2 + alt.count(",") if alt != "." else 1))]
            genotypes = []
            for _ in range(people):
                pair = [chance.choice(alleles), chance.choice(alleles)]
                if chance.random() < 0.05:
                    pair = [".", "."]
                genotypes.append(chance.choice("/|").join(pair))
            flag = chance.choice(["PASS", "PASS", ".", "q"])
            fields = [contig, str(100 + at * 110), ".", ref, alt, ".", flag, ".", "GT", *genotypes]
            lines.append("\t".join(fields))
    path.write_text("\n".join(lines) + "\n")


def by_reference_commands(bcftools: Bcftools, path: Path, person: str, folder: Path) -> dict[str, float | None]:
    """The commands of count_variants.py on one person."""
    alone = folder / f"{person}.vcf"
    subset = bcftools("view", "-s", person, "-t", "chr1", "-f", ".,PASS", path)
    alone.write_text(subset)
    trimmed = folder / f"{person}.trimmed.vcf"
    trimmed.write_text(bcftools("view", "-a", "-c", "1", "-g", "^miss", alone))

    def lines(*options: str) -> list[list[str]]:
        return [line.split("\t") for line in bcftools("view", "-H", *options, trimmed).splitlines()]

    sizes = [
        len(row[4]) - len(row[3]) for row in lines("-v", "indels") if "," not in row[4] and not row[4].startswith("<")
    ]
    short = [size for size in sizes if abs(size) < 50]
    insertions, deletions = sum(size > 0 for size in short), sum(size < 0 for size in short)
    stats = bcftools("stats", trimmed).splitlines()
    one_alt = folder / f"{person}.one.vcf"
    rows = [
        line if line[0] == "#" else trimmed_snv(line)
        for line in bcftools("view", "-M2", "-v", "snps", trimmed).splitlines()
    ]
    one_alt.write_text("\n".join(rows) + "\n")
    tstv = next(line.split("\t") for line in bcftools("stats", one_alt).splitlines() if line.startswith("TSTV"))
    snvs = int(next(line for line in stats if "number of SNPs:" in line).split("\t")[3])
    assert snvs == len(lines("-v", "snps"))
    return {
        "count_snvs": snvs,
        "count_insertions": insertions,
        "count_deletions": deletions,
        "ratio_heterozygous_homzygous_snv": ratio(
            len(lines("-v", "snps", "-g", "het")), len(lines("-v", "snps", "-g", "hom"))
        ),
        "ratio_heterozygous_homzygous_indel": ratio(
            len(lines("-v", "indels", "-g", "het")), len(lines("-v", "indels", "-g", "hom"))
        ),
        "ratio_insertion_deletion": ratio(insertions, deletions),
        "ratio_transitions_transversions_snv": ratio(int(tstv[2]), int(tstv[3])),
    }


def trimmed_snv(line: str) -> str:
    """A line whose REF and ALT are one base: bcftools stats looks at the first of them, and misses ACT > ACG."""
    fields = line.split("\t")
    fields[3:5] = next((ref, alt) for ref, alt in zip(fields[3], fields[4], strict=True) if ref != alt)
    return "\t".join(fields)


def ratio(above: int, below: int) -> float | None:
    return round(above / below, 2) if below else None


def test_each_person_has_the_numbers_of_the_reference_implementation(bcftools: Bcftools, tmp_path: Path) -> None:
    path = tmp_path / "cohort.vcf"
    random_vcf(path, seed=1, people=4)
    file = VariantFile(path)
    tally = VariantTally.of(4)
    assert sum(1 for _ in tallied(file.records(file.samples), BUILD, tally)) == 800
    for at, person in enumerate(file.samples):
        expected = by_reference_commands(bcftools, path, person, tmp_path)
        assert min(value or 0 for value in expected.values()) > 0
        assert tally.metrics(at) == expected


@pytest.mark.parametrize("container", ["text", "bcf", "shared"])
def test_people_of_a_cohort_file_have_the_same_numbers(
    container: str, bcftools: Bcftools, tessera: Tessera, tmp_path: Path
) -> None:
    path = tmp_path / "cohort.vcf"
    random_vcf(path, seed=11, people=5)
    chance = random.Random(12)

    def of_one_allele_or_half(found: re.Match[str]) -> str:
        return chance.choice([found[0]] * 20 + [f"\t{found[1]}", f"\t./{found[1]}"])

    path.write_text(re.sub(r"\t(\d)[/|]\d(?=[\t\n])", of_one_allele_or_half, path.read_text()))
    given = path if container == "text" else tmp_path / "cohort.bcf"
    if container != "text":
        bcftools("view", "--no-version", "-Ob", "-o", given, path)
        bcftools("index", given)
    people = ["s0", "s1", "s2", "s3"]
    sheet = ["sample\tsex\tpopulation\tconsent", *(f"{name}\tXX\tXA\tDUO:0000042" for name in people)]
    sheet.append("s4\tXX\tXA\twithdrawn")
    (tmp_path / "samples.tsv").write_text("\n".join(sheet) + "\n")
    (tmp_path / "build.yaml").write_text(BUILD_FILE)
    options = {"--input": given, "--samples": tmp_path / "samples.tsv", "--build": tmp_path / "build.yaml",
               "--workers": 2 if container == "shared" else 1, "--out": tmp_path / "out.tsv"}  # fmt: skip
    done = tessera("measure-variants", *(word for pair in options.items() for word in pair))
    assert done.code == 0, done.err
    with (tmp_path / "out.tsv").open() as lines:
        rows = {row["sample"]: row for row in csv.DictReader(lines, delimiter="\t")}
    assert list(rows) == people
    for person in people:
        expected = by_reference_commands(bcftools, path, person, tmp_path)
        assert min(value or 0 for value in expected.values()) > 0
        assert {name: float(rows[person][name]) for name in expected} == expected
        assert rows[person]["x_heterozygosity"] == ""


def test_real_calls_of_the_platinum_genome_agree(bcftools: Bcftools, shared: Path, tmp_path: Path) -> None:
    source = shared / "10_derived" / "grch37_chr20_mini" / "NA12878.giab.vcf.gz"
    text = gzip.decompress(source.read_bytes()).decode()
    contig = next(line.split("\t")[0] for line in text.splitlines() if not line.startswith("#"))
    path = tmp_path / "giab.vcf"
    path.write_text(text.replace(f"\n{contig}\t", "\nchr1\t").replace(f"ID={contig},", "ID=chr1,"))
    file = VariantFile(path)
    tally = VariantTally.of(1)
    for _ in tallied(file.variant_records(file.samples), BUILD, tally):
        pass
    expected = by_reference_commands(bcftools, path, file.samples[0], tmp_path)
    assert expected["count_snvs"]
    assert tally.metrics(0) == expected


def test_certified_ratios_of_the_chr14_slice() -> None:
    """NPM-sample-QC, NA12878-chr14-AKT1: its variant_counts.json, and the ratios that were certified from it."""
    tally = VariantTally.of(1)
    for name, value in CERTIFIED.items():
        getattr(tally, name)[0] = value
    tally.insertions[0], tally.deletions[0] = 850, 848
    found = tally.metrics(0)
    certified = {
        "count_deletions": 848,
        "count_insertions": 850,
        "count_snvs": 8489,
        "ratio_heterozygous_homzygous_indel": 1.49,
        "ratio_heterozygous_homzygous_snv": 1.05,
        "ratio_insertion_deletion": 1.0,
    }
    assert {name: found[name] for name in certified} == certified
    assert found["ratio_transitions_transversions_snv"] is None


@pytest.mark.parametrize(
    ("ref", "alt", "kind"),
    [
        ("A", "G", Kind.TRANSITION),
        ("CT", "CA", Kind.TRANSVERSION),
        ("ATT", "A", Kind.DELETION),
        ("ATG", "CT", Kind.OTHER),
        ("A", "*", Kind.OTHER),
        ("A", "A" + "T" * 49, Kind.INSERTION),
        ("A", "A" + "T" * 50, Kind.LONG_INDEL),
    ],
)
def test_what_an_alt_is(ref: str, alt: str, kind: Kind) -> None:
    assert kind_of(ref, alt) == kind


def test_half_calls_and_missing_ones_count_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "half.vcf"
    random_vcf(path, seed=2, people=1)
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    rows = [
        f"chr1\t{100 + i}\t.\tA\tG\t.\tPASS\t.\tGT\t{gt}" for i, gt in enumerate(["./1", "1/.", "./.", ".", "1", "0"])
    ]
    path.write_text("\n".join([*header, *rows]) + "\n")
    tally = VariantTally.of(1)
    list(tallied(VariantFile(path).records(["s0"]), BUILD, tally))
    assert (tally.snvs == np.array([1])).all()
    assert (tally.het_snvs == 0).all()


def test_a_gvcf_and_its_variants_alone_have_the_same_numbers(tessera: Tessera, tmp_path: Path) -> None:
    path = tmp_path / "calls.vcf"
    random_vcf(path, seed=3, people=1)
    (tmp_path / "samples.tsv").write_text("sample\tsex\tpopulation\ns0\tXX\tXA\n")
    (tmp_path / "build.yaml").write_text(BUILD_FILE)
    blocks = "chr1\t1\t.\tA\t<NON_REF>\t.\t.\tEND=90\tGT\t0/0"
    lines = path.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("chr1\t"))
    end = '##INFO=<ID=END,Number=1,Type=Integer,Description="e">'
    (tmp_path / "gvcf.vcf").write_text("\n".join([lines[0], end, *lines[1:at], blocks, *lines[at:]]) + "\n")
    rows = []
    for name in ("calls.vcf", "gvcf.vcf"):
        options = {"--input": tmp_path / name, "--samples": tmp_path / "samples.tsv", "--mask": "none"}
        more = {"--build": tmp_path / "build.yaml", "--out": tmp_path / "out.tsv"}
        done = tessera("measure-variants", *(word for pair in (options | more).items() for word in pair))
        assert done.code == 0, done.err
        rows.append((tmp_path / "out.tsv").read_text().splitlines()[1].split("\t")[3:])
    assert rows[0] == rows[1]
    assert 0 < float(rows[0][0]) < 1
    assert int(rows[0][1]) > 50


def test_heterozygosity_of_x_is_that_of_bcftools_outside_the_pars(bcftools: Bcftools, tmp_path: Path) -> None:
    path = tmp_path / "x.vcf"
    random_vcf(path, seed=7, people=1)
    build = Build("t", (Contig("chrX", "x", 100_000),), (Par("PAR1", (0, 20_000), (0, 0)),))
    tally = VariantTally.of(1)
    list(tallied(VariantFile(path).records(["s0"]), build, tally))
    alone = tmp_path / "alone.vcf"
    alone.write_text(bcftools("view", "-t", "chrX:20001-", "-f", ".,PASS", "-a", "-c", "1", "-g", "^miss", path))
    het, hom = (len(bcftools("view", "-H", "-v", "snps", "-g", kind, alone).splitlines()) for kind in ("het", "hom"))
    assert min(het, hom) > 3
    assert x_heterozygosity(tally, 0) == round(het / (het + hom), 4)
