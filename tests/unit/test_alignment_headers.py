"""Headers of BAM and CRAM that came aligned: refused on another reference, whatever its contigs are called."""

import hashlib
from pathlib import Path
from typing import Any

import pysam
import pytest

from handmade import fasta
from tessera.errors import InputError
from tessera.files.alignments import AlignmentChecks, aligner_versions, is_indexed
from tessera.genome.build import Build, Contig

BUILD = Build("b", (Contig("chr1", "autosome", 40), Contig("chr2", "autosome", 20), Contig("chrM", "mt", 10)))
BASES = {"chr1": "ACGT" * 10, "chr2": "acgtn" * 4, "other": "A" * 5}
MD5 = {name: hashlib.md5(bases.upper().encode()).hexdigest() for name, bases in BASES.items()}


def check(folder: Path, contigs: list[dict[str, Any]], *, reference: bool = True, sample: str = "ann") -> list[str]:
    """The contigs that are not counted, or the refusals, of a BAM of ann with these contigs."""
    header = {"SQ": contigs, "RG": [{"ID": "1", "SM": "ann"}, {"ID": "2", "SM": "ann"}]}
    with pysam.AlignmentFile(str(folder / "a.bam"), "wb", header=header):
        pass
    checks = AlignmentChecks(BUILD, fasta(folder / "reference.fa", BASES) if reference else None)
    try:
        return checks.check(folder / "a.bam", sample)
    except InputError as error:
        return [str(problem).replace(f"{folder}/", "").split("\n")[0] for problem in error.problems]


def sq(name: str, length: int, **more: str) -> dict[str, Any]:
    return {"SN": name, "LN": length, **more}


def test_the_counted_contigs_of_the_reference_must_agree_and_others_are_told(tmp_path: Path) -> None:
    # chrM is counted and not in the reference, other is in the reference and not counted
    contigs = [sq("decoy", 7), sq("chr2", 20, M5=MD5["chr2"]), sq("chr1", 40, M5=MD5["chr1"].upper()), sq("other", 9)]
    assert check(tmp_path, contigs) == ["decoy", "other"]


@pytest.mark.parametrize(
    ("contigs", "said"),
    [
        ([sq("chr1", 41), sq("chr2", 20)], "contig chr1: 41 bases; expected 40 bases"),
        ([sq("chr1", 41), sq("chr2", 21)], "contig chr1: 41 bases, and 1 more contigs differ; expected 40 bases"),
        ([sq("chr1", 40)], "contig chr2: none of that name among chr1; expected 20 bases"),
        ([sq("1", 40), sq("2", 20)], "contig chr1: none of that name among 1, 2, and 1 more"),
        ([], "contig chr1: none of that name among no contigs, and 1 more"),
        (
            [sq("chr1", 40, M5=MD5["chr2"]), sq("chr2", 20)],
            f"contig chr1: bases with MD5 {MD5['chr2']}; expected MD5 {MD5['chr1']} as in the run's reference",
        ),
    ],
    ids=["length", "lengths", "missing", "naming", "nothing", "bases"],
)
def test_another_reference_is_one_refusal(tmp_path: Path, contigs: list[dict[str, Any]], said: str) -> None:
    (problem,) = check(tmp_path, contigs)
    assert problem.startswith(f"a.bam header: {said}")


def test_without_an_indexed_reference_lengths_are_those_of_the_build_in_either_naming(tmp_path: Path) -> None:
    assert check(tmp_path, [sq("1", 40), sq("MT", 10), sq("decoy", 7)], reference=False) == ["decoy"]
    (problem,) = check(tmp_path, [sq("1", 41)], reference=False)
    assert "contig 1: 41 bases" in problem
    (problem,) = check(tmp_path, [sq("scaffold", 41)], reference=False)
    assert "contig chr1: none of that name among scaffold" in problem


def test_reads_of_somebody_else_are_refused(tmp_path: Path) -> None:
    (problem,) = check(tmp_path, [sq("chr1", 40), sq("chr2", 20)], sample="ben")
    assert problem == "a.bam header: read groups of ann; expected SM:ben, as the sheet says."


@pytest.mark.parametrize("content", [b"", b"no BAM"])
def test_a_file_that_is_no_bam_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.bam").write_bytes(content)
    with pytest.raises(InputError, match="not readable as BAM or CRAM"):
        AlignmentChecks(BUILD, None).check(tmp_path / "a.bam", "ann")


@pytest.mark.parametrize(("mode", "end"), [("wb", 28), ("wc", 38)])
def test_a_file_without_its_end_is_refused(tmp_path: Path, mode: str, end: int) -> None:
    """Its last block is of 28 bytes in BAM, of 38 in CRAM 3; the header of a CRAM is looked at all the same."""
    path = tmp_path / "a.bam"
    header = {"SQ": [sq("chr1", 40), sq("chr2", 20)], "RG": [{"ID": "1", "SM": "ann"}]}
    with pysam.AlignmentFile(str(path), mode, header=header):
        pass
    checks = AlignmentChecks(BUILD, fasta(tmp_path / "reference.fa", BASES))
    assert checks.check(path, "ann") == []
    path.write_bytes(path.read_bytes()[:-end])
    with pytest.raises(InputError) as refused:
        checks.check(path, "ben")
    said = [str(problem) for problem in refused.value.problems]
    assert all("Copy it again" in line for line in said[:1])
    if mode == "wb":
        assert len(said) == 1
        assert "truncated" in said[0]
    else:
        assert len(said) == 2
        assert said[0].startswith(f"{path}: cut short")
        assert "read groups of ann" in said[1]


def test_only_an_index_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "r.fa").touch()
    assert not is_indexed(tmp_path / "r.fa")
    (tmp_path / "r.fa.fai").touch()
    assert is_indexed(tmp_path / "r.fa")
    (tmp_path / "r.fa.gz.fai").touch()
    assert not is_indexed(tmp_path / "r.fa.gz")


def test_versions_of_aligners_are_told_and_nothing_else_of_a_header(tmp_path: Path) -> None:
    programs = [
        [
            {"ID": "1", "PN": "minimap2", "VN": "2.31-r1302", "CL": "minimap2 /home/ann/ref.fa"},
            {"ID": "ann", "PN": "ann"},
        ],
        [{"ID": "1", "PN": "minimap2", "VN": "2.30-r1"}, {"ID": "2", "PN": "bwa", "VN": "0.7.17-r1188"}],
        [{"ID": "1", "PN": "bwa-mem2", "VN": "of ann"}, {"ID": "2", "PN": "bwa", "VN": "0.7.17-r1188"}],
    ]
    paths = [tmp_path / f"{number}.bam" for number, _ in enumerate(programs)]
    for path, lines in zip(paths, programs, strict=True):
        with pysam.AlignmentFile(str(path), "wb", header={"SQ": [sq("chr1", 40)], "PG": lines}):
            pass
    assert aligner_versions(paths) == {"bwa": "0.7.17-r1188", "minimap2": "2.30-r1 2.31-r1302"}
