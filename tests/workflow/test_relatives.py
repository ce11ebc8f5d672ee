"""A run that looks for relatives: a person who is there twice is reviewed, and kept out where the policy says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from run_folder import RunFolder
from tessera.cohort.relatives import FEWEST_MARKERS

MARKERS = 2 * FEWEST_MARKERS
CONFIG = """\
build: build.yaml
assume_normalised: true
mask: none
qc_policy: policy.yaml
relatives_markers: markers.bed
tools: wheels
nodes:
  north: {samples: north.tsv}
"""
BUILD = "name: one\ncontigs:\n  - {name: chr1, kind: autosome, length: 200000}\npar: []\n"
HEADER = """\
##fileformat=VCFv4.2
##contig=<ID=chr1,length=200000>
##INFO=<ID=END,Number=1,Type=Integer,Description="e">
##FORMAT=<ID=GT,Number=1,Type=String,Description="g">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"""
GENOTYPES = ("0/0", "0/1", "1/1")


def gvcf(name: str, copies: np.ndarray) -> str:
    """A file in which each marker has its record, a block where there is no copy."""
    rows = []
    for number, dose in enumerate(copies.tolist()):
        alt, info = ("C,<NON_REF>", ".") if dose else ("<NON_REF>", f"END={100 * number + 120}")
        rows.append(f"chr1\t{100 * number + 100}\t.\tA\t{alt}\t.\tPASS\t{info}\tGT\t{GENOTYPES[dose]}")
    return "\n".join([HEADER + name, *rows]) + "\n"


def cohort(people: dict[str, np.ndarray]) -> str:
    """A file of several people."""
    rows = [
        f"chr1\t{100 * number + 100}\t.\tA\tC\t.\tPASS\t.\tGT\t"
        + "\t".join(GENOTYPES[copies[number]] for copies in people.values())
        for number in range(MARKERS)
    ]
    return "\n".join([HEADER + "\t".join(people), *rows]) + "\n"


def test_a_person_of_a_gvcf_who_is_in_the_cohort_file_as_well(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    ann, ben, eve = draw.binomial(2, draw.uniform(0.2, 0.8, MARKERS), (3, MARKERS))
    (tmp_path / "ann.g.vcf").write_text(gvcf("ann", ann))
    (tmp_path / "all.vcf").write_text(cohort({"again": ann, "ben": ben, "eve": eve}))
    (tmp_path / "markers.bed").write_text(
        "".join(f"chr1\t{100 * number + 99}\t{100 * number + 100}\tA\tC\n" for number in range(MARKERS))
    )
    (tmp_path / "build.yaml").write_text(BUILD)
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "policy.yaml").write_text("version: 1\nrules: []\n")
    (tmp_path / "north.tsv").write_text(
        "sample\tsex\tpopulation\tconsent\tgvcf\tvcf\nann\tXX\tFI\tDUO:0000042\tann.g.vcf\t\n"
        + "".join(f"{name}\tXX\tFI\tDUO:0000042\t\tall.vcf\n" for name in ("again", "ben", "eve"))
    )
    run = RunFolder(tmp_path, "config.yaml")
    assert run.made()["find_relatives"] == 1
    pairs = pl.read_csv(run.folder / "results/north/private/relatives.tsv", separator="\t")
    assert pairs.rows() == [("again", "ann", MARKERS, 0.5, "duplicate")]
    assert b"\tfalse\t" not in run.read("north/private/decisions.tsv")
    assert b"ann\tduplicate_of\tagain, duplicate, kinship 0.5\treview\ttrue" in run.read(
        "north/private/decisions.details.tsv"
    )
    assert b"north: duplicate  1\n" in run.read("federation/report.txt")
    assert run.made() == {}
    (tmp_path / "policy.yaml").write_text("version: 1\nrules:\n  - {metric: max_kinship, max: 0.354}\n")
    assert run.made()["find_relatives"] == 0
    decided = dict(line.split(b"\t", 1) for line in run.read("north/private/decisions.tsv").splitlines()[1:])
    assert decided[b"ann"] == decided[b"again"] == b"false\tqc:max_kinship"
    assert decided[b"ben"] == decided[b"eve"] == b"true\t"
    assert b"qc:max_kinship  2\n" in run.read("federation/report.txt")
