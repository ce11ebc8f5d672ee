"""`tessera count` refuses what it cannot count: exit code 2, a sentence that helps, and nothing left behind."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Done, Tessera
from handmade import BUILD, LENGTHS, fasta, sheet, vcf, write
from tessera.files.inflated import BGZF_END

#: the base at 1-based POS is the letter (POS - 1) % 4 of this
MOTIF = "ACGT"
SEQUENCES = {name: MOTIF * (length // 4) for name, length in LENGTHS.items()}
GOOD = ["chr1 5 A C PASS . GT:GQ:DP 0/1:50:30 0/0:50:30", "chr1 9 A G PASS . GT:GQ:DP 0/1:50:30 1/1:50:30"]
GVCF = ["chr1 1 A <NON_REF> . END=90 GT:GQ:DP:MIN_DP 0/0:50:30:25", "chr1 91 G T,<NON_REF> . . GT:GQ:DP 0/1:50:30"]
PEOPLE = {"ann": "XX EE", "ben": "XY EE"}
DECISIONS = "sample\tcounted\treason\nann\ttrue\t\nben\ttrue\t\n"

Count = Callable[..., Done]


@pytest.fixture
def count(tmp_path: Path, tessera: Tessera) -> Count:
    """Count two people's VCF on its reference; keywords change an input (as text or path) or, for None, drop it."""
    inputs = {
        "input": write(tmp_path / "cohort.vcf", vcf(list(PEOPLE), GOOD)),
        "samples": write(tmp_path / "samples.tsv", sheet(PEOPLE)),
        "reference": fasta(tmp_path / "reference.fa", SEQUENCES),
        "build": write(tmp_path / "build.yaml", BUILD),
        "out": tmp_path / "work" / "summary",
    }
    (tmp_path / "work").mkdir()

    def run(*flags: str, **changed: object) -> Done:
        chosen = inputs | changed
        words = [word for name, value in chosen.items() if value is not None for word in (f"--{name}", str(value))]
        return tessera("count", *words, *flags)

    return run


def assert_refused(done: Done, folder: Path, *said: str) -> None:
    """Exit code 2, the sentences, no traceback, nothing on standard output, and an empty working folder."""
    assert done.code == 2, done.err
    assert done.out == b""
    for sentence in said:
        assert sentence in done.err
    assert "Traceback" not in done.err
    assert all(line.startswith(("tessera: error: ", "  ")) for line in done.err.splitlines())
    assert list((folder / "work").iterdir()) == []


def test_a_good_input_is_counted_and_lies_complete_with_its_provenance(count: Count, tmp_path: Path) -> None:
    done = count()
    assert (done.code, done.out) == (0, b"")
    assert "2 of 2 people counted; bases without a record: variant_only" in done.err
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["summary", "summary.provenance.json"]


@pytest.mark.parametrize(
    ("flags", "reference"), [((), None), (("--assume-normalised",), "reference.fa")], ids=["none", "both"]
)
def test_exactly_one_of_reference_and_assume_normalised_is_needed(
    count: Count, tmp_path: Path, flags: tuple[str, ...], reference: str | None
) -> None:
    done = count(*flags, reference=reference and tmp_path / reference)
    assert_refused(done, tmp_path, "both or none of --reference and --assume-normalised; expected one of them")


def test_ref_that_is_not_the_references_is_named_place_by_place(count: Count, tmp_path: Path) -> None:
    lines = ["chr1 5 G C . . GT 0/1", "chr1 9 A C . . GT 0/1", "chrX 70 CCC C . . GT 0/1"]
    done = count(input=write(tmp_path / "a.vcf", vcf(["ann"], lines)), samples=one_person(tmp_path))
    assert_refused(
        done, tmp_path, "a.vcf REF: not the reference's in 2 records: chr1:5 G (reference: A); chrX:70 CCC (",
        "Give the reference that the file was made on",
    )  # fmt: skip
    assert "chr1:9" not in done.err


def one_person(tmp_path: Path) -> Path:
    return write(tmp_path / "ann.tsv", sheet({"ann": "XX EE"}))


def test_many_wrong_refs_are_one_message(count: Count, tmp_path: Path) -> None:
    lines = [f"chr1 {pos} N C . . GT 0/1" for pos in range(1, 100)]
    done = count(input=write(tmp_path / "a.vcf", vcf(["ann"], lines)), samples=one_person(tmp_path))
    assert_refused(done, tmp_path, "in 20 records or more: chr1:1 N (reference: ", "chr1:5 N")
    assert done.err.count("tessera: error:") == 1


def test_a_reference_of_other_lengths_is_refused_contig_by_contig(count: Count, tmp_path: Path) -> None:
    other = SEQUENCES | {"chr1": "ACGT" * 99, "chrY": "ACGT" * 51}
    done = count(reference=fasta(tmp_path / "other.fa", other))
    assert_refused(
        done, tmp_path, "other.fa contig chr1: 396 bases; expected 400 as in build hand",
        "other.fa contig chrY: 204 bases; expected 200 as in build hand",
    )  # fmt: skip


def test_a_reference_with_none_of_the_contigs_is_refused(count: Count, tmp_path: Path) -> None:
    done = count(reference=fasta(tmp_path / "other.fa", {"scaffold": "ACGT"}))
    assert_refused(done, tmp_path, "other.fa: none of the build's contigs")


def test_a_reference_that_lacks_a_contig_of_the_records_is_refused(count: Count, tmp_path: Path) -> None:
    done = count(reference=fasta(tmp_path / "other.fa", {"chrX": SEQUENCES["chrX"]}))
    assert_refused(done, tmp_path, "other.fa: no contig chr1; expected every contig the input has records on")


def test_a_reference_that_is_not_there_is_refused(count: Count, tmp_path: Path) -> None:
    assert_refused(count(reference=tmp_path / "gone.fa"), tmp_path, "gone.fa: no such file; expected a reference FASTA")


def test_every_file_that_is_none_is_told_of_at_once(count: Count, tmp_path: Path) -> None:
    done = count(reference=tmp_path / "gone.fa", input=tmp_path, decisions=tmp_path / "gone.tsv")
    assert_refused(
        done, tmp_path, "a folder; expected a VCF", "gone.fa: no such file; expected a reference FASTA",
        "gone.tsv: no such file; expected a table of decisions",
    )  # fmt: skip


def test_a_header_of_another_build_is_refused(count: Count, tmp_path: Path) -> None:
    other = write(tmp_path / "other.vcf", vcf(list(PEOPLE), GOOD, LENGTHS | {"chr1": 401, "chrM": 90}))
    assert_refused(
        count(input=other), tmp_path, "header contig chr1: length 401; expected 400 as in build hand",
        "header contig chrM: length 90; expected 100", "Give the build the file was made on (--build)",
    )  # fmt: skip


def test_a_header_without_the_contigs_of_the_build_is_refused(count: Count, tmp_path: Path) -> None:
    other = write(tmp_path / "other.vcf", vcf(list(PEOPLE), [], {"scaffold_1": 9}))
    assert_refused(count(input=other), tmp_path, "header: contigs scaffold_1; expected ##contig lines of build hand")


@pytest.mark.parametrize("end", [b"", BGZF_END], ids=["without its end", "with an end"])
def test_a_truncated_file_is_refused(count: Count, tmp_path: Path, end: bytes) -> None:
    lines = [f"chr1 {p} {MOTIF[(p - 1) % 4]} * . . GT:GQ:DP 0/1:{p * p % 97}:{p} ./.:.:." for p in range(1, 400)]
    lines = [line for line in lines for _ in range(20)]  # several blocks of BGZF
    path = write(tmp_path / "cohort.vcf.gz", vcf(list(PEOPLE), lines))
    path.write_bytes(path.read_bytes()[:-200] + end)
    done = count(input=path)
    assert_refused(done, tmp_path, "compression that cannot be read" if end else "its end-of-file block is missing")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD[1], GOOD[0]], "chr1:5: a position before 9; expected records sorted by contig and POS"),
        (
            [GOOD[0], "chrX 70 C A . . GT:GQ:DP 0/0:50:30 0:50:30", GOOD[1]],
            "chr1:9: its contig came before; expected records sorted by contig and POS",
        ),
        (["chr1 399 GTA G . . GT 0/1 0/0"], "chr1:399: it ends at 401; expected at most 400, the end of the contig"),
        (["chr1 5 A A . . GT 0/1 0/0"], "chr1:5 ALT: A, which is REF"),
        (["chr1 5 A C . . GT 0/1/1 0/0"], 'chr1:5: sample "ann" has GT "0/1/1"; expected one or two alleles'),
        (["chr1 5 A C . . DP 3 4"], "chr1:5: no GT in FORMAT"),
        (["chr1 5.0 A C . . GT 0/1 0/0"], 'POS is "5.0"; expected a whole number'),
        (["chr1 5 A C,c . . GT 0/2 0/0"], 'chr1:5: ALT is "C,c"; expected each allele once'),
        (["chr1 5 A <*> . END= GT 0/0 0/0"], 'chr1:5: INFO/END is ""; expected one whole number'),
        (["chr1 5 A <*> . END GT 0/0 0/0"], 'chr1:5: INFO/END is "END"; expected one whole number'),
        (["chr1 5 A <*> . END=0 GT 0/0 0/0"], 'chr1:5: INFO/END is "0"; expected one whole number'),
    ],
    ids=[
        "unsorted",
        "contig comes back",
        "beyond the contig",
        "ALT is REF",
        "triploid",
        "no GT",
        "POS is no number",
        "ALT twice",
        "END is empty",
        "END is a flag",
        "END is zero",
    ],
)
def test_a_record_that_cannot_be_is_refused_at_its_place(
    count: Count, tmp_path: Path, lines: list[str], said: str
) -> None:
    assert_refused(count(input=write(tmp_path / "bad.vcf", vcf(list(PEOPLE), lines))), tmp_path, said)


def test_a_file_without_samples_is_refused(count: Count, tmp_path: Path) -> None:
    done = count(input=write(tmp_path / "sites.vcf", vcf([], ["chr1 5 A C . ."])))
    assert_refused(done, tmp_path, "no sample columns")


def test_samples_that_only_the_file_or_only_the_sheet_knows_are_listed_on_both_sides(
    count: Count, tmp_path: Path
) -> None:
    done = count(samples=write(tmp_path / "other.tsv", sheet({"ann": "XX EE", "cy": "XY EE", "di": "XX EE"})))
    assert_refused(
        done, tmp_path, "other.tsv: no line for ben; expected a line for every sample of",
        "cohort.vcf: no sample named cy, di; expected every sample that",
    )  # fmt: skip


def test_a_sample_asked_for_that_the_file_does_not_hold_is_named(count: Count, tmp_path: Path) -> None:
    assert_refused(count("--sample", "zoe"), tmp_path, "cohort.vcf: no sample named zoe")


def test_a_sheet_with_mistakes_is_refused_with_all_of_them(count: Count, tmp_path: Path) -> None:
    done = count(samples=write(tmp_path / "bad.tsv", sheet({"ann": "boy EE", "ben": "XY E-E"})))
    assert_refused(done, tmp_path, "bad.tsv line 2: sex is", "bad.tsv line 3: population is")


@pytest.mark.parametrize(
    "mask", ["strict", "", "genotypes,min_gq=20", "min_gq=20", "min_gq=20,min_dp=10,min_ab=0.2",
             "min_gq=20,min_dp=10,min_dp_haploid=5,min_ab=0.2,max_dp=9", "adj,none"],
)  # fmt: skip
def test_a_mask_that_is_none_says_what_a_mask_is(count: Count, tmp_path: Path, mask: str) -> None:
    said = f"--mask: {mask!r}; expected adj, none, genotypes, or all four of min_gq=30"
    assert_refused(count("--mask", mask), tmp_path, said)


@pytest.mark.parametrize("changed", ["min_gq=-1", "min_ab=1.5", "min_ab=nan"])
def test_a_mask_beyond_its_range_is_refused(count: Count, tmp_path: Path, changed: str) -> None:
    fields = {"min_gq": "20", "min_dp": "10", "min_dp_haploid": "5", "min_ab": "0.2"}
    fields |= dict([changed.split("=")])
    mask = ",".join(f"{name}={value}" for name, value in fields.items())
    assert_refused(count("--mask", mask), tmp_path, f"--mask {changed.partition('=')[0]}: ")


def test_callable_regions_for_a_gvcf_are_refused(count: Count, tmp_path: Path) -> None:
    gvcf = write(tmp_path / "ann.g.vcf", vcf(["ann"], GVCF))
    bed = write(tmp_path / "callable.bed", "chr1\t0\t50\n")
    done = count(input=gvcf, samples=one_person(tmp_path), callable=bed)
    assert_refused(done, tmp_path, "ann.g.vcf: reference blocks and callable regions for it; expected one of the two")


def test_every_bad_line_of_a_bed_is_named(count: Count, tmp_path: Path) -> None:
    text = "#regions\nchr1\t10\t5\nchr1 1 2\nchr1\t390\t401\nchr1\tten\t20\nother\t9\t1\nchr1\t-1\t5\nchr1\t0\t400\n"
    done = count(callable=write(tmp_path / "bad.bed", text))
    assert_refused(done, tmp_path, *(f"bad.bed line {number}: " for number in (2, 3, 4, 5, 7)))
    assert done.err.count("bad.bed line") == 5


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_is_no_summary_at_out_is_left_as_it_is(count: Count, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "mine"
    kept = out if kind == "file" else out / "thesis.tex"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("years of work")
    before = sorted(tmp_path.rglob("*"))
    done = count(out=out)
    said = "it is there and no folder" if kind == "file" else "it holds thesis.tex, which is no part of a summary"
    assert_refused(done, tmp_path, f"{said}; expected a new folder or a summary")
    assert kept.read_text() == "years of work"
    assert sorted(tmp_path.rglob("*")) == before


def test_an_older_summary_stays_when_the_new_count_fails(count: Count, tmp_path: Path) -> None:
    assert count().code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert count(input=write(tmp_path / "bad.vcf", vcf(list(PEOPLE), [*GOOD, GOOD[0]]))).code == 2
    after = {path: path.read_bytes() for path in (tmp_path / "work").rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("cell", ["loop/x.vcf", "loop", "a\0b.vcf", "a" * 5000])
def test_a_cell_that_no_file_can_have_names_no_file(count: Count, tmp_path: Path, cell: str) -> None:
    """Nobody's cell names the file, so everybody of the sheet is expected in it."""
    (tmp_path / "loop").symlink_to("loop")
    assert count(samples=write(tmp_path / "other.tsv", sheet(PEOPLE, f"vcf {cell}"))).code == 0


def test_names_that_are_not_utf_8_are_refused(count: Count, tmp_path: Path) -> None:
    text = vcf(list(PEOPLE), GOOD)
    broken_texts = (
        ("\tann\t", "\tan\udcff\t", "names in UTF-8"),
        ("\nchr1\t", "\nch\udcff1\t", "expected the name of a contig"),
        ("\tA\tC\t", "\tA\t<\udcff>\t", "text that is not UTF-8"),
    )
    for old, new, said in broken_texts:
        broken = tmp_path / "broken.vcf"
        broken.write_bytes(text.replace(old, new).encode(errors="surrogateescape"))
        assert_refused(count(input=broken), tmp_path, said)
    bad = tmp_path / "bad.tsv"
    bad.write_bytes(sheet({"ann\udcff": "XX EE"}).encode(errors="surrogateescape"))
    assert_refused(count(samples=bad), tmp_path, "bad.tsv line 2: bytes that are not UTF-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DECISIONS.replace("ben\ttrue\t\n", ""), "nothing about ben; expected a decision on every sample"),
        (DECISIONS + "ann\tfalse\tconsent\n", "sample ann: decided twice"),
        (DECISIONS.replace("ann\ttrue\t", "ann\tfalse\t"), "sample ann: counted is false without a reason"),
        (DECISIONS.replace("ann\ttrue\t", "ann\ttrue\tconsent"), "sample ann: counted is true with reason consent"),
        (DECISIONS.replace("true", "yes"), 'd.tsv: counted is "yes"; expected true or false'),
        ("sample\tcounted\nann\ttrue\n", "the columns sample, counted; expected a table with the columns"),
        ("", "d.tsv"),
    ],
    ids=["lacks one", "one twice", "no reason", "reason of a counted", "not a boolean", "lacks a column", "empty"],
)
def test_decisions_that_do_not_decide_are_refused(count: Count, tmp_path: Path, text: str, said: str) -> None:
    assert_refused(count(decisions=write(tmp_path / "d.tsv", text)), tmp_path, said)


@pytest.mark.parametrize(
    "reason", ["Ann Smith, moved", "qc:ann", "consent;consent", "withdrawn;consent", "Consent", ";"]
)
def test_a_reason_that_is_none_is_refused_for_a_manifest_may_leave_the_node(
    count: Count, tmp_path: Path, reason: str
) -> None:
    text = DECISIONS.replace("ann\ttrue\t", f"ann\tfalse\t{reason}")
    said = f'd.tsv sample ann: reason "{reason}"; expected consent, qc:call_rate, '
    assert_refused(count(decisions=write(tmp_path / "d.tsv", text)), tmp_path, said)


def test_several_reasons_are_counted_as_one(count: Count, tmp_path: Path) -> None:
    text = DECISIONS.replace("ann\ttrue\t", "ann\tfalse\tconsent;qc:call_rate")
    assert count(decisions=write(tmp_path / "d.tsv", text)).code == 0
    manifest = json.loads((tmp_path / "work" / "summary" / "manifest.json").read_text())
    assert manifest["not_counted"] == {"consent;qc:call_rate": 1}


@pytest.mark.parametrize("name", ["input", "samples", "build", "decisions", "callable"])
def test_an_input_that_is_not_there_is_named(count: Count, tmp_path: Path, name: str) -> None:
    assert_refused(count(**{name: tmp_path / "gone"}), tmp_path, "gone")


def test_callable_regions_on_no_counted_contig_are_refused(count: Count, tmp_path: Path) -> None:
    """Else nobody would be called outside records, and AN too low would be called exact."""
    cohort = write(tmp_path / "a.vcf", vcf(["ann"], ["chr1 5 A C . . GT 0/1"]))
    for text, said in (("chr9\t0\t100\n", "no region on a contig that is counted"), ("", "no region on a contig"),
                       ("1\t0\t100\n", "regions on 1 (1 lines); expected the name chr1")):  # fmt: skip
        bed = write(tmp_path / "callable.bed", text)
        done = count("--callable", bed, input=cohort, samples=one_person(tmp_path))
        assert_refused(done, tmp_path, said)


@pytest.mark.parametrize(("alt", "said"), [("C", "chr1:5 G"), (None, "chr1:5 ALT: G")], ids=["REF", "ALT"])
def test_a_long_allele_is_shown_by_its_beginning(count: Count, tmp_path: Path, alt: str | None, said: str) -> None:
    long = "G" * 300
    reference = fasta(tmp_path / "other.fa", SEQUENCES | ({} if alt else {"chr1": "AAAA" + long + "A" * 96}))
    file = write(tmp_path / "a.vcf", vcf(["ann"], [f"chr1 5 {long} {alt or long} . . GT 0/1"]))
    done = count(input=file, samples=one_person(tmp_path), reference=reference)
    assert_refused(done, tmp_path, f"{said}{'G' * 39}... (300 letters)")
    assert "G" * 41 not in done.err
