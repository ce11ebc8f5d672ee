"""A contig that a file spells otherwise than the build is the build's where its sequence says so, and else refused."""

import base64
import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import Done, Tessera
from handmade import BUILD, LENGTHS, fasta, sheet, vcf, write
from tessera.files.fasta import Reference
from tessera.genome.build import Build, Contig

OTHER = {"chr1": "1", "chrX": "X", "chrY": "Y", "chrM": "MT"}
SEQUENCES = {name: ("ACGT"[i:] * length)[:length] for i, (name, length) in enumerate(LENGTHS.items())}
MD5 = {name: hashlib.md5(bases.encode()).hexdigest() for name, bases in SEQUENCES.items()}
LINES = ["chr1 5 A C PASS . GT 0/1", "chrX 91 C A PASS . GT 1/1", "chrM 3 T A PASS . GT 1"]


def refget(bases: str) -> str:
    """GA4GH refget 2.0 by its own words: SQ. and 24 bytes of SHA-512 in base64url."""
    return "SQ." + base64.urlsafe_b64encode(hashlib.sha512(bases.encode()).digest()[:24]).decode()


def build_with(digest: Callable[[str], str] | None) -> str:
    """The build by hand, with a digest of each contig."""
    text = BUILD
    for name, length in LENGTHS.items():
        told = f", digests: [{digest(SEQUENCES[name])}]" if digest else ""
        text = text.replace(f"length: {length}}}", f"length: {length}{told}}}")
    return text


def md5(bases: str) -> str:
    return hashlib.md5(bases.encode()).hexdigest()


def text_of(names: dict[str, str], more: str = "") -> str:
    """A person's VCF with its contigs spelt so; `more` is said of each in its ##contig line, with `{md5}`."""
    text = vcf(["ann"], [" ".join([names[line.split()[0]], *line.split()[1:]]) for line in LINES],
               {names[name]: length for name, length in LENGTHS.items()}, {"GT": "Number=1,Type=String"})  # fmt: skip
    for name, length in LENGTHS.items():
        text = text.replace(f"ID={names[name]},length={length}>", f"ID={names[name]},length={length}{more}>".format(
            md5=MD5[name]))  # fmt: skip
    return text


@pytest.fixture
def count(tessera: Tessera, tmp_path: Path) -> Callable[..., Done]:
    """Count ann; without a reference alleles are taken as written."""

    def run(build: str, source: str, reference: dict[str, str] | None) -> Done:
        given = (
            ("--reference", fasta(tmp_path / "r.fa", reference)) if reference is not None else ("--assume-normalised",)
        )
        return tessera("count", "--input", write(tmp_path / "a.vcf", source), "--samples",
                       write(tmp_path / "s.tsv", sheet({"ann": "XY EE"})), "--build",
                       write(tmp_path / "build.yaml", build), *given, "--mask", "none",
                       "--out", tmp_path / "summary")  # fmt: skip

    return run


def rows(tessera: Tessera, summary: Path) -> list[str]:
    """Contig, POS and the numbers of people."""
    done = tessera("show", summary)
    header, *lines = (line.split("\t") for line in done.text.splitlines())
    wanted = [header.index(name) for name in ("contig", "pos", "n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")]
    return [" ".join(line[at] for at in wanted) for line in lines]


SAME = dict(zip(LENGTHS, LENGTHS, strict=True))
AS_OTHER = {OTHER[name]: bases for name, bases in SEQUENCES.items()}
#: what the three records count, by hand: a het, a man's X, and MT
COUNTED = ["1 5 1 0 1 0 0", "X 91 0 1 0 0 1", "MT 3 0 1 0 0 1"]


@pytest.mark.parametrize(
    ("digest", "more", "reference"),
    [(refget, "", AS_OTHER), (md5, "", AS_OTHER), (md5, ",md5={md5}", None), (md5, ',assembly=x,md5="{md5}"', None)],
    ids=["refget of the reference", "MD5 of the reference", "MD5 in the header", "MD5 in quotes"],
)
def test_another_spelling_that_is_proven_is_counted_by_kind_and_par_of_the_build(
    count: Callable[..., Done], tessera: Tessera, tmp_path: Path, digest: Callable[[str], str], more: str,
    reference: dict[str, str] | None,
) -> None:  # fmt: skip
    done = count(build_with(digest), text_of(OTHER, more), reference)
    assert done.code == 0, done.err
    assert rows(tessera, tmp_path / "summary") == COUNTED


@pytest.mark.parametrize(
    ("digest", "more", "reference", "said"),
    [
        (None, "", AS_OTHER, "r.fa: contig 1, which may be chr1 of build hand: the build has no digest of chr1"),
        (lambda bases: refget(bases[1:]), "", AS_OTHER, f"its sequence has the digests {refget(SEQUENCES['chr1'])}"),
        (refget, "", AS_OTHER | {"X": "N" + AS_OTHER["X"][1:]}, "r.fa: contig X, which may be chrX of build hand: its"),
        (md5, "", None, "header: contig 1, which may be chr1 of build hand: no md5 in its ##contig line; and 3 more"),
        (refget, ",md5={md5}", None, f"its ##contig line says md5={MD5['chr1']}; and 3 more such contigs"),
        (md5, ",md5=fake", None, "its ##contig line says md5=fake"),
        (
            md5,
            ",md5={md5}",
            SEQUENCES,
            "header: contig 1, which may be chr1 of build hand: the reference spells it chr1",
        ),
    ],
    ids=[
        "no digests",
        "another sequence",
        "one base",
        "no MD5",
        "no MD5 in the build",
        "no digest",
        "file and reference",
    ],
)
def test_another_spelling_that_is_not_proven_is_refused(
    count: Callable[..., Done], tmp_path: Path, digest: Callable[[str], str] | None, more: str,
    reference: dict[str, str] | None, said: str,
) -> None:  # fmt: skip
    done = count(build_with(digest), text_of(OTHER, more), reference)
    assert done.code == 2, done.err
    assert said in done.err
    assert "bcftools annotate --rename-chrs" in done.err
    assert done.err.count("tessera: error:") == 1
    assert not (tmp_path / "summary").exists()


def test_contigs_of_the_builds_name_need_no_proof_and_digests_are_no_part_of_what_is_compared(
    count: Callable[..., Done], tmp_path: Path
) -> None:
    seen = set()
    for digest in (None, refget, lambda bases: refget(bases[1:])):
        assert count(build_with(digest), text_of(SAME), SEQUENCES).code == 0
        seen.add((tmp_path / "summary" / "manifest.json").read_bytes())
    (manifest,) = seen
    assert json.loads(manifest)["rules"]["build"]["contigs"][0] == {"name": "chr1", "kind": "autosome", "length": 400}


def test_one_contig_spelt_otherwise_among_others_is_proven_or_refused_and_never_left_out(
    count: Callable[..., Done], tessera: Tessera, tmp_path: Path
) -> None:
    names = SAME | {"chrM": "MT"}
    reference = {names[name]: bases for name, bases in SEQUENCES.items()}
    assert "contig MT, which may be chrM of build hand" in count(build_with(None), text_of(names), reference).err
    assert count(build_with(refget), text_of(names), reference).code == 0
    assert [row.split()[0] for row in rows(tessera, tmp_path / "summary")] == ["chr1", "chrX", "MT"]


def test_another_spelling_of_another_length_is_of_another_build(count: Callable[..., Done]) -> None:
    """As hg19's chrM beside GRCh37's MT."""
    build = build_with(refget).replace("length: 100,", "length: 99,")
    done = count(build, text_of(OTHER), AS_OTHER)
    assert done.code == 2
    assert "r.fa contig MT: 100 bases; expected 99 as in build hand" in done.err


def test_chromosome_20_of_grch37_is_known_by_its_sequence(shared: Path, tessera: Tessera, tmp_path: Path) -> None:
    """NIST's VCF spells chr20 what the build calls 20, and so does this reference; one other base, and it is none."""
    folder = shared / "01_reads_ref_truth" / "grch37_chr20_NA12878"
    with gzip.open(folder / "20.fa.gz", "rt") as file:
        bases = "".join(line.strip() for line in file if line[0] != ">")
    source = folder / "test_nist.b37_chr20_100kbp_at_10mb.vcf.gz"
    damaged = f"{bases[:-70_000]}{'C' if bases[-70_000].upper() == 'A' else 'A'}{bases[-69_999:]}"
    samples = write(tmp_path / "s.tsv", sheet({"INTEGRATION": "XX EE"}))
    for sequence, code in ((damaged, 2), (bases, 0)):
        reference = fasta(tmp_path / "chr20.fa", {"chr20": sequence})
        assert Reference(reference).lengths == {"chr20": 63_025_520}
        done = tessera("count", "--input", source, "--samples", samples,
                       "--build", "GRCh37", "--reference", reference, "--mask", "none",
                       "--out", tmp_path / "summary")  # fmt: skip
        assert done.code == code, done.err
    assert len(rows(tessera, tmp_path / "summary")) > 200


def test_all_that_a_reference_lacks_is_spelt_as_what_it_has(tmp_path: Path) -> None:
    """So that files of single chromosomes have the same rules."""
    build = Build("b", (Contig("chr1", "autosome", 5, (refget("ACGTA"),)), Contig("chrX", "x", 9)))
    spelt = Reference(fasta(tmp_path / "r.fa", {"1": "acgta"})).spelling(build)
    assert [contig.name for contig in spelt.contigs] == ["1", "X"]
