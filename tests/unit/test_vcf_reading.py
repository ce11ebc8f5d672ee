"""A VCF or BCF becomes small arrays, and a broken file becomes one clear sentence."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from commands import Bcftools
from handmade import FORMATS, LENGTHS, vcf, write
from tessera.errors import InputError
from tessera.files.bcf import read_bcf_header
from tessera.files.inflated import BGZF_END
from tessera.files.vcf import ABSENT, MISSING, Record, VariantFile


def read(path: Path) -> list[Record]:
    return list(VariantFile(path).records())


def read_lines(tmp_path: Path, *lines: str, **header: object) -> list[Record]:
    """Records of lines for as many samples as the first line has."""
    samples = [f"s{i}" for i in range(len(lines[0].split()) - 7)]
    return read(write(tmp_path / "some.vcf", vcf(samples, lines, **header)))  # type: ignore[arg-type]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        read(path)
    return str(error.value)


def test_phased_and_unphased_diploid_genotypes_are_allele_numbers(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chr1 5 A C,G PASS . GT 0/1 1|2 ./. .|1 2/.")
    assert record.gt.tolist() == [[0, 1], [1, 2], [MISSING, MISSING], [MISSING, 1], [2, MISSING]]
    assert (record.contig, record.pos, record.end, record.ref, record.alts) == ("chr1", 5, 5, "A", ["C", "G"])


def test_a_record_of_haploid_genotypes_alone_has_no_second_allele(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chrY 70 A C PASS . GT 0 1 .")
    assert record.gt.tolist() == [[0, ABSENT], [1, ABSENT], [MISSING, ABSENT]]


def test_haploid_and_diploid_genotypes_stand_side_by_side(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chrX 70 A C PASS . GT 1 0/1 . ./.")
    assert record.gt.tolist() == [[1, ABSENT], [0, 1], [MISSING, ABSENT], [MISSING, MISSING]]


def test_samples_that_are_asked_for_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = VariantFile(write(tmp_path / "a.vcf", vcf(["a", "b", "c"], ["chr1 5 A C . . GT 0/0 0/1 1/1"])))
    assert file.samples == ["a", "b", "c"]
    assert [r.gt.tolist() for r in file.records(["a", "c"])] == [[[0, 0], [1, 1]]]


@pytest.mark.parametrize("genotypes", ["0/1/1", "0/1 0/0/1", "././."])
def test_a_triploid_genotype_is_refused_with_its_place(tmp_path: Path, genotypes: str) -> None:
    text = vcf([f"s{i}" for i in range(len(genotypes.split()))], [f"chr1 7 A C . . GT {genotypes}"])
    said = refusal(write(tmp_path / "a.vcf", text))
    assert "a.vcf chr1:7: a genotype of more than two alleles; expected haploid or diploid genotypes" in said


def test_a_record_without_gt_is_refused_with_its_place(tmp_path: Path) -> None:
    text = vcf(["s"], ["chr1 7 A C . . GT 0/1", "chr1 9 A C . . DP 30"])
    assert "a.vcf chr1:9: no GT in FORMAT" in refusal(write(tmp_path / "a.vcf", text))


def test_a_file_of_sites_without_samples_is_refused(tmp_path: Path) -> None:
    assert "no sample columns" in refusal(write(tmp_path / "a.vcf", vcf([], ["chr1 7 A C . ."])))


def long_file(path: Path) -> Path:
    """A BGZF of several blocks."""
    lines = [f"chr1 {i} A C . . GT:GQ:DP 0/1:{i % 89}:{i % 97} 0/0:{i * 7 % 83}:{i * 11 % 79}" for i in range(1, 9000)]
    return write(path, vcf(["a", "b"], lines, {"chr1": 10000}))


def test_a_bgzf_without_its_end_is_refused_before_a_record_is_read(tmp_path: Path) -> None:
    path = long_file(tmp_path / "a.vcf.gz")
    path.write_bytes(path.read_bytes()[: -len(BGZF_END)])
    with pytest.raises(InputError, match="a truncated BGZF: its end-of-file block is missing"):
        VariantFile(path)


def test_a_bgzf_cut_within_and_ended_again_is_refused_where_it_breaks(tmp_path: Path) -> None:
    """The copy was cut short, and something wrote an end-of-file block behind it."""
    path = long_file(tmp_path / "a.vcf.gz")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3] + BGZF_END)
    assert "unreadable record after chr1:" in refusal(path)


def test_a_bgzf_with_a_changed_byte_is_refused(tmp_path: Path) -> None:
    path = long_file(tmp_path / "a.vcf.gz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "unreadable record after" in refusal(path)


def test_a_plain_gzip_cut_short_is_refused(tmp_path: Path) -> None:
    text = vcf(["a"], [f"chr1 {i} A C . . GT 0/1" for i in range(1, 400)])
    path = tmp_path / "a.vcf.gz"
    path.write_bytes(gzip.compress(text.encode())[:-40])
    assert "unreadable" in refusal(path) or "not readable" in refusal(path)


def test_a_line_cut_short_is_refused(tmp_path: Path) -> None:
    text = vcf(["a", "b", "c"], ["chr1 5 A C . . GT 0/1 0/0 0/0", "chr1 7 A C . . GT 0/1 0/0 0/0"])
    assert "unreadable record after chr1:5" in refusal(write(tmp_path / "a.vcf", text[: text.rindex("\t0/0\n")]))


@pytest.mark.parametrize("option", ["-Ou", "-Ob"])
def test_a_bcf_cut_short_is_refused_with_and_without_its_end(tmp_path: Path, bcftools: Bcftools, option: str) -> None:
    path = tmp_path / "a.bcf"
    bcftools("view", option, "-o", path, long_file(tmp_path / "a.vcf.gz"))
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    assert "a truncated BGZF: its end-of-file block is missing" in refusal(path)
    path.write_bytes(half + BGZF_END)
    assert "unreadable record after chr1:" in refusal(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "an empty file; expected a VCF" in refusal(write(tmp_path / "a.vcf", ""))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "no such file; expected a VCF" in refusal(tmp_path / "a.vcf")


@pytest.mark.parametrize("content", ["sample\tsex\n", ">chr1\nACGT\n", "\x89PNG\r\n", "##fileformat=VCFv4.3\n"])
def test_something_else_is_no_vcf_and_its_first_line_says_so(tmp_path: Path, content: str) -> None:
    assert "a.vcf line 1: " in refusal(write(tmp_path / "a.vcf", content))


def test_a_vcf_without_records_has_none(tmp_path: Path) -> None:
    file = VariantFile(write(tmp_path / "a.vcf", vcf(["a"], [])))
    assert (list(file.records()), file.is_gvcf()) == ([], False)


@pytest.mark.parametrize("option", ["-Oz", "-Ob", "-Ou"])
def test_bcf_and_vcf_gz_give_the_same_records_as_vcf(tmp_path: Path, bcftools: Bcftools, option: str) -> None:
    lines = [
        "chr1 5 A C,G PASS . GT:GQ:DP:AD 0/1:20:30:10,20,0 1|2:.:.:. ./.:.:.:.,.,.",
        "chr1 9 AT A LowQual . GT:GQ:DP 0/1:20:30 0:1:2 .:.:.",
        "chr1 12 A <NON_REF> . END=40 GT:GQ:DP:MIN_DP 0/0:20:30:25 0/0:20:30:25 0/0:20:30:25",
        "chrM 3 A . . . GT 0 0 0",
    ]
    plain = write(tmp_path / "a.vcf", vcf(["a", "b", "c"], lines))
    packed = tmp_path / "packed"
    bcftools("view", option, "-o", packed, plain)
    ours, theirs = read(plain), read(packed)
    assert len(ours) == len(theirs) == len(lines)
    for one, other in zip(ours, theirs, strict=True):
        for field in Record.__slots__:
            np.testing.assert_array_equal(getattr(one, field), getattr(other, field), err_msg=field)


def test_gq_written_as_float_is_read_and_a_missing_one_is_nan(tmp_path: Path) -> None:
    formats = FORMATS | {"GQ": "Number=1,Type=Float"}
    (record,) = read_lines(tmp_path, "chr1 5 A C . . GT:GQ 0/1:19.5 0/1:.", formats=formats)
    assert record.gq is not None
    assert record.gq[0] == 19.5
    assert np.isnan(record.gq[1])


def test_gq_declared_as_text_is_refused(tmp_path: Path) -> None:
    formats = FORMATS | {"GQ": "Number=1,Type=String"}
    path = write(tmp_path / "a.vcf", vcf(["s"], ["chr1 5 A C . . GT:GQ 0/1:99"], formats=formats))
    assert "GQ declared with Number=1,Type=String; expected Number=1 and Type=Integer or Float" in refusal(path)


def test_missing_depths_are_negative_and_missing_fields_are_none(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chr1 5 A C,G . . GT:AD:DP 0/1:10,20,0:30 0/1:.:. 0/1:5,.,.:5 0/1")
    assert record.ad is not None
    assert record.dp is not None
    assert record.ad[0].tolist() == [10, 20, 0]
    assert (record.ad[1] < 0).all()
    assert record.ad[2, 0] == 5
    assert (record.ad[2, 1:] < 0).all()
    assert record.dp.tolist()[::2] == [30, 5]
    assert (record.dp[[1, 3]] < 0).all()
    assert (record.gq, record.min_dp) == (None, None)


@pytest.mark.parametrize("declared", [True, False])
def test_end_bounds_a_reference_block_declared_in_the_header_or_not(tmp_path: Path, declared: bool) -> None:
    more = ['##INFO=<ID=END,Number=1,Type=Integer,Description="End">'] if declared else []
    path = write(tmp_path / "a.vcf", vcf(["s"], ["chr1 5 A <NON_REF> . END=80 GT:DP 0/0:30"], more=more))
    (record,) = read(path)
    assert (record.end, record.is_reference) == (80, True)
    assert VariantFile(path).is_gvcf()


def test_an_end_that_is_no_number_is_refused(tmp_path: Path) -> None:
    more = ['##INFO=<ID=END,Number=1,Type=String,Description="End">']
    text = vcf(["s"], ["chr1 5 A <NON_REF> . END=soon GT:DP 0/0:30"], more=more)
    assert "END declared with Number=1,Type=String" in refusal(write(tmp_path / "a.vcf", text))


def test_end_of_a_variant_is_the_end_of_its_ref(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chr1 5 ATG A,<NON_REF> . END=80 GT 0/1")
    assert (record.end, record.is_reference) == (7, False)


@pytest.mark.parametrize(("alt", "is_gvcf"), [(".", False), ("<*>", True), ("<NON_REF>", True)])
def test_a_record_of_one_base_answers_for_it_as_a_gvcf_when_it_says_so(tmp_path: Path, alt: str, is_gvcf: bool) -> None:
    path = write(tmp_path / "a.vcf", vcf(["s"], [f"chr1 5 A {alt} . . GT 0/0"]))
    (record,) = read(path)
    assert (record.is_reference, record.end) == (True, 5)
    assert VariantFile(path).is_gvcf() is is_gvcf


def test_a_monomorphic_record_of_several_bases_makes_no_gvcf_of_a_cohort_file(tmp_path: Path) -> None:
    lines = ["chr1 5 ACG . . . GT 0/0 0/0", "chr1 9 A C . . GT 0/1 0/0"]
    assert not VariantFile(write(tmp_path / "a.vcf", vcf(["s", "t"], lines))).is_gvcf()


@pytest.mark.parametrize(
    ("filters", "passes"), [(".", True), ("PASS", True), ("LowQual", False), ("q10;LowQual", False)]
)
def test_filter_passes_when_it_is_pass_or_not_applied(tmp_path: Path, filters: str, passes: bool) -> None:
    more = ['##FILTER=<ID=q10,Description="q10">']
    (record,) = read_lines(tmp_path, f"chr1 5 A C {filters} . GT 0/1", more=more)
    assert record.passes_filter is passes


def test_bases_in_lower_case_are_read_as_capitals_and_symbols_as_they_are(tmp_path: Path) -> None:
    (record,) = read_lines(tmp_path, "chr1 5 atn a,gTN,<dup:Tandem>,*,t[chr1:9[ . . GT 0/1")
    assert record.ref == "ATN"
    assert record.alts == ["A", "GTN", "<dup:Tandem>", "*", "t[chr1:9["]


def test_the_header_tells_contigs_lengths_and_fields(tmp_path: Path) -> None:
    more = ["##contig=<ID=decoy,assembly=x>", '##contig=<assembly="a=b",ID=odd,length=7>']
    file = VariantFile(write(tmp_path / "a.vcf", vcf(["s"], [], more=more)))
    assert file.contig_lengths == {"decoy": None, "odd": 7, **LENGTHS}
    assert file.formats == set(FORMATS)


def test_keys_of_meta_lines_may_stand_in_any_order_and_quoted_text_declares_nothing(
    tmp_path: Path, bcftools: Bcftools
) -> None:
    more = [
        '##FORMAT=<Number=1,Type=Integer,Description="not DP,ID=XX,IDX=1",ID=GQ>',
        '##contig=<ID=chr1,length=400,description="length=7,ID=other">',
    ]
    formats = {name: said for name, said in FORMATS.items() if name != "GQ"}
    text = write(tmp_path / "a.vcf", vcf(["s"], ["chr1 5 A C . . GT:GQ:DP 0/1:30:20"], {}, formats, more))
    bcftools("view", "--no-version", "-Ob", "-o", tmp_path / "a.bcf", text)
    for path in (text, tmp_path / "a.bcf"):
        file = VariantFile(path)
        assert file.formats == set(FORMATS)
        assert file.contig_lengths == {"chr1": 400}
    header = read_bcf_header(gzip.decompress((tmp_path / "a.bcf").read_bytes()))
    assert header is not None
    assert header[0].contigs == {0: "chr1"}
    assert sorted(header[0].strings) == sorted([*FORMATS, "LowQual", "PASS"])
    # GQ is named before the other fields; PASS and LowQual are filters
    assert header[0].strings["GQ"] < header[0].strings["DP"]
