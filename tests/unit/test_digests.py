"""Digests are those that GA4GH publishes as examples."""

from pathlib import Path

from handmade import fasta
from tessera.files.fasta import Reference
from tessera.genome.build import Build, Contig
from tessera.genome.digests import refget, seqcol, sha512t24u
from tessera.summary.rules import counting_rules


def test_the_refget_identifier_of_acgt_is_the_published_one() -> None:
    """refget 2.0, "Refget Checksum Algorithm"."""
    assert refget(b"ACGT") == "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"


def test_the_digest_of_nothing_is_the_published_one() -> None:
    """VRS, "Truncated Digest (sha512t24u)": the empty string."""
    assert sha512t24u(b"") == "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc"


def test_the_seqcol_digest_of_the_standards_example_is_the_published_one() -> None:
    """seqcol 1.0, the example of chrX, chr1 and chr2; names and sequences are the inherent attributes."""
    sequences = [refget(bases) for bases in (b"TTGGGGAA", b"GGAA", b"GCGC")]
    assert seqcol(["chrX", "chr1", "chr2"], sequences) == "XZlrcEGi6mlopZ2uD8ObHkQB1d0oDwKk"


def test_the_order_of_contigs_changes_the_seqcol_digest() -> None:
    one, other = refget(b"GGAA"), refget(b"GCGC")
    assert seqcol(["a", "b"], [one, other]) != seqcol(["b", "a"], [other, one])


def test_a_fasta_has_the_digest_of_its_counted_contigs_whatever_case_order_and_decoys(tmp_path: Path) -> None:
    build = Build("three", (Contig("chrX", "x", 8), Contig("chr1", "autosome", 4), Contig("chr2", "autosome", 4)))
    sequences = {"chr1": "ggaa", "decoy": "ACGTACGT", "chr2": "GCgc", "chrX": "TTGGGGAA"}
    reference = Reference(fasta(tmp_path / "three.fa", sequences))
    rules = counting_rules(build, sequences=reference.sequences(build), mask={})
    assert rules["reference"] == "XZlrcEGi6mlopZ2uD8ObHkQB1d0oDwKk"


def test_the_refget_identifier_of_a_contig_keeps_its_ambiguity_codes(tmp_path: Path) -> None:
    """REF is written A where the reference has R; the digest is of the sequence as it is."""
    build = Build("codes", (Contig("chr1", "autosome", 4),))
    reference = Reference(fasta(tmp_path / "codes.fa", {"chr1": "arnt"}))
    assert reference.sequences(build) == [refget(b"ARNT")]
