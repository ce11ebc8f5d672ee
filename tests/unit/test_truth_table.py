"""Every genotype x region x karyotype x quality through both engines, from text and from BCF, against tables by hand.

What is expected stands in the tables below, written from docs/counting.md. Every person is a stratum, so that a row of
the summary is one person's contribution. Each cell is asked twice: where all people of a record have it (a record may
then be wholly haploid, which BCF and cyvcf2 hold in another shape) and beside people with other cells.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from commands import Bcftools
from handmade import vcf, write
from tessera.cohort.count import count_sites
from tessera.cohort.engine import Engine, reader_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.stretch import CountRules
from tessera.errors import InputError
from tessera.files.vcf import VariantFile
from tessera.genome.build import Build, Contig, Par
from tessera.schemas.mask import ADJ, NO_MASK, Mask
from tessera.summary.people import People

#: ALTs of every record; 1 and 2 are variants, `*` is none, and who names <NON_REF> is missing
ALTS = ["C", "T", "*", "<NON_REF>"]
#: contig and first POS of a region; PARs end at 10,000
REGIONS = {
    "autosome": ("chr1", 1), "x_par": ("chrX", 1), "x": ("chrX", 10_001), "y_par": ("chrY", 1), "y": ("chrY", 10_001),
    "mt": ("chrM", 1),
}  # fmt: skip
BUILD = Build(
    "table",
    (Contig("chr1", "autosome", 20_000), Contig("chrX", "x", 20_000), Contig("chrY", "y", 20_000),
     Contig("chrM", "mt", 20_000)),
    (Par("PAR1", (0, 10_000), (0, 10_000)),),
)  # fmt: skip
#: docs/counting.md, "Copies"; 0 is none
COPIES = {
    #       autosome      PAR of X    X       PAR of Y    Y       MT
    "XX":  {"autosome": 2, "x_par": 2, "x": 2, "y_par": 0, "y": 0, "mt": 1},
    "XY":  {"autosome": 2, "x_par": 2, "x": 1, "y_par": 0, "y": 1, "mt": 1},
    "X0":  {"autosome": 2, "x_par": 0, "x": 0, "y_par": 0, "y": 0, "mt": 1},
    "XXY": {"autosome": 2, "x_par": 0, "x": 0, "y_par": 0, "y": 0, "mt": 1},
    "XYY": {"autosome": 2, "x_par": 0, "x": 0, "y_par": 0, "y": 0, "mt": 1},
    "XXX": {"autosome": 2, "x_par": 0, "x": 0, "y_par": 0, "y": 0, "mt": 1},
    "NA":  {"autosome": 2, "x_par": 0, "x": 0, "y_par": 0, "y": 0, "mt": 1},
}  # fmt: skip
SEX = {"XX": "F", "XY": "M"}

#: genotype -> what it is where two copies are expected, where one is, and on MT: the reason why it calls nobody, or
#: the class of each variant that it carries (`.`: called, and carries neither)
GENOTYPES = """
0    haploid_call_of_diploid  .                    .
1    haploid_call_of_diploid  C:hemi               C:hemi
2    haploid_call_of_diploid  T:hemi               T:hemi
3    haploid_call_of_diploid  .                    .
4    non_ref_call             non_ref_call         non_ref_call
.    missing                  missing              missing
0/0  .                        .                    .
0/1  C:het                    het_call_of_haploid  C:het
1/0  C:het                    het_call_of_haploid  C:het
1/1  C:homalt                 C:hemi               C:hemi
0/2  T:het                    het_call_of_haploid  T:het
2/2  T:homalt                 T:hemi               T:hemi
1/2  C:het,T:het              het_call_of_haploid  C:het,T:het
2/1  C:het,T:het              het_call_of_haploid  C:het,T:het
0/3  .                        het_call_of_haploid  .
1/3  C:het                    het_call_of_haploid  C:het
3/3  .                        .                    .
0/4  non_ref_call             non_ref_call         non_ref_call
4/1  non_ref_call             non_ref_call         non_ref_call
4/4  non_ref_call             non_ref_call         non_ref_call
./.  missing                  missing              missing
./0  half_call                half_call            half_call
0/.  half_call                half_call            half_call
./1  half_call                half_call            half_call
1/.  half_call                half_call            half_call
./4  half_call                half_call            half_call
"""


@dataclass(frozen=True)
class Quality:
    """Values of a cell, the FILTER of its record, and what `adj` says of it where two copies and where one is
    expected; `balance` of a genotype of two different alleles where two are."""

    cell: str
    filter: str
    two: str
    one: str
    balance: str


#: AD, DP, GQ; the limits are GQ 20, DP 10 (5 where one copy is expected), a fifth of the reads for each ALT
QUALITIES = {
    "all at their limits": Quality("4,2,2,2,0:10:20", "PASS", "", "", ""),
    "FILTER is a dot": Quality("4,2,2,2,0:10:20", ".", "", "", ""),
    "FILTER is not PASS": Quality("4,2,2,2,0:10:20", "LowQual", "filter", "filter", "filter"),
    "GQ low": Quality("4,2,2,2,0:10:19", "PASS", "low_gq", "low_gq", "low_gq"),
    "GQ missing": Quality("4,2,2,2,0:10:.", "PASS", "low_gq", "low_gq", "low_gq"),
    "DP low for two": Quality("3,2,2,2,0:9:99", "PASS", "low_dp", "", "low_dp"),
    "DP at the limit for one": Quality("2,1,1,1,0:5:99", "PASS", "low_dp", "", "low_dp"),
    "DP low for one": Quality("1,1,1,1,0:4:99", "PASS", "low_dp", "low_dp", "low_dp"),
    "DP missing": Quality("4,2,2,2,0:.:99", "PASS", "low_dp", "low_dp", "low_dp"),
    "AD low": Quality("6,1,1,1,0:10:99", "PASS", "", "", "low_allele_balance"),
    "AD missing": Quality(".:10:99", "PASS", "", "", "low_allele_balance"),
    "GQ and DP low": Quality("4,1,1,1,0:4:0", "PASS", "low_gq", "low_gq", "low_gq"),
    "left off": Quality("", "PASS", "low_gq", "low_gq", "low_gq"),
}
#: reasons that hold whatever the genotype is, and before it is looked at
BEFORE = ("no_copy_here", "filter")
#: person (also a population) -> karyotype; order of columns
PEOPLE = {name: name for name in COPIES}
Cell = tuple[str, str]
#: what a person adds: n_dip n_hap n_het n_homalt n_hemi
Row = tuple[int, int, int, int, int]


def meanings() -> dict[str, tuple[str, str, str]]:
    """Genotype, unphased and phased -> its three columns of the table."""
    rows = [line.split() for line in GENOTYPES.split("\n") if line]
    both = {genotype: (two, one, mt) for genotype, two, one, mt in rows}
    return both | {genotype.replace("/", "|"): told for genotype, told in both.items()}


def verdict(cell: Cell, region: str, karyotype: str, mask: Mask) -> tuple[str, dict[str, str]]:
    """Why this person is not called (empty: called), and the class of each variant that a called one carries."""
    genotype, quality = cell[0], QUALITIES[cell[1]]
    copies = COPIES[karyotype][region]
    if copies == 0:
        return "no_copy_here", {}
    meaning = meanings()[genotype][2 if region == "mt" else 2 - copies]
    differ = len(set(genotype.replace("|", "/").split("/"))) == 2
    asked = quality.balance if copies == 2 and differ else quality.two if copies == 2 else quality.one
    if mask is NO_MASK and asked != "filter":
        asked = ""
    if asked in BEFORE:
        return asked, {}
    if "_" in meaning or meaning == "missing":
        return meaning, {}
    carried = {} if meaning == "." else dict(part.split(":") for part in meaning.split(","))
    return asked, {} if asked else carried


def carried_alleles(genotype: str) -> set[str]:
    """The variants that a genotype names."""
    return {ALTS[int(a) - 1] for a in genotype.replace("|", "/").split("/") if a in ("1", "2")}


Records = dict[tuple[str, int], tuple[str, dict[str, Cell]]]


def records() -> Records:
    """Contig and POS -> region and each person's cell: first everybody's the same, then each person's another.

    The cells of a record agree in FILTER, which is the record's.
    """
    lines: list[dict[str, Cell]] = []
    for passed in dict.fromkeys(quality.filter for quality in QUALITIES.values()):
        cells = list(product(meanings(), [name for name, quality in QUALITIES.items() if quality.filter == passed]))
        lines += [dict.fromkeys(PEOPLE, cell) for cell in cells]
        lines += [{name: cells[(at + 5 * i) % len(cells)] for i, name in enumerate(PEOPLE)} for at in range(len(cells))]
    return {
        (contig, start + 2 * at): (region, line)
        for region, (contig, start) in REGIONS.items()
        for at, line in enumerate(lines)
    }


def text(placed: Records) -> str:
    """The records as a VCF."""
    lines = []
    for (contig, pos), (_, cell_of) in placed.items():
        (passed,) = {QUALITIES[quality].filter for _, quality in cell_of.values()}
        cells = [":".join(filter(None, (genotype, QUALITIES[quality].cell))) for genotype, quality in cell_of.values()]
        lines.append(f"{contig} {pos} A {','.join(ALTS)} {passed} . GT:AD:DP:GQ {' '.join(cells)}")
    return vcf(list(PEOPLE), lines, {contig.name: contig.length for contig in BUILD.contigs},
               more=('##ALT=<ID=NON_REF,Description="any">',))  # fmt: skip


def stratum(name: str) -> str:
    return f"{name}_{SEX.get(PEOPLE[name], 'U')}"


def expected(placed: Records, mask: Mask) -> tuple[dict[tuple[str, int, str, str], Row], Counter[str]]:
    """Contig, POS, ALT and stratum -> what its person adds there; and the ledger."""
    rows: dict[tuple[str, int, str, str], Row] = {}
    ledger: Counter[str] = Counter()
    for (contig, pos), (region, cell_of) in placed.items():
        for name, cell in cell_of.items():
            reason, carried = verdict(cell, region, PEOPLE[name], mask)
            called = 0 if reason else COPIES[PEOPLE[name]][region]
            for alt in ("C", "T"):
                kinds = (int(carried.get(alt) == kind) for kind in ("het", "homalt", "hemi"))
                rows[contig, pos, alt, stratum(name)] = (int(called == 2), int(called == 1), *kinds)
            named = len(carried_alleles(cell[0]))
            ledger["carriers_in"] += named
            ledger[f"carriers_dropped:{reason}" if reason else "carriers_counted"] += named
    return rows, +ledger


def counted(path: Path, mask: Mask, engine: Engine) -> tuple[dict[tuple[str, int, str, str], Row], Counter[str]]:
    """The same of the package; the AN track must say of POS what the rows do."""
    file = VariantFile(path)
    people = People(tuple(PEOPLE), tuple(PEOPLE.values()), tuple(map(stratum, PEOPLE)))
    rules = CountRules(BUILD, mask.for_fields(file.formats), None, {}, unknown_outside=True)
    ledger, rows = Ledger(), {}
    for _, part in count_sites(reader_of(file, people, engine)[0], people, rules, ledger):
        block, track = part.block, {}
        for contig, start, end, of, dip, hap, _ in block.an_track.iter_rows():
            track.update({(contig, base + 1, of): (dip, hap) for base in range(start, end)})
        for contig, pos, ref, alt, of, listed, *numbers, unknown in block.variants.iter_rows():
            assert (ref, listed, unknown) == ("A", 1, 0)
            assert track.get((contig, pos, of), (0, 0)) == tuple(numbers[:2])
            rows[contig, pos, alt, of] = tuple(numbers)
    return rows, +ledger.entries


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, bcftools: Bcftools) -> dict[str, Path]:
    """All cells in one file, as text and as BCF."""
    folder = tmp_path_factory.mktemp("table")
    found = {"vcf": write(folder / "table.vcf", text(records())), "bcf": folder / "table.bcf"}
    bcftools("view", "--no-version", "-Ob", "-o", found["bcf"], found["vcf"])
    return found


@pytest.mark.parametrize("mask", [ADJ, NO_MASK], ids=["adj", "none"])
@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("kind", ["vcf", "bcf"])
def test_every_person_adds_what_the_tables_say(files: dict[str, Path], kind: str, engine: Engine, mask: Mask) -> None:
    placed = records()
    rows, ledger = expected(placed, mask)
    found, entries = counted(files[kind], mask, engine)
    wrong = {key: (found.get(key), row) for key, row in rows.items() if found.get(key) != row}
    first = next(iter(wrong), None)
    assert not wrong, (len(wrong), first, wrong[first], placed[first[:2]])
    assert found.keys() == rows.keys()
    assert entries == ledger


def test_every_cell_is_asked_alone_and_in_company() -> None:
    """The tables lose nothing on their way into the file: of each region, person, genotype and quality."""
    alone: set[tuple[str, str, Cell]] = set()
    beside: set[tuple[str, str, Cell]] = set()
    for region, cell_of in records().values():
        cells = {(region, name, cell) for name, cell in cell_of.items()}
        (alone if len(set(cell_of.values())) == 1 else beside).update(cells)
    every = set(product(REGIONS, PEOPLE, product(meanings(), QUALITIES)))
    assert alone == every
    assert beside == every


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@pytest.mark.parametrize("kind", ["vcf", "bcf"])
@pytest.mark.parametrize("genotype", ["0/0/0", "0/0/1", "1|1|1", "././.", "0/1/./."])
def test_more_than_two_alleles_are_refused(
    bcftools: Bcftools, tmp_path: Path, genotype: str, kind: str, engine: Engine
) -> None:
    source = write(tmp_path / "a.vcf", vcf(list(PEOPLE), [f"chr1 5 A C . . GT {' '.join(['0/0'] * 6)} {genotype}"]))
    if kind == "bcf":
        bcftools("view", "--no-version", "-Ob", "-o", tmp_path / "a.bcf", source)
    with pytest.raises(InputError, match=r"(?s)chr1:5.*polyploid genotypes are not counted"):
        counted(tmp_path / f"a.{kind}", NO_MASK, engine)
