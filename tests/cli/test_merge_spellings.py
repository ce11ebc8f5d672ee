"""Nodes that spell contigs otherwise add up exactly where their sequences are the same, and else are refused."""

import json
import random
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands import Tessera
from handmade import BUILD, LENGTHS, fasta, sheet, vcf, write
from nation import files_of, run

PLAIN = {"chr1": "1", "chrX": "X", "chrY": "Y", "chrM": "MT"}
CHR = {name: name for name in PLAIN}
PEOPLE = {"ann": "XX EE", "ben": "XY EE", "cai": "XY FI", "dia": "XX FI"}
LETTERS = random.Random(11)
SEQUENCES = {name: "".join(LETTERS.choices("ACGT", k=length)) for name, length in LENGTHS.items()}

#: ben has no variant at the base that differs
OTHER_MT = {**SEQUENCES, "chrM": SEQUENCES["chrM"][:-1] + ("A" if SEQUENCES["chrM"][-1] != "A" else "C")}


def lines(name: str) -> list[str]:
    """Some variants of a person, and blocks where nothing else is."""
    drawn = random.Random(name)
    sex = PEOPLE[name].split()[0]
    found = []
    for contig, length in LENGTHS.items():
        if contig == "chrY" and sex == "XX":
            continue
        for pos in sorted(drawn.sample(range(1, length - 1), 8)):
            ref = SEQUENCES[contig][pos - 1]
            alt = "ACGT"["ACGT".index(ref) - drawn.randint(1, 3)]
            alone = contig == "chrM" or (sex == "XY" and contig in ("chrX", "chrY"))
            found.append(f"{contig} {pos} {ref} {alt} PASS . GT {'1' if alone else drawn.choice(['0/1', '1/1'])}")
    return found


def count(folder: Path, name: str, spelling: dict[str, str], bases: dict[str, str] = SEQUENCES) -> Path:
    """A person counted on a reference whose contigs are spelt so, by a build that spells them alike."""
    folder.mkdir(parents=True, exist_ok=True)
    build, bed = BUILD, ""
    for chr_name, own in spelling.items():
        build = build.replace(f"name: {chr_name},", f"name: {own},")
        bed += f"{own}\t0\t{LENGTHS[chr_name] - 5}\n"
    text = vcf([name], [" ".join([spelling[line.split()[0]], *line.split()[1:]]) for line in lines(name)],
               {own: LENGTHS[chr_name] for chr_name, own in spelling.items()})  # fmt: skip
    run("count", "--input", write(folder / "a.vcf", text), "--samples",
        write(folder / "s.tsv", sheet({name: PEOPLE[name]})), "--reference",
        fasta(folder / "r.fa", {own: bases[chr_name] for chr_name, own in spelling.items()}),
        "--build", write(folder / "b.yaml", build), "--callable", write(folder / "c.bed", bed), "--mask", "none",
        "--out", folder / "summary")  # fmt: skip
    return folder / "summary"


@pytest.fixture(scope="module")
def spelt(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Path]:
    """Person and whether plainly spelt -> summary."""
    folder = tmp_path_factory.mktemp("spelt")
    return {
        (name, plain): count(folder / f"{name}-{plain}", name, PLAIN if plain else CHR)
        for name in PEOPLE
        for plain in (False, True)
    }


Spelt = dict[tuple[str, bool], Path]
NAMES = sorted(PEOPLE)


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_merge_of_some_that_are_renamed_is_the_merge_of_none_that_is(
    spelt: Spelt, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """In any order and grouping; one at least is spelt as chr1."""
    plain = data.draw(st.lists(st.booleans(), min_size=4, max_size=4).filter(lambda drawn: not all(drawn)))
    order = data.draw(st.permutations(list(zip(NAMES, plain, strict=True))))
    cut = data.draw(st.integers(0, 4))
    folder = tmp_path_factory.mktemp("merged")
    run("merge", *(spelt[name, False] for name in NAMES), "--out", folder / "unrenamed")
    groups = [[spelt[one] for one in group] for group in (order[:cut], order[cut:]) if group]
    for number, group in enumerate(groups):
        run("merge", *group, "--out", folder / str(number))
    run("merge", *(folder / str(number) for number in range(len(groups))), "--out", folder / "all")
    assert files_of(folder / "all") == files_of(folder / "unrenamed")


def test_all_that_are_plainly_spelt_stay_so(spelt: Spelt, tmp_path: Path) -> None:
    run("merge", spelt["ann", True], spelt["ben", True], "--out", tmp_path / "both")
    names = [c["name"] for c in json.loads((tmp_path / "both/manifest.json").read_text())["rules"]["build"]["contigs"]]
    assert names == ["1", "X", "Y", "MT"]
    assert (tmp_path / "both/variants/MT.parquet").exists()


def test_what_was_converted_can_be_taken_out_again(spelt: Spelt, tmp_path: Path) -> None:
    run("merge", spelt["ann", False], spelt["ben", True], "--out", tmp_path / "both")
    run("subtract", tmp_path / "both", spelt["ben", True], "--out", tmp_path / "ann")
    assert files_of(tmp_path / "ann") == files_of(spelt["ann", False])
    run("subtract", tmp_path / "both", spelt["ann", False], "--out", tmp_path / "ben")
    assert files_of(tmp_path / "ben") == files_of(spelt["ben", False])


def test_a_merge_says_what_it_converts(tessera: Tessera, spelt: Spelt, tmp_path: Path) -> None:
    for order in permutations([spelt["ann", True], spelt["ben", False]]):
        done = tessera("merge", *order, "--check")
        assert done.code == 0
        renamed = (
            "contigs are renamed, their sequences have the same digests: 1 as chr1, X as chrX, Y as chrY and 1 more"
        )
        assert f"{spelt['ann', True]}: {renamed}" in done.err
        assert str(spelt["ben", False]) not in done.err.split("declared")[0]
    assert list(tmp_path.iterdir()) == []


REFUSED: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "another sequence": (
        lambda folder: count(folder, "ben", PLAIN, OTHER_MT),
        ["rules.build.contigs: ", "rules.reference: ", "rules.sequences.", "The bases differ"],
    ),
    "another sequence, spelt alike": (
        lambda folder: count(folder, "ben", CHR, OTHER_MT),
        ["rules.sequences.chrM: SQ.", "expected SQ.", "The bases differ"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_sequences_are_refused_with_each_field(tessera: Tessera, spelt: Spelt, tmp_path: Path, name: str) -> None:
    make, said = REFUSED[name]
    other = make(tmp_path / "other")
    for words in (["--check"], ["--out", tmp_path / "both"]):
        done = tessera("merge", spelt["ann", False], other, *words)
        assert done.code == 2
        for sentence in said:
            assert sentence in done.err
        assert "rules.sequences.chr1" not in done.err or name == "another sequence"
    assert not (tmp_path / "both").exists()


def test_without_a_reference_nothing_proves_that_contigs_are_the_same(tessera: Tessera, tmp_path: Path) -> None:
    for name, spelling in (("ann", CHR), ("ben", PLAIN)):
        (tmp_path / name).mkdir()
        build = BUILD
        for chr_name, own in spelling.items():
            build = build.replace(f"name: {chr_name},", f"name: {own},")
        text = vcf([name], [], {own: LENGTHS[chr_name] for chr_name, own in spelling.items()})
        run("count", "--input", write(tmp_path / name / "a.vcf", text), "--samples",
            write(tmp_path / name / "s.tsv", sheet({name: PEOPLE[name]})), "--assume-normalised",
            "--build", write(tmp_path / name / "b.yaml", build), "--out", tmp_path / name / "summary")  # fmt: skip
    done = tessera("merge", tmp_path / "ann/summary", tmp_path / "ben/summary", "--out", tmp_path / "both")
    assert done.code == 2
    assert "rules.build.contigs: " in done.err


def test_nodes_that_spell_contigs_otherwise_are_compared(tessera: Tessera, spelt: Spelt, tmp_path: Path) -> None:
    texts = []
    for plain in (False, True):
        done = tessera("compare-nodes", spelt["ann", False], spelt["ben", plain], "--out", tmp_path / "list.tsv")
        assert (done.code, done.err) == (0, "")
        variants = {tuple(line.split()[:4]) for name in ("ann", "ben") for line in lines(name)}
        assert f"0 of {len(variants)} variants are discordant" in done.text
        texts.append(done.text)
    assert texts[0] == texts[1]
