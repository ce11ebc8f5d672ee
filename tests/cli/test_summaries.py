"""`tessera merge`, `subtract`, `export vcf`, `write-ploidy` and `measure-variants`, as a person calls them."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Bcftools, Done, Tessera
from handmade import BUILD, sheet, vcf, write
from nation import Nation

LINES = {
    "ann": ["chr1 5 A C . . GT 0/1", "chr1 9 A G . . GT 1/1", "chrX 70 C T . . GT 0/1"],
    "ben": ["chr1 5 A C . . GT 1/1", "chr1 9 A G . . GT 0/0", "chrX 70 C T . . GT 1", "chrM 7 G A . . GT 0/1"],
}
PEOPLE = {"ann": "XX EE", "ben": "XY EE"}

Count = Callable[..., Path]


@pytest.fixture
def count(tmp_path: Path, tessera: Tessera) -> Count:
    """Count a person's VCF, called everywhere but in the last bases of chr1."""

    def run(name: str, *more: str, build: str = BUILD, facts: str | None = None, mask: str = "none") -> Path:
        folder = tmp_path / f"{name}-{facts}"
        folder.mkdir(exist_ok=True)
        bed = write(folder / "callable.bed", "chr1\t0\t390\nchrX\t0\t300\nchrY\t0\t200\nchrM\t0\t100\n")
        done = tessera(
            "count", "--input", write(folder / "a.vcf", vcf([name], LINES[name])), "--samples",
            write(folder / "samples.tsv", sheet({name: facts or PEOPLE[name]})), "--assume-normalised", "--mask", mask,
            "--build", write(folder / "build.yaml", build), *(more or ("--callable", str(bed))),
            "--out", folder / "summary",
        )  # fmt: skip
        assert done.code == 0, done.err
        return folder / "summary"

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def assert_refused(done: Done, out: Path, *said: str) -> None:
    assert (done.code, done.out) == (2, b"")
    for sentence in said:
        assert sentence in done.err
    assert "Traceback" not in done.err
    assert not out.exists()
    assert [p for p in out.parent.iterdir() if p.name.startswith(".")] == []


def test_merge_adds_in_any_order_and_subtract_takes_out_again(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    ann, ben = count("ann"), count("ben")
    assert tessera("merge", ann, ben, "--out", tmp_path / "both").code == 0
    assert tessera("merge", ben, ann, "--workers", 2, "--out", tmp_path / "again").code == 0
    assert contents(tmp_path / "both") == contents(tmp_path / "again")
    assert tessera("subtract", tmp_path / "both", ben, "--out", tmp_path / "without").code == 0
    assert contents(tmp_path / "without") == contents(ann)
    shown = [line.split("\t") for line in tessera("show", tmp_path / "both").text.splitlines()[1:]]
    # chr1:5 1 + 2 of 4; chr1:9 2 of 4; chrX:70 1 + 1 of 3; MT: ben's het of the two who are called
    assert [(f"{row[0]}:{row[1]}", row[5], row[6]) for row in shown] == [
        ("chr1:5", "3", "4"), ("chr1:9", "2", "4"), ("chrX:70", "2", "3"), ("chrM:7", "1", "2"),
    ]  # fmt: skip


def test_what_a_person_without_a_good_call_adds_is_taken_out_to_the_byte(
    tessera: Tessera, count: Count, tmp_path: Path
) -> None:
    """Ann and Ben have no GQ, so `adj` leaves nothing of them; zeros in the manifest must not stay or come."""
    ann, ben = count("ann", mask="adj"), count("ben", mask="adj")
    assert tessera("merge", ann, "--out", tmp_path / "same").code == 0
    assert contents(tmp_path / "same") == contents(ann)
    assert tessera("merge", ann, ben, "--out", tmp_path / "both").code == 0
    assert tessera("subtract", tmp_path / "both", ben, "--out", tmp_path / "without").code == 0
    assert contents(tmp_path / "without") == contents(ann)
    assert tessera("verify", ann).code == 0


def test_the_sum_of_nobody_is_what_a_sum_minus_itself_is(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    ann = count("ann")
    build = tmp_path / "ann-None" / "build.yaml"
    assert tessera("merge", ann, "--out", tmp_path / "same").code == 0
    assert tessera("subtract", tmp_path / "same", ann, "--out", tmp_path / "minus").code == 0
    # a file without GQ, DP and AD is counted without a mask
    assert tessera("merge", "--build", build, "--mask", "none", "--out", tmp_path / "none").code == 0
    assert contents(tmp_path / "none") == contents(tmp_path / "minus")
    assert tessera("merge", ann, tmp_path / "none", "--out", tmp_path / "sum").code == 0
    assert contents(tmp_path / "sum") == contents(ann)
    assert tessera("verify", tmp_path / "none").code == 0


def test_merge_refuses_nothing_at_all_and_rules_beside_summaries(
    tessera: Tessera, count: Count, tmp_path: Path
) -> None:
    out = tmp_path / "work" / "sum"
    out.parent.mkdir()
    assert_refused(tessera("merge", "--out", out), out, "no summaries and no --build")
    assert_refused(tessera("merge", count("ann"), "--mask", "adj", "--out", out), out, "rules beside them")


def test_merge_refuses_summaries_of_other_rules_and_names_each(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    out = tmp_path / "work" / "sum"
    out.parent.mkdir()
    other = BUILD.replace("name: hand", "name: other").replace("y: [0, 60]", "y: [0, 50]")
    done = tessera("merge", count("ann"), count("ben", build=other), "--out", out)
    assert_refused(done, out, "rules.build.name: other in", "expected hand as in", "rules.build.par: ", "recount one")


def test_merge_refuses_a_summary_twice_and_its_own_output(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    ann, out = count("ann"), tmp_path / "work" / "sum"
    out.parent.mkdir()
    assert_refused(tessera("merge", ann, f"{ann}/../summary", "--out", out), out, "the same summary twice")
    before = contents(ann)
    done = tessera("merge", ann, count("ben"), "--out", ann)
    assert done.code == 2
    assert "which is one of the summaries" in done.err
    assert contents(ann) == before


def test_merge_refuses_a_copy_or_a_link_of_a_summary(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    ann, ben, out = count("ann"), count("ben"), tmp_path / "work" / "sum"
    out.parent.mkdir()
    copy, link = tmp_path / "copy", tmp_path / "link"
    shutil.copytree(ann, copy)
    link.symlink_to(ann)
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest))  # other bytes, the same content
    said = f"{copy}: the same summary twice: it holds to the byte what {ann} holds; expected each summary once"
    assert_refused(tessera("merge", ann, ben, copy, "--out", out), out, said, "counted twice")
    assert_refused(tessera("merge", ann, ben, link, "--out", out), out, "the same summary twice")


def test_people_in_whom_nothing_was_found_may_be_alike(
    tessera: Tessera, count: Count, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LINES, "ann", [])
    one, other = count("ann"), tmp_path / "other"
    shutil.copytree(one, other)
    assert tessera("merge", one, other, "--out", tmp_path / "both").code == 0
    assert tessera("verify", tmp_path / "both").text.startswith(f"{tmp_path / 'both'}: verified; 2 people")


def test_subtracting_a_copy_leaves_nobody(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    shutil.copytree(count("ann"), tmp_path / "copy")
    assert tessera("subtract", count("ann"), tmp_path / "copy", "--out", tmp_path / "none").code == 0
    assert list(contents(tmp_path / "none")) == ["manifest.json"]


@pytest.mark.parametrize("command", ["merge", "subtract"])
def test_an_output_within_a_summary_is_refused(tessera: Tessera, count: Count, tmp_path: Path, command: str) -> None:
    ann, ben = count("ann"), count("ben")
    (tmp_path / "link").symlink_to(ann)
    before = contents(ann)
    for place in (ann / "x", ann / "variants" / "x", tmp_path / "link" / "x"):
        done = tessera(command, ann, ben, "--out", place)
        assert (done.code, "which lies in the summary" in done.err) == (2, True)
    assert contents(ann) == before


def test_all_summaries_that_are_not_there_are_named_at_once(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    out = tmp_path / "work" / "sum"
    out.parent.mkdir()
    done = tessera("merge", tmp_path / "gone", count("ann"), tmp_path / "lost", "--out", out)
    assert_refused(done, out, "gone: no such folder", "lost: no such folder")


def test_subtract_refuses_what_is_not_contained(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    out = tmp_path / "work" / "rest"
    out.parent.mkdir()
    done = tessera("subtract", count("ann"), count("ben"), "--out", out)
    assert_refused(done, out, "the second summary must be a part of the first".capitalize())


def test_export_vcf_is_read_by_bcftools_and_carries_the_counts(
    tessera: Tessera, bcftools: Bcftools, count: Count, tmp_path: Path
) -> None:
    both, out = tmp_path / "both", tmp_path / "af.vcf.gz"
    assert tessera("merge", count("ann"), count("ben"), "--out", both).code == 0
    assert tessera("export", "vcf", both, "--out", out).code == 0
    fields = ["AC", "AN", "AC_Het", "AC_Hom", "AC_Hemi", "AC_EE", "AC_F", "AN_EE_M", "AC_EE_M_Hemi"]
    text = bcftools("query", "-f", r"%CHROM:%POS\t%ALT" + "".join(rf"\t%{name}" for name in fields) + r"\n", out)
    assert text.splitlines() == [
        "chr1:5\tC\t3\t4\t1\t2\t0\t3\t1\t2\t0",
        "chr1:9\tG\t2\t4\t0\t2\t0\t2\t2\t2\t0",
        "chrX:70\tT\t2\t3\t1\t0\t1\t2\t1\t1\t1",
        "chrM:7\tA\t1\t2\t1\t0\t0\t1\t0\t1\t0",
    ]
    assert bcftools("view", "-H", "-r", "chrX", out).count("\n") == 1
    again = tmp_path / "again.vcf.gz"
    assert tessera("export", "vcf", both, "--out", again).code == 0
    assert again.read_bytes() == out.read_bytes()


def test_export_vcf_refuses_names_that_are_no_tags_but_gives_totals(
    tessera: Tessera, count: Count, tmp_path: Path
) -> None:
    summary, out = count("ann", facts="XX Estonia"), tmp_path / "work" / "af.vcf.gz"
    out.parent.mkdir()
    assert_refused(tessera("export", "vcf", summary, "--out", out), out, "population Estonia", "export with --total")
    assert tessera("export", "vcf", summary, "--total", "--out", out).code == 0


def test_export_vcf_refuses_counts_that_are_intervals(tessera: Tessera, count: Count, tmp_path: Path) -> None:
    out = tmp_path / "work" / "af.vcf.gz"
    out.parent.mkdir()
    done = tessera("export", "vcf", count("ann", "--mask", "none"), "--out", out)
    assert_refused(done, out, "an_basis: variant_only", "AN would be too low")
    assert_refused(tessera("export", "vcf", out, "--out", tmp_path / "work" / "af.vcf"), out, "ends in .vcf.gz")


def test_write_ploidy_writes_a_table_by_karyotype(tessera: Tessera, tmp_path: Path) -> None:
    build = write(tmp_path / "build.yaml", BUILD)
    done = tessera("write-ploidy", "--build", build, "--out", tmp_path / "ploidy.txt")
    assert (done.code, done.out, done.err) == (0, b"", "")
    lines = (tmp_path / "ploidy.txt").read_text().splitlines()
    assert all(re.fullmatch(r"(\S+ \d+ \d+|\* \* \*) \S+ [012]", line) for line in lines)
    assert {line for line in lines if " XY " in line} == {
        "chrX 1 60 XY 2", "chrX 61 300 XY 1", "chrY 1 60 XY 0", "chrY 61 200 XY 1",
        "chrM 1 100 XY 2", "* * * XY 2",
        # the same for a reference that spells its contigs otherwise
        "X 1 60 XY 2", "X 61 300 XY 1", "Y 1 60 XY 0", "Y 61 200 XY 1", "MT 1 100 XY 2",
    }  # fmt: skip
    assert {line for line in lines if line.startswith("chrY") and " XX " in line} == {
        "chrY 1 60 XX 0", "chrY 61 200 XX 0"
    }  # fmt: skip


def test_measure_variants_gives_each_person_a_row(tessera: Tessera, tmp_path: Path) -> None:
    lines = ["chr1 5 A C . . GT 0/1 1/1", "chr1 9 A G . . GT 0/1 ./.", "chr1 13 A G . . GT 1/1 0/0",
             "chr1 17 A G LowQual . GT ./. ./.", "chrX 70 C T . . GT 0/1 1"]  # fmt: skip
    out = tmp_path / "variants.tsv"
    done = tessera(
        "measure-variants", "--input", write(tmp_path / "a.vcf", vcf(list(PEOPLE), lines)), "--samples",
        write(tmp_path / "samples.tsv", sheet(PEOPLE)), "--build", write(tmp_path / "build.yaml", BUILD),
        "--mask", "none", "--out", out,
    )  # fmt: skip
    assert done.code == 0, done.err
    header, ann, ben = (line.split("\t") for line in out.read_text().splitlines())
    assert ann[3] == ben[3] == ""
    assert header[:4] == ["sample", "call_rate", "het_hom_ratio", "x_heterozygosity"]
    assert (ann[0], float(ann[1]), float(ann[2])) == ("ann", 1.0, 2.0)
    assert (ben[0], round(float(ben[1]), 6), float(ben[2])) == ("ben", round(2 / 3, 6), 0.0)
    # the standard's seven: SNVs, insertions, deletions, het/hom of SNVs and of indels, insertions/deletions, ti/tv
    assert ann[4:] == ["3", "0", "0", "2.0", "", "", "2.0"]
    assert ben[4:] == ["1", "0", "0", "0.0", "", "", "0.0"]


def test_measure_variants_of_nobody_has_a_header_alone(tessera: Tessera, tmp_path: Path) -> None:
    done = tessera(
        "measure-variants", "--input", write(tmp_path / "a.vcf", vcf(list(PEOPLE), ["chr1 5 A C . . GT 0/1 1/1"])),
        "--samples", write(tmp_path / "samples.tsv", sheet(PEOPLE, "consent withdrawn")),
        "--build", write(tmp_path / "build.yaml", BUILD), "--out", tmp_path / "variants.tsv",
    )  # fmt: skip
    assert done.code == 0, done.err
    (header,) = (tmp_path / "variants.tsv").read_text().splitlines()
    assert header.split("\t")[0] == "sample"
    assert len(header.split("\t")) == 11


def test_an_altered_summary_is_not_added_up(tessera: Tessera, nation: Nation, tmp_path: Path) -> None:
    shutil.copytree(nation.summaries / "birch", tmp_path / "birch")
    member = next((tmp_path / "birch" / "variants").iterdir())
    member.write_bytes(member.read_bytes() + b"x")
    done = tessera("merge", tmp_path / "birch", nation.summaries / "cedar", "--out", tmp_path / "sum")
    assert done.code == 2
    assert "sha256 differs" in done.err
    assert not (tmp_path / "sum").exists()
