"""Exports of 1000 Genomes on chromosome 22: every cell as a loop over the rows finds it, totals as the file's INFO."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from cyvcf2 import VCF

import exported
import handmade
from exported import FORMS
from nation import ROOT, run

EXAMPLE = ROOT / "config" / "examples" / "1000g-chr22"
#: super-populations have three letters, which no INFO field of the Genome of Europe may have
COUNTRIES = {"AFR": "AF", "AMR": "AM", "EAS": "EA", "EUR": "EU", "SAS": "SA"}
CHR22 = 51_304_566


@pytest.fixture(scope="module")
def cohort(shared: Path) -> Path:
    return shared / "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"


@pytest.fixture(scope="module")
def summary(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,504 people, counted by super-population and sex."""
    folder = tmp_path_factory.mktemp("phase3")
    with (EXAMPLE / "samples.tsv").open() as sheet:
        rows = list(csv.DictReader(sheet, delimiter="\t"))
    people = {row["sample"]: f"{row['sex']} {COUNTRIES[row['population']]}" for row in rows}
    handmade.write(folder / "samples.tsv", handmade.sheet(people))
    run("count", "--input", cohort, "--samples", folder / "samples.tsv", "--build", "GRCh37", "--assume-normalised",
        "--mask", "none", "--callable", EXAMPLE / "callable.bed", "--out", folder / "summary")  # fmt: skip
    return folder / "summary"


@pytest.fixture(scope="module")
def reference(summary: Path) -> Path:
    """A chromosome 22 that has the bases of each REF, and N elsewhere: there is no FASTA of GRCh37 here."""
    bases = bytearray(b"N" * CHR22)
    for _, pos, ref, _ in exported.leaves(summary):
        bases[pos - 1 : pos - 1 + len(ref)] = ref.encode()
    return handmade.fasta(summary.with_name("chr22.fa"), {"22": bases.decode()})


@pytest.fixture(scope="module")
def leaves(summary: Path) -> dict[exported.Place, dict[str, exported.Counts]]:
    return exported.leaves(summary)


@pytest.mark.parametrize("name", FORMS)
def test_every_cell_of_every_export(
    summary: Path,
    reference: Path,
    leaves: dict[exported.Place, dict[str, exported.Counts]],
    cohort: Path,
    tmp_path: Path,
    name: str,
) -> None:
    form = FORMS[name]
    run(*exported.words(name, summary, reference, tmp_path / form.out))
    found = form.read(tmp_path / form.out, summary)
    assert found == form.expected(leaves)
    alleles = 0
    for record in VCF(str(cohort)):
        for number, alt in enumerate(record.ALT):
            place = (record.CHROM, record.POS, record.REF, alt)
            count = record.INFO["AC"][number] if isinstance(record.INFO["AC"], tuple) else record.INFO["AC"]
            if not alt.startswith("<") and count:
                cells = found[place]
                total = [cells[""]] if form.everybody else [cells[code] for code in COUNTRIES.values()]
                assert (sum(c.ac for c in total), sum(c.an for c in total)) == (count, record.INFO["AN"])
                alleles += 1
    assert alleles > 6000
