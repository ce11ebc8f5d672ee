"""`tessera find-relatives`: how it refuses, and that withdrawn people are left out."""

from pathlib import Path

import pytest

from commands import Done, Tessera
from tessera.cohort.relatives import FEWEST_MARKERS

SHEET = "sample\tsex\tpopulation\tconsent\nann\tXX\tXA\tDUO:0000042\nben\tXY\tXA\tDUO:0000042\neve\tXX\tXA\twithdrawn\n"


@pytest.fixture
def node(tmp_path: Path) -> Path:
    """Three people with the same genotypes, one of them withdrawn, at as many markers as are needed."""
    (tmp_path / "samples.tsv").write_text(SHEET)
    places = range(10, 10 + 10 * FEWEST_MARKERS, 10)
    header = [
        "##fileformat=VCFv4.2",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">',
        "##contig=<ID=chr1,length=9999>",
    ]
    header.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tben\teve")
    rows = [f"chr1\t{pos}\t.\tA\tC\t.\tPASS\t.\tGT" + f"\t{'0/1' if pos % 20 else '0/0'}" * 3 for pos in places]
    (tmp_path / "all.vcf").write_text("\n".join([*header, *rows]) + "\n")
    (tmp_path / "markers.bed").write_text("".join(f"chr1\t{pos - 1}\t{pos}\tA\tC\n" for pos in places))
    return tmp_path


def find(tessera: Tessera, node: Path, *inputs: str) -> Done:
    words = [word for name in inputs for word in ("--input", node / name)]
    more = ["--samples", node / "samples.tsv", "--markers", node / "markers.bed", "--out", node / "pairs.tsv"]
    return tessera("find-relatives", *words, *more)


def test_withdrawn_people_are_left_out(tessera: Tessera, node: Path) -> None:
    done = find(tessera, node, "all.vcf")
    assert (done.code, done.err) == (0, "")
    header, *rows = (node / "pairs.tsv").read_text().splitlines()
    assert header == "sample_1\tsample_2\tmarkers\tkinship\trelation"
    assert rows == [f"ann\tben\t{FEWEST_MARKERS}\t0.5\tduplicate"]


def test_pairs_with_few_markers_are_told(tessera: Tessera, node: Path) -> None:
    markers = (node / "markers.bed").read_text().splitlines(keepends=True)
    (node / "markers.bed").write_text("".join(markers[1:]))
    done = find(tessera, node, "all.vcf")
    assert done.code == 0
    assert f"1 pairs share fewer than {FEWEST_MARKERS} markers" in done.err
    assert len((node / "pairs.tsv").read_text().splitlines()) == 1


def test_a_sample_of_two_files_is_refused(tessera: Tessera, node: Path) -> None:
    (node / "again.vcf").write_text((node / "all.vcf").read_text())
    done = find(tessera, node, "all.vcf", "again.vcf")
    assert done.code == 2
    assert "sample ann: in two files" in done.err
    assert "sample ben: in two files" in done.err


@pytest.mark.parametrize(
    ("markers", "said"),
    [
        ("", "markers.bed: an empty file"),
        ("chr1\t9\t10\n", "markers.bed line 1: 'chr1 9 10'; expected contig, start, end, REF and ALT"),
        ("chr1\t9\t10\tA\tA\n", "markers.bed line 1: "),
        ("chr1\t9\t11\tA\tC\n", "markers.bed line 1: "),
    ],
)
def test_what_are_no_markers_is_refused(tessera: Tessera, node: Path, markers: str, said: str) -> None:
    (node / "markers.bed").write_text(markers)
    done = find(tessera, node, "all.vcf", "nothing.vcf")
    assert done.code == 2
    assert said in done.err
    assert "nothing.vcf: no such file" in done.err
    assert not (node / "pairs.tsv").exists()


def test_genotypes_drawn_from_other_markers_are_refused(tessera: Tessera, node: Path) -> None:
    (node / "copies").mkdir()
    short, odd = "0" * (FEWEST_MARKERS - 1), "3" * FEWEST_MARKERS
    (node / "one.tsv").write_text(f"sample\tcopies\nann\t{short}\n")
    (node / "two.tsv").write_text(f"sample\tcopies\nben\t{odd}\n")
    more = ["--samples", node / "samples.tsv", "--markers", node / "markers.bed", "--out", node / "pairs.tsv"]
    done = tessera("find-relatives", "--copies", node / "one.tsv", "--copies", node / "two.tsv", *more)
    assert done.code == 2
    assert "one.tsv sample ann: 499 markers; expected 500" in done.err
    assert "two.tsv sample ben: other signs" in done.err
    assert tessera("find-relatives", *more).code == 2
    assert not (node / "pairs.tsv").exists()
