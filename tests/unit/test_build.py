"""A build says what is counted and how many copies of each place a person has."""

import gzip
import hashlib
from pathlib import Path

import pysam
import pytest
import yaml

from handmade import BUILD, write
from tessera.errors import InputError
from tessera.files.builds import read_build
from tessera.genome.build import Build, Contig, Par, Region, RegionKind, ploidy
from tessera.genome.digests import refget
from tessera.schemas.samples import KARYOTYPES

X = Contig("chrX", "x", 300)
Y = Contig("chrY", "y", 200)


def with_par(*par: Par) -> Build:
    return Build("some", (X, Y), par)


def test_x_is_cut_at_its_par_borders_and_covered_without_gaps() -> None:
    build = with_par(Par("PAR2", (250, 290), (150, 190)), Par("PAR1", (10, 60), (5, 55)))
    assert build.regions(X) == [
        Region(0, 10, "x"), Region(10, 60, "x_par"), Region(60, 250, "x"), Region(250, 290, "x_par"),
        Region(290, 300, "x"),
    ]  # fmt: skip


def test_y_is_cut_at_its_own_par_borders() -> None:
    build = with_par(Par("PAR1", (10, 60), (0, 50)))
    assert build.regions(Y) == [Region(0, 50, "y_par"), Region(50, 200, "y")]


def test_a_par_that_ends_with_the_contig_leaves_no_empty_region() -> None:
    assert with_par(Par("PAR2", (250, 300), (150, 200))).regions(X) == [Region(0, 250, "x"), Region(250, 300, "x_par")]


@pytest.mark.parametrize("kind", ["autosome", "mt"])
def test_an_autosome_and_mt_are_one_region(kind: str) -> None:
    contig = Contig("c", kind, 70)  # type: ignore[arg-type]
    assert Build("one", (contig,), (Par("PAR1", (10, 60), (0, 50)),)).regions(contig) == [Region(0, 70, kind)]  # type: ignore[arg-type]


# columns: autosome, X, PAR on X, Y, PAR on Y, MT; from the rules in docs/counting.md, by hand
PLOIDY = {
    "XX": (2, 2, 2, 0, 0, 1),
    "XY": (2, 1, 2, 1, 0, 1),
    "X0": (2, 0, 0, 0, 0, 1),
    "XXY": (2, 0, 0, 0, 0, 1),
    "XYY": (2, 0, 0, 0, 0, 1),
    "XXX": (2, 0, 0, 0, 0, 1),
    "NA": (2, 0, 0, 0, 0, 1),
}
REGION_KINDS: tuple[RegionKind, ...] = ("autosome", "x", "x_par", "y", "y_par", "mt")


@pytest.mark.parametrize("karyotype", KARYOTYPES)
def test_every_karyotype_has_the_copies_of_the_table(karyotype: str) -> None:
    assert tuple(ploidy(kind, karyotype) for kind in REGION_KINDS) == PLOIDY[karyotype]


# Published, 1-based with both ends within: the Genome Reference Consortium's pages of GRCh37 and GRCh38
PUBLISHED_PAR = {
    "GRCh37": {"PAR1": ((60001, 2699520), (10001, 2649520)), "PAR2": ((154931044, 155260560), (59034050, 59363566))},
    "GRCh38": {"PAR1": ((10001, 2781479), (10001, 2781479)), "PAR2": ((155701383, 156030895), (56887903, 57217415))},
}
# chr1, chr21, X, Y and MT, from the assembly reports of GRCh37.p13 and GRCh38.p14; then the sum of 1 to 22
PUBLISHED_LENGTHS = {
    "GRCh37": (249250621, 48129895, 155270560, 59373566, 16569, 2881033286),
    "GRCh38": (248956422, 46709983, 156040895, 57227415, 16569, 2875001522),
}


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_the_par_of_a_named_build_is_the_published_one(name: str) -> None:
    found = {
        par.name: tuple((start + 1, end) for start, end in (par.x, par.y)) for par in read_build(name).par
    }  # fmt: skip
    assert found == PUBLISHED_PAR[name]


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_both_ends_of_a_par_are_as_long_on_x_as_on_y(name: str) -> None:
    assert all(par.x[1] - par.x[0] == par.y[1] - par.y[0] for par in read_build(name).par)


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_the_lengths_of_a_named_build_are_the_published_ones(name: str) -> None:
    build = read_build(name)
    length = {contig.name.removeprefix("chr").replace("MT", "M"): contig.length for contig in build.contigs}
    autosomes = sum(contig.length for contig in build.contigs if contig.kind == "autosome")
    assert (*(length[c] for c in ("1", "21", "X", "Y", "M")), autosomes) == PUBLISHED_LENGTHS[name]
    assert [contig.kind for contig in build.contigs] == ["autosome"] * 22 + ["x", "y", "mt"]


@pytest.mark.parametrize(
    ("name", "names", "first", "last"),
    [
        ("GRCh38", ["1", "2", "MT"], "1", "MT"),
        ("GRCh38", ["chr1", "chrM"], "chr1", "chrM"),
        ("GRCh37", ["chr1", "chrM"], "chr1", "chrM"),
        ("GRCh37", ["MT"], "1", "MT"),
        ("GRCh37", ["something", "else"], "1", "MT"),
        ("GRCh38", ["1", "chr2"], "1", "chrM"),
        ("GRCh38", ["1", "chr1", "chr2", "MT"], "chr1", "MT"),
    ],
)
def test_a_build_takes_the_naming_of_a_file(name: str, names: list[str], first: str, last: str) -> None:
    build = read_build(name)
    fitted = build.named_like(names)
    assert (fitted.contigs[0].name, fitted.contigs[-1].name) == (first, last)
    assert (fitted.name, fitted.par) == (build.name, build.par)
    assert [c.length for c in fitted.contigs] == [c.length for c in build.contigs]


def test_a_build_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    build = read_build(str(write(tmp_path / "build.yaml", BUILD)))
    assert build.contigs == (Contig("chr1", "autosome", 400), X, Y, Contig("chrM", "mt", 100))
    assert build.par == (Par("PAR1", (0, 60), (0, 60)),)


def test_digests_of_a_build_file_are_read_and_do_not_change_what_is_said_of_the_build(tmp_path: Path) -> None:
    told = ("SQ.k3grVkjY-hoWcCUojHw6VU6GE3MZ8Sct", "c68f52674c9fb33aef52dcf399755519")
    text = BUILD.replace("length: 100", f"length: 100, digests: [{', '.join(told)}]")
    build = read_build(str(write(tmp_path / "build.yaml", text)))
    assert build.contigs[-1].digests == told
    # the run's digest of a build is of its repr: what digests prove does not change a count
    assert repr(build) == repr(read_build(str(write(tmp_path / "other.yaml", BUILD))))


def plain(name: str) -> str:
    """A contig without chr, and MT as M."""
    return name.removeprefix("chr").replace("MT", "M")


def digests_of(name: str) -> dict[str, set[str]]:
    return {plain(contig.name): set(contig.digests) for contig in read_build(name).contigs}


def both_digests(path: Path) -> set[str]:
    """refget and MD5 of the one sequence of a FASTA."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        bases = "".join(line.strip() for line in file if line[0] != ">").upper().encode()
    return {refget(bases), hashlib.md5(bases).hexdigest()}


def test_the_digests_of_grch37_are_those_of_sequences_and_headers_at_hand(shared: Path) -> None:
    """Headers of the 1000 Genomes' b37 and of UCSC's hg19, of which chr3 and Y differ, and chrM in its length."""
    ours = digests_of("GRCh37")
    assert both_digests(shared / "01_reads_ref_truth/grch37_chr20_NA12878/20.fa.gz") == ours["20"]
    headers = {"01_reads_ref_truth/grch37_tp53_exomes_93/bam/NA12144.bam": 25,
               "02_alignment_edge/hts-specs_cram/3.1/passed/level-2.cram": 24}  # fmt: skip
    for path, contigs in headers.items():
        with pysam.AlignmentFile(str(shared / path)) as file:
            stated = {plain(sq["SN"]): sq["M5"] for sq in file.header["SQ"] if sq["LN"] != 16571}
        assert len(ours.keys() & stated.keys()) == contigs
        assert {contig for contig in ours.keys() & stated.keys() if stated[contig] not in ours[contig]} == set()


def test_the_refget_digests_of_grch38_are_those_published(shared: Path) -> None:
    ours = digests_of("GRCh38")
    published = yaml.safe_load((shared.parent / "schemas/vrs/GRCh38.refget.yml").read_text())
    assert len(published) == 25
    assert {
        contig for contig, told in published.items() if told.removeprefix("ga4gh:") not in ours[plain(contig)]
    } == set()
    assert both_digests(shared / "10_derived/grch38_chrM/chrM.fa") == ours["M"]


@pytest.mark.parametrize("name", ["GRCh37", "GRCh38"])
def test_no_two_contigs_share_a_digest(name: str) -> None:
    every = [digest for known in digests_of(name).values() for digest in known]
    assert len(every) == len(set(every)) >= 50


def test_a_contig_named_by_a_number_is_a_name(tmp_path: Path) -> None:
    text = "name: n\ncontigs:\n  - {name: 20, kind: autosome, length: 5}\n"
    assert read_build(str(write(tmp_path / "build.yaml", text))).contigs == (Contig("20", "autosome", 5),)


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        read_build(str(write(tmp_path / "build.yaml", text)))
    return [str(problem).replace(str(tmp_path), "") for problem in error.value.problems]


def test_every_problem_of_a_build_file_is_listed_at_once(tmp_path: Path) -> None:
    text = """\
name: bad
genome: human
contigs:
  - {name: chr1, kind: autosome, length: 100}
  - {name: chr1, kind: autosome, length: 100}
  - {name: chr2, kind: autosomal, length: 100}
  - {name: chr3, kind: autosome, length: 0}
  - {name: "chr 4", kind: autosome, length: 9}
  - {name: chr5, kind: autosome}
  - chr6
  - {name: chrX, kind: x, length: 50}
par:
  - {name: PAR1, x: [30, 10], y: [0, 20]}
  - {name: PAR2, x: [1], y: [0, 20]}
"""
    said = refused(tmp_path, text)
    wrong = [
        'unknown key "genome"',
        "chr1 is listed twice",
        'contigs[2].kind: found "autosomal"; expected one of autosome, x, y, mt',
        "contigs[3].length: found 0",
        'contigs[4].name: found "chr 4"',
        "contigs[5]: the key length is missing",
        'contigs[6]: found "chr6"',
        "PAR1 is 30-10 on X",
        "par[1].x: found [1]",
    ]
    assert len(said) == len(wrong)
    assert all(any(word in sentence for sentence in said) for word in wrong)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("contigs:\n", "contigs: 5\nrest:\n"), ["contigs: found 5", 'unknown key "rest"']),
        (("par:\n", "par: 7\nrest:\n"), ["par: found 7", 'unknown key "rest"']),
        (("length: 400", "length: 2147483648"), ["contigs[0].length: found 2147483648", "1 to 2,147,483,647"]),
        (("length: 400", "length: true"), ["contigs[0].length: found true"]),
        (("length: 400", "length: .nan"), ["contigs[0].length: found nan"]),
        (("length: 400", "length: 1.0e+400"), ["contigs[0].length: found inf"]),
        (("name: chr1", "name: yes"), ["contigs[0].name: found true"]),
        (("name: chr1", "name: -1"), ["contigs[0].name: found -1"]),
        (("name: chr1", "name: chrX"), ["chrX is listed twice"]),
        (("name: chr1", "no: chr1"), ["contigs[0]: the key false is no text"]),
        (("kind: autosome", "kind: [autosome]"), ["contigs[0].kind: found"]),
        (("length: 400", "length: 400, digest: x"), ['unknown key "digest"']),
        (("length: 400", "length: 400, digests: SQ.x"), ['contigs[0].digests: found "SQ.x"; expected a list']),
        (("length: 400", "length: 400, digests: [SQ.x]"), ['contigs[0].digests[0]: found "SQ.x"; expected SQ. and 32']),
        (("name: chr1", "name: chr1, name: chr2"), ["line 3", "the key name stands twice"]),
        (("name: hand", "name: hand\nname: other"), ["line 2", "the key name stands twice"]),
        (("name: hand", "name: a b, c"), ['name: found "a b, c"; expected letters']),
        (("x: [0, 60]", "x: [false, 60]"), ["par[0].x[0]: found false"]),
        (("x: [0, 60]", "x: [-1, 60]"), ["par[0].x[0]: found -1"]),
        (("x: [0, 60]", "x: [60, 60]"), ["PAR1 is 60-60 on X"]),
        (("x: [0, 60]", "x: [0, 400]"), ["PAR1 at 0-400, beyond the end of chrX"]),
        (("name: hand", "name: [" + "[" * 5000), ["no YAML"]),
    ],
)
def test_a_build_file_with_a_mistake_is_refused_by_name(
    tmp_path: Path, change: tuple[str, str], words: list[str]
) -> None:
    said = refused(tmp_path, BUILD.replace(*change, 1))
    assert all(any(word in sentence for sentence in said) for word in words), said


@pytest.mark.parametrize(
    ("par", "word"),
    [
        ("x: [280, 320], y: [0, 40]", "beyond the end of chrX"),
        ("x: [0, 40], y: [180, 220]", "beyond the end of chrY"),
        ("x: [20, 70], y: [100, 150]", "PAR2 overlaps PAR1 on X"),
    ],
)
def test_a_par_that_cannot_be_is_refused(tmp_path: Path, par: str, word: str) -> None:
    text = BUILD + f"  - {{name: PAR2, {par}}}\n"
    assert any(word in sentence for sentence in refused(tmp_path, text))


def test_a_par_may_be_longer_on_y_than_on_x(tmp_path: Path) -> None:
    """PAR1 of T2T-CHM13 is."""
    text = BUILD.replace("y: [0, 60]", "y: [0, 62]")
    assert read_build(str(write(tmp_path / "build.yaml", text))).par == (Par("PAR1", (0, 60), (0, 62)),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found null; expected a mapping with name, contigs and par"),
        ("[]", "found []"),
        ("name: a", "the key contigs is missing"),
        ("name: a\ncontigs: []", "contigs: found []; expected a list of at least one contig"),
        ("contigs: [1]", "the key name is missing"),
        ("name: 3\ncontigs: [1]", "name: found 3"),
        ("name: [", "valid YAML"),
    ],
)
def test_a_file_without_name_or_contigs_is_no_build(tmp_path: Path, text: str, said: str) -> None:
    assert any(said in sentence for sentence in refused(tmp_path, text))


def test_a_build_that_is_neither_a_name_nor_a_file_names_what_there_is() -> None:
    with pytest.raises(InputError, match=r"hg19: no such file; expected one of GRCh37, GRCh38"):
        read_build("hg19")
