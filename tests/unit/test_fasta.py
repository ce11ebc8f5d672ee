"""A FASTA that is not what its index says is refused, whatever of it is asked for."""

import base64
import hashlib
import json
import os
from pathlib import Path
from random import Random

import pysam
import pytest

from handmade import fasta
from tessera.errors import InputError
from tessera.files.fasta import Reference
from tessera.files.reference_digests import digests_path
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


def hashlib_refget(sequence: str) -> str:
    return "SQ." + base64.urlsafe_b64encode(hashlib.sha512(sequence.upper().encode()).digest()[:24]).decode()


def test_kept_digests_are_those_of_the_sequences(reference: Path) -> None:
    Reference(reference).keep_digests()
    kept = json.loads(digests_path(reference).read_text())["contigs"]
    assert kept == {
        name: {"refget": hashlib_refget(bases), "md5": hashlib.md5(bases.upper().encode()).hexdigest()}
        for name, bases in SEQUENCES.items()
    }


def test_kept_digests_spare_the_hashing_until_the_fasta_changes(reference: Path) -> None:
    """Digests that are nobody's show who is asked: the file beside, and after a change the bases."""
    Reference(reference).keep_digests()
    beside = digests_path(reference)
    beside.write_text(beside.read_text().replace(hashlib_refget("ACGT"), "SQ.kept"))
    assert Reference(reference).refget("chr2") == "SQ.kept"
    kept, before = beside.stat(), reference.stat()
    # another FASTA of the same size and an older time takes its place, later than the digests
    os.utime(beside, ns=(kept.st_atime_ns, kept.st_mtime_ns - 10**9))
    reference.with_name("other.fa").write_bytes(reference.read_bytes())
    os.utime(reference.with_name("other.fa"), ns=(before.st_atime_ns, before.st_mtime_ns - 10**10))
    reference.with_name("other.fa").replace(reference)
    assert Reference(reference).refget("chr2") == hashlib_refget("ACGT")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"contigs": {}}', "junk"])
def test_digests_that_are_none_are_refused(reference: Path, text: str) -> None:
    digests_path(reference).write_text(text)
    with pytest.raises(InputError, match=r"Remove it, or run: tessera digest-reference"):
        Reference(reference)


@pytest.mark.parametrize("contigs", ["[1]", '{"chr1": 1}', "7"])
def test_digests_of_another_shape_are_refused(reference: Path, contigs: str) -> None:
    Reference(reference).keep_digests()
    kept = json.loads(digests_path(reference).read_text())
    digests_path(reference).write_text(json.dumps({**kept, "contigs": json.loads(contigs)}))
    with pytest.raises(InputError, match="a document of other keys"):
        Reference(reference)


@pytest.mark.parametrize(("width", "line_end"), [(1, "\n"), (7, "\n"), (7, "\r\n"), (60, "\n"), (1000, "\n")])
def test_bases_are_those_that_samtools_reads(tmp_path: Path, width: int, line_end: str) -> None:
    rng = Random(width)
    path = tmp_path / "reference.fa"
    sequences = {name: "".join(rng.choices("ACGTNacgtn", k=length)) for name, length in (("c1", 433), ("c2", 60))}
    with path.open("w", newline="") as file:
        for name, bases in sequences.items():
            lines = [bases[at : at + width] for at in range(0, len(bases), width)]
            file.write(line_end.join([f">{name} of a test", *lines, ""]))
    reference, samtools = Reference(path), pysam.FastaFile(str(path))
    for _ in range(300):
        contig = rng.choice(list(sequences))
        start, end = sorted(rng.choices(range(len(sequences[contig]) + 1), k=2))
        if start < end:
            expected = samtools.fetch(contig, start, end)
            assert Reference(path).bases(contig, start, end) == reference.bases(contig, start, end) == expected.upper()
            assert reference.letters(contig, start, end).tobytes().decode() == expected


@pytest.mark.parametrize("index", ["c1\t20\t4\t6\t7\n", "c1\t20\t4\t5\t7\n", "c1\t20\t5\t5\t6\n"])
def test_lines_that_end_elsewhere_than_the_index_says_are_refused(tmp_path: Path, index: str) -> None:
    path = tmp_path / "reference.fa"
    path.write_text(">c1\nACGTA\nACGTA\nACGTA\nACGTA\n")
    (tmp_path / "reference.fa.fai").write_text(index)
    for ask in (Reference(path).bases, Reference(path).letters):
        with pytest.raises(InputError, match=r"not the bases that its index \(.fai\) tells of"):
            ask("c1", 2, 18)


def test_letters_beyond_the_contigs_are_refused(reference: Path) -> None:
    with pytest.raises(InputError, match="no contig chr9"):
        Reference(reference).letters("chr9", 0, 2)
