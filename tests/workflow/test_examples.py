"""The ready configurations on public data, from their files to counts, against what others found in the same data."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import polars as pl
import pysam
import pytest
from cyvcf2 import VCF

from run_folder import RunFolder

SUPER_POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
#: INFO of phase 3 gives frequencies with four decimals
ROUNDING = 0.00005 + 1e-9


def run_example(name: str, shared: Path, folder: Path) -> RunFolder:
    environment = {"TESSERA_SHARED": str(shared.parent)}
    run = RunFolder(folder, f"config/examples/{name}/config.yaml", environment=environment)
    run.snakemake()
    return run


def show(run: RunFolder, name: str, *arguments: str) -> pl.DataFrame:
    text = run.tessera("show", f"results/{name}/federation/summary", *arguments)
    return pl.read_csv(StringIO(text), separator="\t", schema_overrides={"contig": pl.String}, infer_schema_length=None)


@pytest.fixture(scope="module")
def phase3(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return run_example("1000g-chr22", shared, tmp_path_factory.mktemp("phase3"))


def phase3_alleles(shared: Path) -> Iterator[tuple[tuple[int, str, str], dict[str, float]]]:
    """Each ALT of the file that is written in bases, with its own INFO: AC, AN, the frequency in each super-population.

    Copy numbers such as <CN0> are symbolic, and not counted.
    """
    file = shared / "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"
    for record in VCF(str(file)):
        for number, alt in enumerate(record.ALT):
            if alt.startswith("<CN"):
                continue
            of = {"AN": record.INFO["AN"]}
            for name in ("AC", *(f"{population}_AF" for population in SUPER_POPULATIONS)):
                value = record.INFO[name]
                of[name] = value[number] if isinstance(value, tuple) else value
            yield (record.POS, record.REF, alt), of


def test_ac_and_an_of_1000_genomes_are_those_of_its_info_at_every_record(phase3: RunFolder, shared: Path) -> None:
    rows = show(phase3, "1000g-chr22").select("pos", "ref", "alt", "AC", "AN").iter_rows()
    found = {(pos, ref, alt): (ac, an) for pos, ref, alt, ac, an in rows}
    expected = {key: (info["AC"], info["AN"]) for key, info in phase3_alleles(shared)}
    assert len(expected) == 6139 - 4
    assert found == expected


def test_super_population_frequencies_of_1000_genomes_are_those_of_its_info(phase3: RunFolder, shared: Path) -> None:
    rows = show(phase3, "1000g-chr22", "--by", "population").select("pos", "ref", "alt", "stratum", "AF").iter_rows()
    found = {(pos, ref, alt, population): af for pos, ref, alt, population, af in rows}
    far = {
        (*key, population): (found[*key, population], info[f"{population}_AF"])
        for key, info in phase3_alleles(shared)
        for population in SUPER_POPULATIONS
        if abs(found[*key, population] - info[f"{population}_AF"]) > ROUNDING
    }
    assert not far


def test_the_reads_of_na12878_find_the_variants_of_genome_in_a_bottle(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run = run_example("na12878-chr20", shared, tmp_path_factory.mktemp("na12878"))
    folder = shared / "10_derived" / "grch37_chr20_mini"
    spans = [tuple(map(int, line.split()[1:3])) for line in (folder / "NA12878.giab.bed").read_text().splitlines()]

    def confident(pos: int) -> bool:
        return any(start < pos <= end for start, end in spans)

    rows = show(run, "na12878-chr20").filter(pl.col("AC") > 0).select("pos", "ref", "alt", "n_het", "n_homalt")
    found = {(pos, ref, alt): people for pos, ref, alt, *people in rows.iter_rows() if confident(pos)}
    expected = {}
    with pysam.VariantFile(str(folder / "NA12878.giab.vcf.gz")) as truth:
        for record in truth:
            genotype = record.samples[0]["GT"]
            for number, alt in enumerate(record.alts or (), start=1):
                copies = genotype.count(number)
                if copies and confident(record.pos):
                    expected[record.pos, record.ref, alt] = [int(copies == 1), int(copies == 2)]
    assert len(expected) == 49
    assert not found.keys() - expected.keys()
    assert len(found.keys() & expected.keys()) >= 48
    assert all(found[key] == expected[key] for key in found)
