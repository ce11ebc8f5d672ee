"""One man as six callers write him: the same bases called, the same variants, byte for byte the same summary.

Field lists are those of the callers' own files: GATK HaplotypeCaller and ReblockGVCF, DeepVariant 1, DRAGEN 4, bcftools
`call --gvcf`, Strelka 2. What they say is written here by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pysam
import pytest

from called_runs import called_runs
from commands import Bcftools
from growing import MOTIF
from handmade import BUILD, FORMATS, sheet, vcf, write
from nation import files_of, run

HEADER = (
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##INFO=<ID=MIN_DP,Number=1,Type=Integer,Description="Minimum depth of the block">',
    '##INFO=<ID=BLOCKAVG_min30p3a,Number=0,Type=Flag,Description="A block">',
    *(f'##FILTER=<ID={name},Description="{name}">' for name in ("LowGQX", "LowDepth", "RefCall")),
)
MORE_FORMATS = {"PL": "Number=G,Type=Integer", "GQX": "Number=1,Type=Integer", "DPF": "Number=1,Type=Integer",
                "DPI": "Number=1,Type=Integer", "VAF": "Number=A,Type=Float"}  # fmt: skip
#: contig, start, end (0-based half-open), n_dip, n_hap, where the man is called
CALLED = [("chr1", 0, 80, 1, 0), ("chr1", 90, 199, 1, 0), ("chr1", 209, 400, 1, 0),
          ("chrX", 0, 60, 1, 0), ("chrX", 60, 300, 0, 1)]  # fmt: skip
#: contig, pos, ref, alt, n_het, n_homalt, n_hemi
VARIANTS = [("chr1", 50, "C", "T", 1, 0, 0), ("chr1", 121, "ACGT", "A", 1, 0, 0), ("chrX", 100, "T", "G", 0, 0, 1)]


@dataclass(frozen=True)
class Dialect:
    """How a caller writes: `other` is its allele for all others, "." for none; in the texts {gt} is the genotype, and
    {ploid} whether haploid genotypes are written with one allele."""

    other: str
    block: tuple[str, str, str]
    low_block: tuple[str, str, str]
    variant: tuple[str, str]
    haploid: bool
    #: a block ends where the PAR does
    cuts_at_par: bool = False

    def reference(self, contig: str, start: int, end: int, *, low: bool = False, genotype: str = "0/0") -> str:
        """A block of 1-based [start, end]."""
        passes, info, cell = self.low_block if low else self.block
        ref = MOTIF[(start - 1) % 4]
        return f"{contig} {start} {ref} {self.other} {passes} {info.format(end=end)} {cell.format(gt=genotype)}"

    def call(self, contig: str, pos: int, ref: str, alt: str, genotype: str, reads: str) -> str:
        """A variant."""
        more = "" if self.other == "." else f",{self.other}"
        form, cell = self.variant
        ad = reads if self.other == "." else f"{reads},0"
        return f"{contig} {pos} {ref} {alt}{more} PASS . {form} {cell.format(gt=genotype, ad=ad)}"

    def lines(self) -> list[str]:
        """The man."""
        one, ref = ("1", "0") if self.haploid else ("1/1", "0/0")
        first = [(1, 60, "0/0"), (61, 99, ref)] if self.cuts_at_par else [(1, 99, "0/0")]
        return [
            self.reference("chr1", 1, 49),
            self.call("chr1", 50, "C", "T", "0/1", "15,15"),
            self.reference("chr1", 51, 80),
            self.reference("chr1", 81, 90, low=True),
            self.reference("chr1", 91, 120),
            self.call("chr1", 121, "ACGT", "A", "0/1", "15,15"),
            self.reference("chr1", 125, 199),
            self.reference("chr1", 210, 400),
            *(self.reference("chrX", start, end, genotype=genotype) for start, end, genotype in first),
            self.call("chrX", 100, "T", "G", one, "0,30"),
            self.reference("chrX", 101, 300, genotype=ref),
        ]


DIALECTS = {
    "GATK": Dialect(
        "<NON_REF>",
        (".", "END={end}", "GT:DP:GQ:MIN_DP:PL {gt}:34:50:30:0,50,500"),
        (".", "END={end}", "GT:DP:GQ:MIN_DP:PL {gt}:12:0:8:0,0,0"),
        ("GT:AD:DP:GQ:PL", "{gt}:{ad}:30:50:."), haploid=False,
    ),
    "GATK reblocked": Dialect(
        "<NON_REF>",
        (".", "END={end}", "GT:DP:GQ {gt}:30:50"),
        (".", "END={end}", "GT:DP:GQ {gt}:30:0"),
        ("GT:AD:DP:GQ:PL", "{gt}:{ad}:30:50:."), haploid=False,
    ),
    "DeepVariant": Dialect(
        "<*>",
        (".", "END={end}", "GT:GQ:MIN_DP:PL {gt}:50:30:0,50,500"),
        (".", "END={end}", "GT:GQ:MIN_DP:PL ./.:1:2:0,1,2"),
        ("GT:GQ:DP:AD:VAF:PL", "{gt}:50:30:{ad}:.:."), haploid=False,
    ),
    "DRAGEN": Dialect(
        "<NON_REF>",
        ("PASS", "END={end}", "GT:AD:DP:GQ:MIN_DP:PL {gt}:30,0:31:50:30:."),
        ("LowDepth", "END={end}", "GT:AD:DP:GQ:MIN_DP:PL {gt}:3,0:3:9:3:."),
        ("GT:AD:DP:GQ:PL", "{gt}:{ad}:30:50:."), haploid=True, cuts_at_par=True,
    ),
    "bcftools": Dialect(
        ".",
        (".", "END={end};MIN_DP=30", "GT:DP {gt}:30"),
        (".", "END={end};MIN_DP=3", "GT:DP {gt}:3"),
        ("GT:PL:DP:AD:GQ", "{gt}:.:30:{ad}:50"), haploid=True, cuts_at_par=True,
    ),
    "Strelka": Dialect(
        ".",
        ("PASS", "END={end};BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP {gt}:50:34:0:30"),
        ("LowGQX", "END={end};BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP {gt}:9:30:0:30"),
        ("GT:GQ:GQX:DP:DPF:AD:PL", "{gt}:50:50:30:0:{ad}:."), haploid=True, cuts_at_par=True,
    ),
}  # fmt: skip


def count(folder: Path, name: str, lines: Sequence[str]) -> Path:
    """The summary of a man's gVCF."""
    text = vcf(["ben"], lines, formats=FORMATS | MORE_FORMATS, more=HEADER)
    samples, build = write(folder / "s.tsv", sheet({"ben": "XY EE"})), write(folder / "build.yaml", BUILD)
    run("count", "--input", write(folder / f"{name}.g.vcf", text), "--samples", samples, "--build", build,
        "--assume-normalised", "--out", folder / name)  # fmt: skip
    return folder / name


def track(summary: Path) -> list[tuple[object, ...]]:
    """contig, start, end, n_dip, n_hap of each run."""
    tables = [called_runs(path) for path in sorted((summary / "an_track").iterdir())]
    return pl.concat(tables).select("contig", "start", "end", "n_dip", "n_hap").rows()


def variants(summary: Path) -> list[tuple[object, ...]]:
    """contig, pos, ref, alt, n_het, n_homalt, n_hemi of each row."""
    tables = [pl.read_parquet(path) for path in sorted((summary / "variants").iterdir())]
    return pl.concat(tables).select("contig", "pos", "ref", "alt", "n_het", "n_homalt", "n_hemi").rows()


def dropped(summary: Path) -> dict[str, int]:
    """Reason -> carriers."""
    ledger = json.loads((summary / "manifest.json").read_text())["ledger"]
    return {name.partition(":")[2]: number for name, number in ledger.items() if ":" in name}


def test_six_callers_say_the_same_of_a_man_in_one_meaning(tmp_path: Path) -> None:
    summaries = {name: count(tmp_path, name, dialect.lines()) for name, dialect in DIALECTS.items()}
    for summary in summaries.values():
        assert track(summary) == CALLED
        assert variants(summary) == VARIANTS
        assert dropped(summary) == {}
    first, *others = [files_of(summary) for summary in summaries.values()]
    assert all(files == first for files in others)


def test_a_het_beside_a_spanning_deletion_is_a_het_and_the_deletion_counts_at_its_own_record(tmp_path: Path) -> None:
    lines = DIALECTS["GATK"].lines()
    lines.insert(6, "chr1 123 G *,T,<NON_REF> PASS . GT:AD:DP:GQ:PL 1/2:0,15,15,0:30:50:.")
    summary = count(tmp_path, "star", lines)
    assert track(summary) == CALLED
    assert variants(summary) == [*VARIANTS[:2], ("chr1", 123, "G", "T", 1, 0, 0), VARIANTS[2]]


@pytest.mark.parametrize(
    ("dialect", "line", "why", "not_called"),
    [
        # Strelka has the depth of an indel as DPI, and no DP
        ("Strelka", "chr1 121 ACGT A PASS . GT:GQ:GQX:DPI:AD:PL 0/1:50:50:30:15,15:.", {"low_dp": 1}, (120, 124)),
        # in a het deletion Strelka gives an SNV one allele
        ("Strelka", "chr1 123 G T PASS . GT:GQ:GQX:DP:DPF:AD:PL 1:50:50:30:0:0,30:.", {"haploid_call_of_diploid": 1},
         (122, 123)),
        # DeepVariant's FILTER for what it took for a candidate and then for the reference
        ("DeepVariant", "chr1 110 C T,<*> RefCall . GT:GQ:DP:AD:VAF:PL 0/0:50:30:28,2,0:.:.", {}, (109, 110)),
        ("GATK", "chr1 110 C T,<NON_REF> . . GT:AD:DP:GQ:PL 0/2:28,0,2:30:50:.", {}, (109, 110)),
    ],
)  # fmt: skip
def test_what_the_rules_do_not_take_is_not_called_and_its_carrier_listed(
    tmp_path: Path, dialect: str, line: str, why: dict[str, int], not_called: tuple[int, int]
) -> None:
    pos = line.split()[1]
    lines = [other for other in DIALECTS[dialect].lines() if other.split()[:2] != ["chr1", pos]]
    summary = count(tmp_path, "odd", sorted([*lines, line], key=lambda text: (text[:4], int(text.split()[1]))))
    start, end = not_called
    assert track(summary)[1:3] == [("chr1", 90, start, 1, 0), ("chr1", end, 199, 1, 0)]
    assert dropped(summary) == why


def test_of_blocks_that_overlap_the_one_that_starts_last_decides_and_of_two_that_start_together_both(
    tmp_path: Path,
) -> None:
    gatk = DIALECTS["GATK"]
    blocks = [(1, 50, False), (31, 60, True), (41, 45, False), (101, 150, False), (101, 120, True)]
    summary = count(tmp_path, "met", [gatk.reference("chr1", first, last, low=low) for first, last, low in blocks])
    assert track(summary) == [("chr1", 0, 30, 1, 0), ("chr1", 40, 45, 1, 0), ("chr1", 120, 150, 1, 0)]
    # 1 to 60 and 101 to 150 of 1,000 bases lie under blocks; 31 to 50 and 101 to 120 under several
    assert json.loads((tmp_path / "met.provenance.json").read_text())["bases"] == {
        "under_no_record": 1000 - 110, "under_several_records": 20 + 20,
    }  # fmt: skip


def test_a_joint_file_tells_otherwise_under_a_deletion_that_began_before_and_over_the_span_of_ref(
    tmp_path: Path, bcftools: Bcftools
) -> None:
    """The reasons `deletion before` and `span` of docs/counting.md; the others are met in real files."""
    gatk = DIALECTS["GATK"]
    people = {
        "ann": [gatk.reference("chr1", 1, 120), gatk.call("chr1", 121, "ACGT", "A", "0/1", "15,15"),
                gatk.reference("chr1", 125, 400)],
        "ben": [gatk.reference("chr1", 1, 121), gatk.reference("chr1", 122, 122, low=True),
                gatk.call("chr1", 123, "G", "T", "0/1", "15,15"), gatk.reference("chr1", 124, 400)],
    }  # fmt: skip
    samples = write(tmp_path / "s.tsv", sheet({"ann": "XX EE", "ben": "XX EE"}))
    rules = ["--samples", samples, "--build", write(tmp_path / "build.yaml", BUILD), "--assume-normalised"]
    for name, lines in people.items():
        file = write(tmp_path / f"{name}.vcf.gz", vcf([name], lines, formats=FORMATS | MORE_FORMATS, more=HEADER))
        pysam.tabix_index(str(file), preset="vcf")
        run("count", "--input", file, "--sample", name, *rules, "--out", tmp_path / name)
    run("merge", tmp_path / "ann", tmp_path / "ben", "--out", tmp_path / "alone")
    bcftools("merge", "-g", "-", "-o", tmp_path / "all.vcf", tmp_path / "ann.vcf.gz", tmp_path / "ben.vcf.gz")
    bcftools("view", "-i", 'ALT!="<NON_REF>"', "-o", tmp_path / "joint.vcf", tmp_path / "all.vcf")
    bed = write(tmp_path / "callable.bed", "chr1\t0\t400\n")
    run("count", "--input", tmp_path / "joint.vcf", *rules, "--callable", bed, "--out", tmp_path / "joint")
    # 122 is ben's low block, and a base of the deletion's REF; 123 lies in ann's deletion
    assert track(tmp_path / "alone") == [
        ("chr1", 0, 121, 2, 0), ("chr1", 121, 122, 1, 0), ("chr1", 122, 400, 2, 0),
    ]  # fmt: skip
    assert track(tmp_path / "joint") == [
        ("chr1", 0, 122, 2, 0), ("chr1", 122, 123, 1, 0), ("chr1", 123, 400, 2, 0),
    ]  # fmt: skip
    assert variants(tmp_path / "alone") == variants(tmp_path / "joint")
