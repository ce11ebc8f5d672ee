"""What a broken VCF is told, and what real files do that breaks no rule."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tessera.errors import InputError
from tessera.files.vcf_check import missing_newline, record_problems
from tessera.files.vcf_header import Rule, VcfHeader, read_header

ROOT = Path(__file__).parents[2]
COLUMNS = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t")
FORMATS = [
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="Quality, from \\"here\\"">',
    '##FORMAT=<ID=DP,Type=Integer,Number=1,Description="Depth">',
    '##FORMAT=<ID=AD,Number=.,Type=Integer,Description="Depths">',
]


def header(*lines: str, samples: str = "ann bob", version: str = "4.2") -> VcfHeader:
    columns = "\t".join([COLUMNS, *samples.split(" ")])
    return read_header([f"##fileformat=VCFv{version}", *FORMATS, *lines, columns], "a.vcf")


def record(text: str, about: VcfHeader | None = None) -> list[str]:
    """The problems of a record whose blanks are tabs."""
    return [str(problem) for problem in record_problems(text.replace(" ", "\t"), about or header(), 7)]


def rules(text: str, about: VcfHeader | None = None) -> list[str]:
    return [problem.rule for problem in record_problems(text.replace(" ", "\t"), about or header(), 7)]


def refused(*lines: str) -> list[str]:
    with pytest.raises(InputError) as refusal:
        read_header(lines, "a.vcf")
    return [str(problem) for problem in refusal.value.problems]


def test_a_header_tells_samples_contigs_and_fields() -> None:
    found = header("##contig=<ID=chr1,length=400,assembly=b>", "##contig=<ID=HLA-A*01:01:01:01>", "##not=<structured")
    assert found == VcfHeader(
        version="4.2",
        samples=["ann", "bob"],
        contigs={"chr1": 400, "HLA-A*01:01:01:01": None},
        formats={"GT": ("1", "String"), "GQ": ("1", "Float"), "DP": ("1", "Integer"), "AD": (".", "Integer")},
        lines=9,
    )


def test_reading_a_header_leaves_an_iterator_at_the_first_record() -> None:
    lines = iter(["##fileformat=VCFv4.2\r\n", f"{COLUMNS}\tann\r\n", "the first record\r\n"])
    assert read_header(lines, "a.vcf").samples == ["ann"]
    assert list(lines) == ["the first record\r\n"]


def test_all_problems_of_a_header_are_told_at_once() -> None:
    lines = ["##fileformat=VCFv5.0", "##contig=<length=3>", "##INFO=<ID=END,Number=1,Type=String>"]
    lines += ["##FORMAT=<ID=AD,Number=1,Type=Integer>", f"{COLUMNS}\tann\tann\t"]
    assert refused(*lines) == [
        'a.vcf line 1: "##fileformat=VCFv5.0"; expected ##fileformat=VCFv4.0 to VCFv4.5, as the first line.',
        "a.vcf line 2: a ##contig line that cannot be read; expected ##contig=<ID=name,length=bases>.",
        "a.vcf line 3: END declared with Number=1,Type=String; expected Number=1 and Type=Integer.\n"
        "  If the values are right, correct the declaration; if they mean something else, they cannot be counted.",
        "a.vcf line 4: AD declared with Number=1,Type=Integer; expected Number=R or . and Type=Integer.\n"
        "  If the values are right, correct the declaration; if they mean something else, they cannot be counted.",
        'a.vcf line 5: "ann" 2 times; expected each sample once.',
        "a.vcf line 5: columns without a sample name (1); expected a name for every sample.",
    ]


def test_a_line_of_columns_between_blanks_is_refused() -> None:
    (problem,) = refused("##fileformat=VCFv4.2", f"{COLUMNS} ann".replace("\t", " "))
    assert "and samples, between tabs" in problem


def test_a_sample_name_that_is_no_utf8_is_refused() -> None:
    bad = b"J\xf6rg".decode("utf-8", "surrogateescape")
    (problem,) = refused("##fileformat=VCFv4.2", f"{COLUMNS}\t{bad}")
    assert "names in UTF-8" in problem
    assert header(samples="Jörg").samples == ["Jörg"]


def test_a_contig_declared_again_with_another_length_is_refused() -> None:
    assert header("##contig=<ID=1>", "##contig=<ID=1,length=5>", "##contig=<ID=1>").contigs == {"1": 5}
    with pytest.raises(InputError, match='"1" with length 6, before with 5'):
        header("##contig=<ID=1,length=5>", "##contig=<ID=1,length=6>")


def test_a_field_declared_twice_differently_is_refused() -> None:
    with pytest.raises(InputError, match="GQ declared again"):
        header('##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="">')


def test_a_file_that_ends_in_its_header_is_refused_at_its_last_line() -> None:
    assert refused("##fileformat=VCFv4.2", "##source=x") == [
        "a.vcf line 2: the file ends here; expected a line that begins with #CHROM.\n  Copy or make it again."
    ]


def test_every_problem_of_a_record_is_told_with_its_place() -> None:
    assert record("chr1 5 . B T . PASS . GT:GQ 0/2:-1 0/1:9") == [
        'line 7, chr1:5: REF is "B"; expected bases (A, C, G, T, N).\n'
        "  An ambiguity code is written as the first of its bases in the alphabet.",
        'line 7, chr1:5: sample "ann" has GT "0/2"; expected allele numbers up to 1, the number of ALTs.',
        'line 7, chr1:5: sample "ann" has GQ "-1"; expected a number, 0 or more, or `.`.',
    ]


def test_of_many_samples_that_break_a_rule_the_first_is_told() -> None:
    many = header(samples=" ".join(f"s{n}" for n in range(1000)))
    (problem,) = record("chr1 5 . A T . PASS . GT" + " 0/0" * 300 + " 0/x" * 700, many)
    assert 'sample "s300" has GT "0/x"' in problem


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "an empty line"),
        ("chr1 5 . A T . PASS . GT 0/0 0/0 ", "1 tabs at the end"),
        ("chr1 5 . A T . PASS . GT 0/0", "10 columns; expected 11 columns"),
    ],
)
def test_a_wrong_number_of_columns_is_told_by_its_likely_reason(line: str, words: str) -> None:
    (problem,) = record(line)
    assert words in problem


def test_blanks_for_tabs_are_told() -> None:
    (problem,) = record_problems("chr1 5 . A T . PASS . GT 0/0 0/0", header(), 7)
    assert problem.found == "no tabs"


@pytest.mark.parametrize(
    "line",
    [
        "chr1 5 . a g . . . GT:AD:GQ:DP 0/1:3,.:39.12:7 .",
        "chr1 5 . R <NON_REF> . . END=9 GT:GQ 0/0:3 0/0:.",
        "chr1 5 . M . 1e-9 lowq . GT 0/0 .",
        "chr1 5 . A C,G . lowq;PASS END=x GT:AD:PL 1|2:1,2,3 ./.:.:.",
    ],
)
def test_what_real_callers_write_is_accepted(line: str) -> None:
    """Float GQ, AD declared `.`, ambiguity codes in reference blocks, lower case, fields cut off, END of a variant."""
    assert record(line) == []


def test_a_record_may_reach_the_end_of_its_contig_and_no_further() -> None:
    about = header("##contig=<ID=chr1,length=9>")
    assert rules("chr1 9 . A T . . . GT 0 0", about) == []
    assert rules("chr1 9 . AC T . . . GT 0 0", about) == [Rule.BEYOND_CONTIG]
    assert rules("chr1 5 . A . . . END=9 GT 0 0", about) == []
    assert rules("chr1 5 . A . . . END=10 GT 0 0", about) == [Rule.BEYOND_CONTIG]
    assert rules("chr2 5 . A . . . END=10 GT 0 0", about) == [Rule.UNDECLARED_CONTIG]
    assert rules("<chr2> 5 . A . . . END=10 GT 0 0", about) == []


def test_a_genotype_may_begin_with_its_phase_since_vcf_4_4() -> None:
    line = "chr1 5 . A T . . . GT /0|1 |1"
    assert rules(line, header(version="4.3")) == [Rule.GT]
    assert rules(line, header(version="4.4")) == []
    assert rules(line, header(version="4.5")) == []
    assert rules("chr1 5 . A T . . . GT /0|1|1 //1", header(version="4.4")) == [Rule.PLOIDY, Rule.GT]


def test_whole_numbers_are_asked_where_the_header_says_integer() -> None:
    line = "chr1 5 . A T . . . GT:GQ 0/1:39.12 0/1:1"
    assert rules(line) == []
    whole = replace(header(), formats={"GQ": ("1", "Integer")})
    assert rules(line, whole) == [Rule.NUMBER]


def test_gt_needs_no_declaration_for_its_meaning_is_fixed() -> None:
    assert rules("chr1 5 . A T . . . GT:XY 0/1:39.12 0/1", VcfHeader("4.2", ["ann", "bob"])) == []


def test_text_that_does_not_end_its_last_line_is_refused_with_that_line() -> None:
    assert str(missing_newline(12)) == (
        "line 12: the file ends within this line; expected a line end (LF) after the last record.\n"
        "  If the file is complete, add it; else copy or make it again."
    )


def test_the_documentation_lists_every_rule_once() -> None:
    page = (ROOT / "docs" / "refusals.md").read_text()
    listed = re.findall(r"^\| `([a-z-]+)` \|", page, flags=re.MULTILINE)
    assert sorted(listed) == sorted(rule.value for rule in Rule)
