"""Kinship: PLINK 2's KING table of the same genotypes, families drawn by Mendel's rules, and a real trio."""

import gzip
from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Tessera
from native import native
from tessera.cohort import relatives
from tessera.cohort.count import count_sites
from tessera.cohort.engine import reader_of
from tessera.cohort.ledger import Ledger
from tessera.cohort.relatives import find_relatives
from tessera.cohort.source import fitting_build
from tessera.cohort.stretch import CountRules
from tessera.files.builds import read_build
from tessera.files.vcf import VariantFile
from tessera.schemas.mask import ADJ
from tessera.summary.people import People

MARKERS = 6000


def family(seed: int) -> dict[str, np.ndarray]:
    """Copies of ALT of unlinked markers: parents, two children, a grandchild, a twin of one child, and strangers."""
    draw = np.random.default_rng(seed)
    p = draw.uniform(0.05, 0.95, MARKERS)

    def stranger() -> np.ndarray:
        return draw.binomial(2, p)

    def child(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return draw.binomial(1, one / 2) + draw.binomial(1, other / 2)

    people = {"father": stranger(), "mother": stranger(), "other": stranger(), "far": stranger()}
    people["ann"] = child(people["father"], people["mother"])
    people["ben"] = child(people["father"], people["mother"])
    people["kid"] = child(people["ann"], people["other"])
    people["twin"] = people["ann"].copy()
    return people


def write_vcf(path: Path, people: dict[str, np.ndarray], missing: float = 0.0) -> None:
    draw = np.random.default_rng(9)
    text = ["0/0", "0/1", "1/1"]
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1,length=1000000>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">',
    ]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *people]))
    for at in range(MARKERS):
        gts = ["./." if draw.random() < missing else text[doses[at]] for doses in people.values()]
        lines.append("\t".join(["1", str(100 * at + 50), f"m{at}", "A", "G", ".", "PASS", ".", "GT", *gts]))
    path.write_text("\n".join(lines) + "\n")


def write_markers(path: Path) -> None:
    path.write_text("".join(f"chr1\t{100 * at + 49}\t{100 * at + 50}\tA\tG\n" for at in range(MARKERS)))


def run(tessera: Tessera, folder: Path, *inputs: Path) -> pl.DataFrame:
    words = [word for path in inputs for word in ("--input", path)]
    done = tessera(
        "find-relatives", *words, "--samples", folder / "samples.tsv", "--markers", folder / "markers.bed",
        "--mask", "none", "--out", folder / "pairs.tsv",
    )  # fmt: skip
    assert done.code == 0, done.err
    return pl.read_csv(folder / "pairs.tsv", separator="\t")


def test_kinship_is_plinks_of_every_pair(tessera: Tessera, tmp_path: Path) -> None:
    plink2 = native("plink2")
    people = family(1)
    write_vcf(tmp_path / "all.vcf", people, missing=0.03)
    write_markers(tmp_path / "markers.bed")
    (tmp_path / "samples.tsv").write_text("sample\tsex\tpopulation\n" + "".join(f"{name}\tXX\tXA\n" for name in people))
    found = run(tessera, tmp_path, tmp_path / "all.vcf")
    plink2(
        "--vcf", tmp_path / "all.vcf", "--make-king-table", "--king-table-filter", 2**-4.5, "--out", tmp_path / "king"
    )
    rows = [line.split("\t") for line in (tmp_path / "king.kin0").read_text().splitlines()]
    at = {name.lstrip("#"): i for i, name in enumerate(rows[0])}
    expected = {tuple(sorted((row[at["IID1"]], row[at["IID2"]]))): row for row in rows[1:]}
    pairs = {(one, other): (markers, kinship) for one, other, markers, kinship, _ in found.iter_rows()}
    assert set(pairs) == set(expected)
    assert len(pairs) > 10
    for pair, (markers, kinship) in pairs.items():
        assert markers == int(expected[pair][at["NSNP"]])
        assert abs(kinship - float(expected[pair][at["KINSHIP"]])) < 1e-4


def king(one: np.ndarray, other: np.ndarray) -> tuple[int, float]:
    """Markers known of both and kinship, pair by pair, as equation 11 of Manichaikul et al. 2010 stands."""
    both = (one >= 0) & (other >= 0)
    a, b = one[both].astype(int), other[both].astype(int)
    return len(a), 0.5 - ((a - b) ** 2).sum() / (4 * min((a == 1).sum(), (b == 1).sum()))


def test_people_compared_in_squares_are_those_compared_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relatives, "ROWS", 3)
    monkeypatch.setattr(relatives, "MARKERS_AT_ONCE", 1000)
    people = family(7)
    doses = np.array(list(people.values()), np.int8)
    doses[np.random.default_rng(3).random(doses.shape) < 0.1] = -1
    doses[0, relatives.FEWEST_MARKERS - 1 :] = -1
    names = list(people)
    table, untold = find_relatives(names, doses)
    expected = {}
    for i, j in combinations(range(len(names)), 2):
        markers, kinship = king(doses[i], doses[j])
        if markers >= relatives.FEWEST_MARKERS and kinship >= 2**-4.5:
            expected[tuple(sorted((names[i], names[j])))] = (markers, round(kinship, 4))
    assert len(expected) > 8
    assert untold == len(names) - 1
    assert {(one, other): (markers, kinship) for one, other, markers, kinship, _ in table.iter_rows()} == expected


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_degrees_are_those_of_the_family(seed: int) -> None:
    people = family(seed)
    table, untold = find_relatives(list(people), np.array(list(people.values()), np.int8))
    assert untold == 0
    found = {(one, other): relation for one, other, _, _, relation in table.iter_rows()}
    assert found == {
        ("ann", "twin"): "duplicate",
        **dict.fromkeys(
            [("ann", "ben"), ("ben", "twin"), ("ann", "kid"), ("kid", "twin"), ("kid", "other")]
            + [(name, parent) for name in ("ann", "ben") for parent in ("father", "mother")]
            + [(parent, "twin") for parent in ("father", "mother")],
            "first",
        ),
        **dict.fromkeys([("ben", "kid"), ("father", "kid"), ("kid", "mother")], "second"),
    }


def test_people_of_several_files_are_compared(tessera: Tessera, tmp_path: Path) -> None:
    people = family(4)
    write_vcf(tmp_path / "one.vcf", {"ann": people["ann"]})
    write_vcf(tmp_path / "many.vcf", {"twin": people["twin"], "far": people["far"]})
    write_markers(tmp_path / "markers.bed")
    (tmp_path / "samples.tsv").write_text(
        "sample\tsex\tpopulation\tvcf\nann\tXX\tXA\tone.vcf\ntwin\tXX\tXA\tmany.vcf\nfar\tXX\tXA\tmany.vcf\n"
    )
    found = run(tessera, tmp_path, tmp_path / "one.vcf", tmp_path / "many.vcf")
    assert found.rows() == [("ann", "twin", MARKERS, 0.5, "duplicate")]


def test_a_reference_block_of_a_gvcf_says_no_copies(tessera: Tessera, tmp_path: Path) -> None:
    """ann's calls as a gVCF, with blocks where there is no variant, beside her twin's as a VCF."""
    people = family(5)
    write_vcf(tmp_path / "twin.vcf", {"twin": people["twin"]})
    write_vcf(tmp_path / "plain.vcf", {"ann": people["ann"]})
    lines = []
    for line in (tmp_path / "plain.vcf").read_text().splitlines():
        fields = line.split("\t")
        if fields[-1] == "0/0":
            fields[4], fields[7] = "<NON_REF>", f"END={int(fields[1]) + 20}"
            fields[1] = str(int(fields[1]) - 10)
        lines.append("\t".join(fields))
    lines.insert(1, '##INFO=<ID=END,Number=1,Type=Integer,Description="e">')
    (tmp_path / "ann.g.vcf").write_text("\n".join(lines) + "\n")
    write_markers(tmp_path / "markers.bed")
    (tmp_path / "samples.tsv").write_text(
        "sample\tsex\tpopulation\tgvcf\tvcf\nann\tXX\tXA\tann.g.vcf\t\ntwin\tXX\tXA\t\ttwin.vcf\n"
    )
    found = run(tessera, tmp_path, tmp_path / "ann.g.vcf", tmp_path / "twin.vcf")
    assert found.rows() == [("ann", "twin", MARKERS, 0.5, "duplicate")]
    assert measured_and_compared(tessera, tmp_path, "ann.g.vcf", "twin.vcf").rows() == found.rows()


def measured_and_compared(tessera: Tessera, folder: Path, *inputs: str) -> pl.DataFrame:
    """The pairs that come of each file's genotypes at the markers, as the workflow draws them."""
    (folder / "build.yaml").write_text(
        "name: one\ncontigs:\n  - {name: '1', kind: autosome, length: 1000000}\npar: []\n"
    )
    words: list[str | Path] = []
    for name in inputs:
        done = tessera(
            "measure-variants", "--input", folder / name, "--samples", folder / "samples.tsv", "--mask", "none",
            "--build", folder / "build.yaml", "--markers", folder / "markers.bed", "--copies", folder / f"{name}.tsv",
            "--out", folder / f"{name}.metrics.tsv",
        )  # fmt: skip
        assert done.code == 0, done.err
        words += ["--copies", folder / f"{name}.tsv"]
    done = tessera(
        "find-relatives", *words, "--samples", folder / "samples.tsv", "--markers", folder / "markers.bed",
        "--out", folder / "drawn.tsv",
    )  # fmt: skip
    assert done.code == 0, done.err
    return pl.read_csv(folder / "drawn.tsv", separator="\t")


def test_genotypes_drawn_from_a_count_are_those_of_the_records(shared: Path) -> None:
    """Fifty real gVCFs, at their own SNVs: each file read record by record, and by way of its count."""
    files = sorted((shared / "04_gvcf/hail_1kg_chr22_50").glob("*.g.vcf.gz"))
    snvs: dict[int, tuple[str, str]] = {}
    for file in files:
        for line in gzip.decompress(file.read_bytes()).decode().splitlines():
            fields = line.split("\t", 5)
            if line[0] != "#" and len(fields[3]) == 1 and fields[4].split(",")[0] in list("ACGT"):
                snvs[int(fields[1])] = (fields[3], fields[4][0])
    sites = {("chr22", pos): (number, *snvs[pos]) for number, pos in enumerate(sorted(snvs))}
    build = read_build("GRCh38")
    known = np.zeros(3, int)
    for file in files:
        variants = VariantFile(file)
        person = People(tuple(variants.samples), ("XX",), ("FI_F",))
        there = relatives.marker_doses(variants.records_over(person.names, sites), 1, sites, ADJ)[0]
        drawn = relatives.CountedMarkers(sites)
        rules = CountRules(fitting_build(variants, build), ADJ, None, {}, unknown_outside=False)
        for key, part in count_sites(reader_of(variants, person)[0], person, rules, Ledger()):
            drawn.add(key, part.block)
        np.testing.assert_array_equal(drawn.doses, there)
        known += np.bincount(there[there >= 0], minlength=3)
    assert (known > 5).all(), known


def test_the_ashkenazi_trio_is_a_child_and_its_parents(tessera: Tessera, shared: Path, tmp_path: Path) -> None:
    source = shared / "03_cohort_vcf" / "trio" / "ashk-trio.vcf.gz"
    rows = [line.split("\t") for line in gzip.decompress(source.read_bytes()).decode().splitlines() if line[0] != "#"]
    snvs = {(row[0], int(row[1])): row for row in rows if len(row[3]) == len(row[4]) == 1 and row[4] in "ACGT"}
    bed = [
        f"{contig}\t{pos - 1}\t{pos}\t{row[3]}\t{row[4]}\n" for (contig, pos), row in snvs.items() if contig.isdigit()
    ]
    (tmp_path / "markers.bed").write_text("".join(bed))
    pedigree = [line.split() for line in source.with_name("ashk-trio.ped").read_text().splitlines() if line[:1] != "#"]
    (tmp_path / "samples.tsv").write_text(
        "sample\tsex\tpopulation\n" + "".join(f"{row[1]}\t{'XY' if row[4] == '1' else 'XX'}\tAJ\n" for row in pedigree)
    )
    found = run(tessera, tmp_path, source)
    child = next(row for row in pedigree if row[2] != "0")
    expected = {tuple(sorted((child[1], parent))) for parent in child[2:4]}
    assert {(one, other) for one, other, *_ in found.iter_rows() if _[2] == "first"} == expected
    assert len(found) == 2


def test_too_few_markers_are_told_and_not_judged(tessera: Tessera, tmp_path: Path) -> None:
    people = family(6)
    names = ["ann", "twin"]
    few = np.full((2, MARKERS), -1, np.int8)
    few[:, :499] = np.array([people[name][:499] for name in names])
    table, untold = find_relatives(names, few)
    assert (len(table), untold) == (0, 1)
