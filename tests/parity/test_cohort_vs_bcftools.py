"""2,504 people of 1000 Genomes in two batches, two of them out again: a count of what `bcftools view -s` leaves."""

from __future__ import annotations

from pathlib import Path

from commands import Bcftools
from nation import ROOT, files_of, run

EXAMPLE = ROOT / "config" / "examples" / "1000g-chr22"
FILE = "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"
LEAVING = ("HG00096", "NA21144")


def test_a_release_is_a_count_of_the_file_that_bcftools_makes_of_who_remains(
    shared: Path, bcftools: Bcftools, tmp_path: Path
) -> None:
    cohort, file, spans = tmp_path / "cohort", shared / FILE, EXAMPLE / "callable.bed"
    rules = ["--build", "GRCh37", "--assume-normalised", "--mask", "none"]
    header, *rows = ["\t".join(line.split("\t")[:4]) for line in (EXAMPLE / "samples.tsv").read_text().splitlines()]
    batches = {"second": rows[1500:], "first": rows[:1500]}
    remaining = [row for row in rows if row.split("\t")[0] not in LEAVING]
    for name, people in (batches | {"remaining": remaining}).items():
        (tmp_path / f"{name}.tsv").write_text("\n".join([header, *people]) + "\n")
    run("cohort", "init", cohort, *rules, "--like", file)
    for name in batches:
        run("cohort", "add", cohort, "--samples", tmp_path / f"{name}.tsv", "--input", file, "--callable", spans)
    run("cohort", "withdraw", cohort, *LEAVING)
    run("cohort", "release", cohort, "--out", tmp_path / "release")
    (tmp_path / "names").write_text("".join(row.partition("\t")[0] + "\n" for row in remaining))
    bcftools("view", "-S", tmp_path / "names", "-Ob", "-o", tmp_path / "remaining.bcf", file)
    sheet = tmp_path / "remaining.tsv"
    run("count", "--input", tmp_path / "remaining.bcf", "--samples", sheet, *rules, "--callable", spans,
        "--out", tmp_path / "count")  # fmt: skip
    assert files_of(tmp_path / "release") == files_of(tmp_path / "count")
    run("cohort", "verify", cohort, "--recount", 1)
