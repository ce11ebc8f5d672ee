"""AC and AN of real cohort files: ours against genotypes that bcftools split, counted by the shortest rule.

The rule here is for autosomes and MT without a mask, a half-call being missing, and a record that FILTER names
calling nobody. Ploidy on X and Y, masks and the AN track are not proven here; unit tests and the synthetic nation
are for those. INFO of the 1000 Genomes is a third opinion, of people who know neither program.
"""

import csv
import io
import json
import shutil
from collections import defaultdict
from pathlib import Path

import polars as pl
import pysam
import pytest

from commands import Bcftools, Tessera
from handmade import sheet, write
from native import native
from tessera.genome.alleles import is_sequence

Key = tuple[str, int, str, str]

SUPER_POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
#: contig -> a part of phase 3 of the 1000 Genomes, and its records
THOUSAND_GENOMES = {
    "21": ("grch37/1kg_phase3_chr21_start.vcf.gz", 600),
    "22": ("grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz", 6109),
}

#: file -> contig, its kind, its length
COHORTS = {
    "trio/ashk-trio.vcf.gz": [("1", "autosome", 249250621)],
    "grch37/1kg_phase3_chr21_start.vcf.gz": [("21", "autosome", 48129895)],
    "grch38/chr22.vcf.gz": [("chr22", "autosome", 50818468)],
    "hail/multipleChromosomes.vcf.gz": [("20", "autosome", 63025520), ("21", "autosome", 48129895)],
    "hail/sample2_split.vcf.bgz": [("22", "autosome", 51304566)],
    "hail/mendel.vcf": [("20", "autosome", 63025520)],
    "gatk/multi-allelic.bi-allelicInGIH.vcf": [("1", "autosome", 249250621)],
    "gatk/ref_panel_1kg.cleaned.gatk.chr22_chrY.vcf.gz": [("chr22", "autosome", 50818468)],
    "chrMT/1kg_2020_chrM.vcf.gz": [("chrM", "mt", 16569)],
    "chrMT/chr_m_indels.vcf.gz": [("chrM", "mt", 16569)],
}


def build_file(path: Path, contigs: list[tuple[str, str, int]]) -> Path:
    lines = [f"  - {{name: '{name}', kind: {kind}, length: {length}}}" for name, kind, length in contigs]
    return write(path, "\n".join(["name: header", "contigs:", *lines]) + "\n")


def renamed(bcftools: Bcftools, source: Path, folder: Path) -> Path:
    """The file itself, or a copy without the colons that its sample names have and a sheet refuses."""
    names = bcftools("query", "-l", source)
    if ":" not in names:
        return source
    bcftools("reheader", "-s", write(folder / "names", names.replace(":", "-")), "-o", folder / source.name, source)
    return folder / source.name


def shown(tessera: Tessera, summary: Path, *more: str) -> pl.DataFrame:
    done = tessera("show", summary, *more)
    assert done.code == 0, done.err
    text = dict.fromkeys(("contig", "ref", "alt", "stratum"), pl.String)
    return pl.read_csv(io.BytesIO(done.out), separator="\t", schema_overrides=text, infer_schema_length=None)


def plain_counts(split: str, kinds: dict[str, str]) -> dict[Key, list[tuple[int, int]]]:
    """AC and AN of each line `CHROM POS REF ALT FILTER GT...` of split records; several where a key comes again.

    Alleles that are not written in bases have none: they are not counted.
    """
    counts = defaultdict(list)
    for line in split.splitlines():
        contig, pos, ref, alt, passed, *genotypes = line.split("\t")
        if contig not in kinds or not is_sequence(alt):
            continue
        ac = an = 0
        for genotype in genotypes if passed in ("PASS", ".") else []:
            alleles = genotype.replace("|", "/").split("/")
            if "." in alleles or (kinds[contig] == "autosome" and len(alleles) < 2):
                continue
            carried = alleles.count("1")
            an += 2 if kinds[contig] == "autosome" else 1
            ac += carried if kinds[contig] == "autosome" else min(carried, 1)
        counts[contig, int(pos), ref, alt].append((ac, an))
    return counts


def assert_equal_counts(table: pl.DataFrame, expected: dict[Key, list[tuple[int, int]]]) -> None:
    ours = {row[:4]: row[4:] for row in table.select("contig", "pos", "ref", "alt", "AC", "AN").iter_rows()}
    assert set(ours) == set(expected)
    # which of two records with one key comes first is the file's order, which bcftools sorts away
    wrong = {key: (ours[key], found) for key, found in expected.items() if ours[key] not in found}
    assert not wrong
    assert sum(len(found) > 1 for found in expected.values()) <= len(expected) // 100


@pytest.mark.parametrize("name", COHORTS)
def test_a_cohort_as_written_has_the_counts_of_its_genotypes(
    shared: Path, bcftools: Bcftools, tessera: Tessera, tmp_path: Path, name: str
) -> None:
    source = renamed(bcftools, shared / "03_cohort_vcf" / name, tmp_path)
    people = dict.fromkeys(bcftools("query", "-l", source).split(), "XX EE")
    build = build_file(tmp_path / "build.yaml", COHORTS[name])
    samples = write(tmp_path / "samples.tsv", sheet(people))
    done = tessera("count", "--input", source, "--samples", samples, "--build", build, "--assume-normalised",
                   "--mask", "none", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    split = tmp_path / "split.vcf"
    bcftools("norm", "-m", "-any", "-o", split, source)
    lines = bcftools("query", "-f", r"%CHROM\t%POS\t%REF\t%ALT\t%FILTER[\t%GT]\n", split)
    kinds = {contig: kind for contig, kind, _ in COHORTS[name]}
    assert_equal_counts(shown(tessera, tmp_path / "summary"), plain_counts(lines, kinds))
    ledger = json.loads((tmp_path / "summary" / "manifest.json").read_text())["ledger"]
    assert ledger.get("carriers_dropped:symbolic_allele", 0) == symbolic_carriers(lines, kinds)


def symbolic_carriers(split: str, kinds: dict[str, str]) -> int:
    """People x symbolic alleles and breakends in the genotypes of split records."""
    rows = [line.split("\t") for line in split.splitlines()]
    told = [row[5:] for row in rows if row[0] in kinds and row[3] not in ("*", ".") and not is_sequence(row[3])]
    return sum("1" in genotype for genotypes in told for genotype in genotypes)


def test_exomes_on_their_reference_have_the_keys_and_counts_of_bcftools(
    shared: Path, bcftools: Bcftools, tessera: Tessera, tmp_path: Path
) -> None:
    folder = shared / "03_cohort_vcf" / "chr1_1M_with_ref"
    source = folder / "joint_calling.chr1_1M.1kg_samples.10samples.noINFO.vcf"
    reference = Path(shutil.copy(folder / "Homo_sapiens_assembly19_chr1_1M.fasta", tmp_path / "reference.fa"))
    pysam.faidx(str(reference))
    build = build_file(tmp_path / "build.yaml", [("1", "autosome", 1_000_000)])
    people = dict.fromkeys(bcftools("query", "-l", source).split(), "XY EE")
    samples = write(tmp_path / "samples.tsv", sheet(people))
    done = tessera("count", "--input", source, "--samples", samples, "--build", build, "--reference", reference,
                   "--mask", "none", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    normal = tmp_path / "normal.vcf"
    bcftools("norm", "-m", "-any", "-f", reference, "-o", normal, source)
    lines = bcftools("query", "-f", r"%CHROM\t%POS\t%REF\t%ALT\t%FILTER[\t%GT]\n", normal)
    assert_equal_counts(shown(tessera, tmp_path / "summary"), plain_counts(lines, {"1": "autosome"}))
    assert tessera("verify", tmp_path / "summary").code == 0


@pytest.mark.parametrize("contig", THOUSAND_GENOMES)
def test_the_1000_genomes_have_the_counts_of_their_own_info_and_of_fill_tags(
    shared: Path, bcftools: Bcftools, tessera: Tessera, tmp_path: Path, contig: str
) -> None:
    """AC and AN of everybody and of the five super-populations, whose AF is published with four digits."""
    name, records = THOUSAND_GENOMES[contig]
    source = shared / "03_cohort_vcf" / name
    panel = (shared / "03_cohort_vcf/panels/integrated_call_samples_v3.20130502.ALL.panel").read_text().splitlines()
    rows = [row for row in csv.reader(panel[1:], delimiter="\t") if row]
    held = set(bcftools("query", "-l", source).split())
    people = {row[0]: f"{row[3]} {row[2]}" for row in rows if row[0] in held}
    assert len(people) == len(held) == 2504
    done = tessera("count", "--input", source, "--samples", write(tmp_path / "samples.tsv", sheet(people)),
                   "--build", "GRCh37", "--assume-normalised", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    columns = ("pos", "ref", "alt", "stratum", "AC", "AN", "AF")
    both = pl.concat([shown(tessera, tmp_path / "summary", *by).select(columns) for by in ((), ("--by", "population"))])
    ours = {row[:4]: row[4:] for row in both.iter_rows()}
    groups = write(tmp_path / "groups", "".join(f"{name}\t{told.split()[1]}\n" for name, told in people.items()))
    native("bcftools")("+fill-tags", source, "-Ob", "-o", tmp_path / "filled.bcf", "--", "-t", "AC,AN", "-S", groups)
    wanted = [f"{tag}_{name}" for name in SUPER_POPULATIONS for tag in ("AC", "AN")]
    filled = _per_alt(bcftools, tmp_path / "filled.bcf", ["AC", "AN", *wanted])
    published = _per_alt(bcftools, source, ["AC", "AN", *(f"{name}_AF" for name in SUPER_POPULATIONS)])
    assert published.keys() == filled.keys()
    assert len({key[:2] for key in published}) <= records == len(bcftools("query", "-f", "%POS\\n", source).split())
    for key, (ac, an, *frequencies) in published.items():
        if not is_sequence(key[2]):
            continue
        assert ours[*key, "Total"][:2] == (int(ac), int(an)) == tuple(map(int, filled[key][:2])), key
        told = dict(
            zip(SUPER_POPULATIONS, zip(filled[key][2::2], filled[key][3::2], frequencies, strict=True), strict=True)
        )
        for population, (ac, an, frequency) in told.items():
            found = ours[*key, population]
            assert found[:2] == (int(ac), int(an)), (key, population)
            assert found[2] == pytest.approx(float(frequency), abs=5.1e-5), (key, population)
    assert {key[:3] for key in ours} == {key for key in published if is_sequence(key[2])}


def _per_alt(bcftools: Bcftools, file: Path, tags: list[str]) -> dict[tuple[int, str, str], list[str]]:
    """POS, REF and ALT -> these INFO values; a value of the record is that of each of its ALTs."""
    found: dict[tuple[int, str, str], list[str]] = {}
    fields = "".join(rf"\t%INFO/{tag}" for tag in tags)
    for line in bcftools("query", "-f", rf"%POS\t%REF\t%ALT{fields}\n", file).splitlines():
        pos, ref, alts, *values = line.split("\t")
        for number, alt in enumerate(alts.split(",")):
            each = [value.split(",") for value in values]
            found[int(pos), ref, alt] = [value[number] if len(value) > 1 else value[0] for value in each]
    return found
