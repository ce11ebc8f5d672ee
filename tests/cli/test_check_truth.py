"""`tessera check-truth` finds each number that is off, and `tessera write-report` says on a page what was found."""

import json
import re
from pathlib import Path

import pytest

from commands import Tessera
from handmade import BUILD, sheet, vcf, write

PEOPLE = {"ann": "XX EE", "ben": "XY EE"}
FORMAT = "GT:GQ:DP:AD"
LINES = [
    f"chr1 5 A C . . {FORMAT} 0/1:50:30:15,15 1/1:50:30:0,30",
    f"chrX 70 C T . . {FORMAT} 0/1:50:30:9,21 1:50:30:0,30",
]

# counted by hand from the lines above and the regions that are declared callable
TRUTH = {
    "people.tsv": ["node sample counted reason", "alder ann true -", "alder ben true -"],
    "variants.tsv": [
        "scope contig pos ref alt stratum n_dip n_hap n_het n_homalt n_hemi",
        "alder chr1 5 A C EE_F 1 0 1 0 0",
        "alder chr1 5 A C EE_M 1 0 0 1 0",
        "alder chrX 70 C T EE_F 1 0 1 0 0",
        "alder chrX 70 C T EE_M 0 1 0 0 1",
        "birch chr1 5 A C EE_F 9 0 9 0 0",
    ],
    "an_track.tsv": [
        "scope contig start end stratum n_dip n_hap",
        "alder chr1 0 100 EE_F 1 0",
        "alder chr1 0 100 EE_M 1 0",
        "alder chrX 50 60 EE_F 1 0",
        "alder chrX 60 80 EE_F 1 0",
        "alder chrX 50 60 EE_M 1 0",
        "alder chrX 60 80 EE_M 0 1",
    ],
    "histograms.tsv": [
        "scope contig stratum metric bin count",
        "alder chr1 EE_F gq_alt 10 1",
        "alder chrX EE_M dp_alt 6 1",
    ],
    "exact.bed": ["contig start end scope", "chr1 0 400 alder", "chrX 40 90 alder"],
}
DECISIONS = "sample\tcounted\treason\nann\ttrue\t\nben\ttrue\t\n"


@pytest.fixture
def summary(tmp_path: Path, tessera: Tessera) -> Path:
    done = tessera(
        "count", "--input", write(tmp_path / "cohort.vcf", vcf(list(PEOPLE), LINES)), "--assume-normalised",
        "--samples",
        write(tmp_path / "samples.tsv", sheet(PEOPLE)), "--build", write(tmp_path / "build.yaml", BUILD),
        "--callable", write(tmp_path / "callable.bed", "chr1\t0\t100\nchrX\t50\t80\n"),
        "--out", tmp_path / "results" / "alder" / "summary",
    )  # fmt: skip
    assert done.code == 0, done.err
    return tmp_path / "results" / "alder" / "summary"


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    (tmp_path / "truth").mkdir()
    for name, lines in TRUTH.items():
        write(tmp_path / "truth" / name, "".join(line.replace(" -", " ").replace(" ", "\t") + "\n" for line in lines))
    write(tmp_path / "decisions.tsv", DECISIONS)
    return tmp_path / "truth"


def test_all_tables_that_are_not_there_are_named_at_once(tessera: Tessera, truth: Path, tmp_path: Path) -> None:
    names = ("variants.tsv", "histograms.tsv", "people.tsv")
    for name in names:
        (truth / name).unlink()
    done = tessera("check-truth", tmp_path / "gone", "--truth", truth, "--scope", "alder", "--decisions",
                   tmp_path / "lost.tsv", "--out", tmp_path / "out")  # fmt: skip
    assert done.code == 2
    assert all(f"{name}: no such file" in done.err for name in (*names, "lost.tsv"))
    assert "gone: no such folder" in done.err


def test_equal_numbers_are_counted_and_said(tessera: Tessera, summary: Path, truth: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    done = tessera("check-truth", summary, "--truth", truth, "--scope", "alder", "--decisions",
                   tmp_path / "decisions.tsv", "--out", out)  # fmt: skip
    assert done.code == 0, done.err
    # 4 rows of 5 numbers; 450 bases of 2 numbers in 2 strata; people: counted and reason of 2
    compared = {"variants": 20, "an_track": 1800, "people": 4}
    result = json.loads(out.read_text())
    assert compared.items() <= result["compared"].items()
    assert result["scope"] == "alder"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("variants.tsv", "chr1\t5\tA\tC\tEE_F\t1\t0\t1", "chr1\t5\tA\tC\tEE_F\t1\t0\t0", "chr1 5 A C EE_F"),
        ("variants.tsv", "chrX\t70\tC\tT\tEE_M\t0\t1", "chrX\t70\tC\tT\tEE_M\t1\t0", "chrX 70 C T EE_M"),
        ("variants.tsv", "alder\tchr1\t5\tA\tC\tEE_M", "alder\tchr1\t6\tA\tC\tEE_M", "not in the summary"),
        ("an_track.tsv", "chr1\t0\t100\tEE_F", "chr1\t0\t99\tEE_F", "AN track, found alone: (0, 100, 'EE_F', 1, 0)"),
        ("an_track.tsv", "60\t80\tEE_M\t0\t1", "60\t80\tEE_M\t1\t0", "AN track, expected alone"),
        ("histograms.tsv", "gq_alt\t10\t1", "gq_alt\t9\t1", "chr1 EE_F gq_alt 10: found"),
        ("people.tsv", "ben\ttrue\t", "ben\tfalse\tconsent", "ben: found"),
    ],
)
def test_a_number_that_is_off_is_named(
    tessera: Tessera, summary: Path, truth: Path, tmp_path: Path, name: str, old: str, new: str, said: str
) -> None:
    text = (truth / name).read_text()
    assert old in text
    (truth / name).write_text(text.replace(old, new))
    done = tessera("check-truth", summary, "--truth", truth, "--scope", "alder", "--decisions",
                   tmp_path / "decisions.tsv", "--out", tmp_path / "result.json")  # fmt: skip
    assert (done.code, done.out) == (2, b"")
    assert said in done.err.replace("\n", " ")
    assert not (tmp_path / "result.json").exists()


def test_a_scope_of_which_the_truth_says_nothing_is_refused(
    tessera: Tessera, summary: Path, truth: Path, tmp_path: Path
) -> None:
    """Else a misspelt name would be equal in all of its no numbers."""
    done = tessera("check-truth", summary, "--truth", truth, "--scope", "elder", "--out", tmp_path / "result.json")
    assert done.code == 2
    assert "--scope: elder; expected one of alder, birch" in done.err


def test_a_summary_of_nobody_lacks_what_is_expected(tessera: Tessera, truth: Path, tmp_path: Path) -> None:
    done = tessera(
        "count", "--input", write(tmp_path / "a.vcf", vcf(["ann"], [])), "--assume-normalised", "--samples",
        write(tmp_path / "s.tsv", sheet({"ann": "XX EE"}, "consent withdrawn")), "--build",
        write(tmp_path / "build.yaml", BUILD), "--out", tmp_path / "nobody",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert tessera("verify", tmp_path / "nobody").code == 0
    out = tmp_path / "result.json"
    done = tessera("check-truth", tmp_path / "nobody", "--truth", truth, "--scope", "alder", "--out", out)
    assert done.code == 2
    assert "not in the summary: ('chr1', 5, 'A', 'C', 'EE_F'" in done.err


def test_write_report_is_a_page_and_the_same_as_json(
    tessera: Tessera, summary: Path, truth: Path, tmp_path: Path
) -> None:
    results = summary.parents[1]
    (results / "alder" / "private").mkdir()
    write(results / "alder" / "private" / "decisions.tsv", DECISIONS + "cy\tfalse\tconsent\n")
    assert tessera("merge", summary, "--out", results / "federation" / "summary").code == 0
    result, page, data = (tmp_path / name for name in ("result.json", "report.txt", "report.json"))
    assert tessera("check-truth", summary, "--truth", truth, "--scope", "alder", "--out", result).code == 0
    done = tessera(
        "write-report", "--results", results, "--node", "alder", "--truth", result, "--out", page, "--json", data
    )
    assert done.code == 0, done.err
    text = page.read_text()
    assert "alder: consent  1" in text
    assert "ann" not in text.replace("people", "")
    assert json.loads(data.read_text())
    assert tessera("write-report", "--results", results, "--node", "elder", "--out", page, "--json", data).code == 2


def test_a_report_names_nodes_and_no_places(tessera: Tessera, summary: Path, tmp_path: Path) -> None:
    """It may be shown to partners, whom our folders and theirs do not concern."""
    results, page, data = summary.parents[1], tmp_path / "report.txt", tmp_path / "report.json"
    (results / "alder" / "private").mkdir()
    write(results / "alder" / "private" / "decisions.tsv", DECISIONS)
    assert tessera("merge", summary, "--out", results / "federation" / "summary").code == 0
    words = ["--results", results, "--node", "alder", "--summary", summary, "--out", page, "--json", data]
    assert tessera("write-report", *words).code == 0
    assert list(json.loads(data.read_text())["nodes"]) == ["alder", "received 1"]
    for text in (page.read_text(), data.read_text()):
        assert tmp_path.name not in text
        assert not re.search(r"(^|\s|\")/", text)
