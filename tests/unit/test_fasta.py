"""A FASTA that is not what its index says is refused, whatever of it is asked for."""

from pathlib import Path

import pytest

from handmade import fasta
from tessera.errors import InputError
from tessera.files.fasta import Reference
from tessera.genome.build import Build, Contig

BUILD = Build("b", (Contig("chr1", "autosome", 10), Contig("chr2", "autosome", 4)))
SEQUENCES = {"chr1": "ACGTNacgta", "chr2": "ACGT"}


def read_everything(path: Path) -> None:
    reference = Reference(path)
    reference.spelling(BUILD)
    reference.sequences(BUILD)


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return fasta(tmp_path / "reference.fa", SEQUENCES)


def test_a_whole_fasta_is_read(reference: Path) -> None:
    read_everything(reference)
    assert Reference(reference).bases("chr1", 3, 8) == "TNACG"
    assert Reference(reference).bases("chr2", 2, 9) == "GT"


@pytest.mark.parametrize("ask", [read_everything, lambda path: Reference(path).bases("chr2", 0, 4)])
def test_a_fasta_cut_short_is_refused(reference: Path, ask: object) -> None:
    reference.write_bytes(reference.read_bytes()[:-8])
    with pytest.raises(InputError, match=r"chr2:1-4: not the bases that its index \(.fai\) tells of"):
        ask(reference)  # type: ignore[operator]


@pytest.mark.parametrize(
    "index",
    [
        b"junk\n",
        b"",
        b"chr1\tx\t1\t1\t1\n",
        b"chr1\t-5\t6\t10\t11\nchr2\t4\t23\t4\t5\n",
        b"ch\xff\t10\t6\t10\t11\n",
        b"chr1\t10\t6\t0\t0\nchr2\t4\t23\t4\t5\n",
        b"chr1\t10\t99999\t10\t11\nchr2\t4\t99999\t4\t5\n",
        b"chr1\t10\t3\t10\t11\nchr2\t4\t16\t4\t5\n",
    ],
)
def test_an_index_that_is_none_is_refused(reference: Path, index: bytes) -> None:
    (reference.parent / "reference.fa.fai").write_bytes(index)
    with pytest.raises(InputError, match="samtools faidx"):
        read_everything(reference)


@pytest.mark.parametrize("change", [(b"ACGTN", b"AC>TN"), (b"ACGTN", b"AC\xffTN"), (b"ACGTN", b"A1GTN")])
def test_bases_that_are_no_letters_are_refused(reference: Path, change: tuple[bytes, bytes]) -> None:
    reference.write_bytes(reference.read_bytes().replace(*change, 1))
    with pytest.raises(InputError, match=r"reference.fa"):
        read_everything(reference)
