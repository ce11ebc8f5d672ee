"""Our normal form of an allele is that of `bcftools norm -m -any`, on its own examples and on random repeats; and so
are the keys, AC and AN that `tessera count --reference` gives.

What bcftools does otherwise, and so is not compared: it left-aligns symbolic alleles (`<DEL>`), which have no key with
us; it keeps `*` as a record, which is no allele for us. It refuses N in REF where the reference has an
ambiguity code (callers of the GATK family write it), which we accept. It leaves some bases in lower case. Of records
that meet in one key the first counts with us, and both stay with bcftools: there, only the key is compared.
"""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import Bcftools, Tessera
from handmade import FORMATS, fasta, sheet, vcf, write
from tessera.cohort.stretch import same_bases
from tessera.files.fasta import Reference
from tessera.genome.alleles import concrete, is_sequence, normalise

Key = tuple[str, int, str, str]
Site = tuple[str, int, str, list[str]]

MOTIFS = ("A", "T", "AC", "GT", "AAT", "CAG", "GATA", "ACACG")


def sites(text: str) -> Iterator[Site]:
    """CHROM, POS, REF and ALTs of the records of a VCF text."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            contig, pos, _, ref, alts = line.split("\t")[:5]
            yield contig, int(pos), ref, alts.split(",")


def our_keys(found: Sequence[Site], reference: Reference) -> list[Key]:
    keys = []
    for contig, pos, ref, alts in found:
        if contig not in reference.lengths:
            continue

        def bases(start: int, end: int, contig: str = contig) -> str:
            return concrete(reference.bases(contig, start, end))

        keys += [(contig, *normalise(pos, ref.upper(), alt.upper(), bases)) for alt in alts if is_sequence(alt)]
    return sorted(keys)


def their_keys(bcftools: Bcftools, reference: Path, file: Path) -> list[Key]:
    text = bcftools("norm", "-m", "-any", "-f", reference, file)
    found = ((contig, pos, ref.upper(), alts[0].upper()) for contig, pos, ref, alts in sites(text))
    return sorted(key for key in found if is_sequence(key[3]))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("norm", "norm"),
        ("norm.2", "norm.2"),
        ("norm.right-align", "norm.right-align"),
        ("norm.symbolic", "norm.symbolic"),
        ("norm.symbolic.2", "norm.symbolic"),
        ("norm.telomere", "norm"),
        ("norm.atom-split-norm", "norm.atom-split-norm"),
        ("norm.rmdup.3", "norm.rmdup.3"),
        ("norm.split", "norm"),
        ("norm.symbolic.3", "norm.symbolic.3"),
    ],
)
def test_an_example_of_bcftools_has_the_same_keys(
    shared: Path, bcftools: Bcftools, tessera: Tessera, tmp_path: Path, name: str, reference: str
) -> None:
    folder = shared / "05_normalise" / "bcftools"
    copy = copy_of(folder / f"{reference}.fa", tmp_path)
    bases = Reference(copy)
    # bcftools stops at a record that is not on the reference; the examples hold some to test just that
    kept = tmp_path / "kept.vcf"
    kept.write_text(on_reference((folder / f"{name}.vcf").read_text(), bases))
    found = list(sites(kept.read_text()))
    ours = our_keys(found, bases)
    assert ours
    assert ours == their_keys(bcftools, copy, kept)
    contigs = list(bases.lengths)
    lines = [
        f"{contig} {pos} {ref} {','.join(alts)} . . GT 0/1"
        for contig, pos, ref, alts in sorted(found, key=lambda site: (contigs.index(site[0]), site[1]))
        if alts != ["."]
    ]
    assert set(counted(tessera, copy, lines, {"a": "XX EE"})) == set(ours)


def copy_of(reference: Path, folder: Path) -> Path:
    """The FASTA in a folder where its index may be written."""
    copy = Path(shutil.copy(reference, folder / reference.name))
    pysam.faidx(str(copy))
    return copy


def on_reference(text: str, reference: Reference) -> str:
    """The header and the records whose REF is the reference's and whose ALTs are ones that bcftools accepts."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            contig, pos, ref, alts = next(sites(line))
            known = contig in reference.lengths and set("".join(a for a in alts if is_sequence(a)).upper()) <= set(
                "ACGTN"
            )
            if not known or not same_bases(ref.upper(), reference.bases(contig, pos - 1, pos - 1 + len(ref))):
                continue
        lines.append(line)
    return "\n".join(lines) + "\n"


def test_real_sites_on_their_megabase_have_the_same_keys(shared: Path, bcftools: Bcftools, tmp_path: Path) -> None:
    folder = shared / "03_cohort_vcf" / "1mb_sites_with_ref"
    copy = copy_of(folder / "z.fa", tmp_path)
    found = list(sites(bcftools("view", folder / "z.vcf.gz")))
    ours = our_keys(found, Reference(copy))
    assert len(ours) > 28_000
    assert ours == their_keys(bcftools, copy, folder / "z.vcf.gz")
    moved = {(c, p, r, a) for c, p, r, alts in found for a in alts} - set(ours)
    assert len(moved) > 10, "nothing was left to align: this file proves little"


def random_sequence(chance: random.Random, length: int) -> str:
    """Microsatellites between stretches of random bases, and now and then an N."""
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        parts.append("".join(chance.choices("ACGT", k=chance.randint(0, 12))))
        parts.append(chance.choice(MOTIFS) * chance.randint(1, 15))
        if chance.random() < 0.02:
            parts.append("N" * chance.randint(1, 3))
    return "".join(parts)[:length]


def random_alt(chance: random.Random, ref: str) -> str:
    """Another allele: a base changed, some lost, a motif gained, or anything."""
    at = chance.randrange(len(ref))
    match chance.randrange(4):
        case 0:
            return ref[:at] + chance.choice("ACGT") + ref[at + 1 :]
        case 1:
            cut = ref[:at] + ref[at + chance.randint(1, 6) :]
            return cut or ref[0]
        case 2:
            return ref[:at] + chance.choice(MOTIFS) * chance.randint(1, 4) + ref[at:]
    return "".join(chance.choices("ACGT", k=chance.randint(1, 8)))


@pytest.mark.parametrize("seed", range(6))
def test_random_alleles_in_microsatellites_have_the_same_keys(bcftools: Bcftools, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    sequence = random_sequence(chance, 3000)
    reference = fasta(tmp_path / "random.fa", {"chr1": sequence})
    lines = []
    for pos in sorted([1, 1, 2, 2, 3, *chance.choices(range(1, len(sequence) - 40), k=1500)]):
        ref = sequence[pos - 1 : pos - 1 + chance.choice((1, 1, 2, 3, 8, 25))]
        alts = {random_alt(chance, ref) for _ in range(chance.choice((1, 1, 2, 4)))} - {ref}
        if alts:
            lines.append(f"chr1 {pos} {ref} {','.join(sorted(alts))} . . GT 0/1")
    file = write(tmp_path / "random.vcf", vcf(["a"], lines, {"chr1": len(sequence)}))
    found = list(sites(file.read_text()))
    ours = our_keys(found, Reference(reference))
    assert ours == their_keys(bcftools, reference, file)
    assert sum(len(list(same)) > 1 for _, same in groupby(ours)) > 20, "alleles written apart should meet"


@pytest.mark.parametrize(
    ("pos", "ref", "alt"),
    [(4, "A", "C"), (5, "A", "AA"), (6, "C", "T"), (10, "T", "TT"), (16, "GA", "G"), (11, "TA", "T")],
)
def test_ambiguity_codes_of_the_reference_are_read_as_their_first_base(
    bcftools: Bcftools, tmp_path: Path, pos: int, ref: str, alt: str
) -> None:
    """VCF 4.3, section 1.6.1 (REF): `R` in the reference is `A` in VCF; left-alignment must not write it."""
    reference = fasta(tmp_path / "codes.fa", {"chr1": "ACGRRYKMTTTWSBDGVHHA"})
    file = write(tmp_path / "codes.vcf", vcf(["a"], [f"chr1 {pos} {ref} {alt} . . GT 0/1"], {"chr1": 20}))
    bases = Reference(reference)
    assert same_bases(ref, bases.bases("chr1", pos - 1, pos - 1 + len(ref)))
    assert our_keys(list(sites(file.read_text())), bases) == their_keys(bcftools, reference, file)


PEOPLE = {"a": "XX EE", "b": "XY EE", "c": "XX FI"}
GENOTYPES = ("0/0", "0/1", "1/1", "./.", "1/2", "0|2", "2|1", "2/2")


@dataclass(frozen=True)
class Written:
    """A random reference, and records on it as `handmade.vcf` takes them."""

    bases: str
    lines: list[str]


@st.composite
def written(draw: st.DrawFn) -> Written:
    """A contig of repeats and what is between them, and records in order: at any place, an indel or what else."""
    motif = st.text("ACGT", min_size=1, max_size=4)
    parts = draw(st.lists(st.tuples(st.one_of(motif, st.just("N")), st.integers(1, 8)), min_size=1, max_size=12))
    bases = draw(motif) + "".join(word * times for word, times in parts)
    lines = []
    for pos in sorted(draw(st.lists(st.integers(1, len(bases)), min_size=1, max_size=12))):
        ref = bases[pos - 1 : pos - 1 + draw(st.integers(1, 9))]
        drawn = draw(st.lists(st.one_of(alts_of(ref), st.just("*")), min_size=1, max_size=3, unique=True))
        alts = [alt for alt in drawn if alt != ref]
        if alts and alts != ["*"]:
            known = [genotype for genotype in GENOTYPES if len(alts) > 1 or "2" not in genotype]
            cells = [draw(st.sampled_from(known)) for _ in PEOPLE]
            lines.append(f"c {pos} {ref} {','.join(alts)} . . GT {' '.join(cells)}")
    return Written(bases, lines)


def alts_of(ref: str) -> st.SearchStrategy[str]:
    """REF with a piece taken out, copied, or exchanged for others."""
    ends = st.tuples(st.integers(0, len(ref)), st.integers(0, len(ref))).map(sorted)
    pieces = st.one_of(st.just(""), st.sampled_from([ref * 2, ref]), st.text("ACGT", max_size=5))
    return st.builds(lambda at, piece: ref[: at[0]] + piece + ref[at[1] :], ends, pieces).filter(bool)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=written(), engine=st.sampled_from(["kernel", "reference"]))
def test_count_gives_the_keys_and_counts_of_bcftools_norm(
    bcftools: Bcftools, tessera: Tessera, made: Written, engine: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        reference = fasta(Path(name) / "random.fa", {"c": made.bases})
        ours = counted(tessera, reference, made.lines, PEOPLE, "--engine", engine)
        normal = bcftools("norm", "-m", "-any", "-f", reference, Path(name) / "counted.vcf")
    theirs: dict[Key, list[tuple[int, int]]] = {}
    for line in (line for line in normal.splitlines() if line[0] != "#"):
        contig, pos, _, ref, alt, *_, a, b, c = line.split("\t")
        if is_sequence(alt):
            alleles = f"{a}/{b}/{c}".replace("|", "/").replace(".", "").split("/")
            counts = alleles.count("1"), len(alleles) - alleles.count("")
            theirs.setdefault((contig, int(pos), ref.upper(), alt.upper()), []).append(counts)
    assert ours.keys() == theirs.keys()
    alone = {key: found[0] for key, found in theirs.items() if len(found) == 1}
    assert {key: ours[key] for key in alone} == alone


def counted(
    tessera: Tessera, reference: Path, lines: Sequence[str], people: Mapping[str, str], *more: str
) -> dict[Key, tuple[int, int]]:
    """Key -> AC and AN, by `tessera count --reference` and `tessera show`; the records are in counted.vcf beside it."""
    folder, lengths = reference.parent, Reference(reference).lengths
    contigs = "".join(f"  - {{name: '{name}', kind: autosome, length: {n}}}\n" for name, n in lengths.items())
    source = write(folder / "counted.vcf", vcf(list(people), lines, lengths, {"GT": FORMATS["GT"]}))
    done = tessera("count", "--input", source, "--samples", write(folder / "samples.tsv", sheet(people)), "--build",
                   write(folder / "build.yaml", f"name: random\ncontigs:\n{contigs}"), "--reference", reference,
                   "--mask", "none", "--out", folder / "summary", *more)  # fmt: skip
    assert done.code == 0, done.err
    header, *rows = tessera("show", folder / "summary").text.splitlines()
    told = [dict(zip(header.split("\t"), row.split("\t"), strict=True)) for row in rows]
    return {(r["contig"], int(r["pos"]), r["ref"], r["alt"]): (int(r["AC"]), int(r["AN"])) for r in told}


def test_long_alleles_are_trimmed_in_time_that_grows_with_their_length() -> None:
    same = "ACGT" * 100_000
    started = time.monotonic()
    for ref, alt, expected in (
        (same, same[:-1] + "A", (len(same), "T", "A")),
        (same, "T" + same[1:], (1, "A", "T")),
        (same, same[:8] + same, (1, "A", "ACGTACGTA")),
    ):
        assert normalise(1, ref, alt, lambda start, end: same[start:end]) == expected
    # base by base, it took a minute and more
    assert time.monotonic() - started < 10
