"""The fixtures that bcftools tests its +fill-tags with: our numbers of their genotypes against the INFO they publish.

Three things are done to a fixture before it is counted: its records, several of which share a place, get places of
their own; FILTER says PASS, for a record that FILTER names calls nobody with us; and each sample gets the karyotype
that its genotypes on X and Y show. What still differs stands in DIFFERENT with the rule that makes it so; every other
number is theirs. MAF, which is of the site and not of an ALT, END, TYPE and expressions are not ours to give.
"""

import re
from pathlib import Path

import pytest

from commands import Tessera
from handmade import sheet, write

FOLDER = "07_af_expected/bcftools"
FAMILY = {"NA00001": "XY AA", "NA00002": "XY BB", "NA00003": "XX CC"}
FOUR = {f"SAMP_{name}": "XX AA" for name in "ABCE"}
TWO = {"A": "XX AA", "B": "XX AA"}
ALL = ("AC", "AN", "AF", "AC_Hom", "AC_Het", "AC_Hemi", "HWE", "ExcHet", "NS", "F_MISSING")
#: fixture -> karyotype and population of its samples, and the tags that are of +fill-tags, not of its input
FIXTURES = {
    "fill-tags.out": (TWO, ALL),
    "fill-AN-AC.out": (TWO, ALL),
    "fill-tags.2.out": (FAMILY, ("NS", "AN", "AF", "AC")),
    "fill-tags.3.out": (FAMILY, ("AC", "AC_AB", "AC_BC")),
    "fill-tags.4.out": (FAMILY, ALL),
    "fill-tags-AN0.out": (FOUR, ALL),
    "fill-tags-rw.vcf": (FOUR, ALL),
    "fill-tags-hwe.out": ({f"S{i}": "XX AA" for i in range(1, 11)}, ALL),
    "fill-tags-hemi.1.out": (TWO, ALL),
    "fill-tags-hemi.2.out": (TWO, ALL),
}
#: fixtures of FORMAT/AD, which have no genotypes and are refused
NO_GENOTYPES = ("fill-tags-AD.1.out", "fill-tags-AD.2.out", "fill-tags-AD.3.out", "fill-tags-AD.4.out",
                "fill-tags-AD.5.out", "fill-tags-VAF.out", "mpileup.hwe.vcf")  # fmt: skip

NOBODY = {"AC": 0, "AN": 0, "NS": 0, "AF": None, "AC_Het": 0, "AC_Hom": 0, "AC_Hemi": 0, "HWE": None, "ExcHet": None,
          "F_MISSING": 1}  # fmt: skip
UNTESTED = {"HWE": None, "ExcHet": None}
HAPLOID = "copies come from the karyotype: a haploid genotype on an autosome is missing"
HALF_CALL = "a half-call is missing: neither hemizygous nor of the samples with data"
NO_TEST = "a test of nobody has no p; +fill-tags says 1"
#: fixture, number of the record, ALT -> why, and our numbers where they are not those published
DIFFERENT: dict[tuple[str, int, str], tuple[str, dict[str, float | None]]] = {
    ("fill-tags.out", 3, "T"): (HAPLOID, {"AN": 2}),
    ("fill-tags.out", 3, "C"): (HAPLOID, {"AN": 2, "AC": 0, "AC_Hemi": 0}),
    ("fill-AN-AC.out", 3, "T"): (HAPLOID, {"AN": 2}),
    ("fill-AN-AC.out", 3, "C"): (HAPLOID, {"AN": 2, "AC": 0}),
    ("fill-tags-AN0.out", 1, "C"): (NO_TEST, UNTESTED),
    ("fill-tags-AN0.out", 2, "G"): (NO_TEST, UNTESTED),
    ("fill-tags-rw.vcf", 1, "C"): (NO_TEST, UNTESTED),
    ("fill-tags-rw.vcf", 2, "G"): (NO_TEST, UNTESTED),
    # hemi.2 is +fill-tags --drop-missing, which takes half-calls out of AC_Hemi alone
    **{(f"fill-tags-hemi.{n}.out", 0, alt): (HAPLOID, NOBODY) for n in (1, 2) for alt in "TA"},
    **{(f"fill-tags-hemi.{n}.out", record, "T"): (HALF_CALL, NOBODY) for n in (1, 2) for record in (1, 2, 3)},
}


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header lines and the columns of each record."""
    lines = path.read_text().splitlines()
    return [line for line in lines if line.startswith("#")], [x.split("\t") for x in lines if not x.startswith("#")]


def place(number: int) -> int:
    """Where the record of this number is counted."""
    return 1000 * (number + 1)


def build_file(path: Path, header: list[str]) -> Path:
    """A build of the contigs of a header."""
    found = [match for line in header if (match := re.match(r"##contig=<ID=([^,>]+)(?:.*length=(\d+))?", line))]
    kinds = {"X": "x", "Y": "y"}
    lines = [f"  - {{name: '{m[1]}', kind: {kinds.get(m[1], 'autosome')}, length: {m[2] or 1_000_000}}}" for m in found]
    return write(path, "\n".join(["name: fixture", "contigs:", *lines]) + "\n")


def count(tessera: Tessera, folder: Path, path: Path, people: dict[str, str]) -> None:
    """Count a fixture into folder/summary, without mask and reference."""
    header, rows = read(path)
    moved = [[row[0], str(place(i)), *row[2:6], "PASS", *row[7:]] for i, row in enumerate(rows)]
    source = write(folder / "moved.vcf", "\n".join([*header, *("\t".join(row) for row in moved)]) + "\n")
    build = build_file(folder / "build.yaml", header)
    samples = write(folder / "samples.tsv", sheet(people))
    done = tessera("count", "--input", source, "--samples", samples, "--build", build, "--assume-normalised",
                   "--mask", "none", "--out", folder / "summary")  # fmt: skip
    assert done.code == 0, done.err


def shown(tessera: Tessera, summary: Path, by: str) -> list[dict[str, str]]:
    """The rows of `tessera show --statistics`."""
    header, *lines = tessera("show", summary, "--statistics", "--by", by).text.splitlines()
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def ours(tessera: Tessera, summary: Path) -> dict[tuple[int, str], dict[str, float | None]]:
    """Place and ALT -> the tags of +fill-tags, out of what show prints."""
    found: dict[tuple[int, str], dict[str, float | None]] = {}
    for row in shown(tessera, summary, ""):
        number = {name: float(text) if text else None for name, text in row.items() if name not in NAMES}
        called = number["n_dip"] + number["n_hap"]
        found[int(row["pos"]), row["alt"]] = {
            **{name: number[name] for name in ("AC", "AN", "AF", "HWE", "ExcHet")},
            "AC_Het": number["n_het"], "AC_Hom": 2 * number["n_homalt"], "AC_Hemi": number["n_hemi"],
            "NS": called, "F_MISSING": 1 - (number["call_rate"] or 0), "AC_AB": 0, "AC_BC": 0,
        }  # fmt: skip
    # samples of the fixture are in AB, in BC or in both; strata are disjoint, so the one in both is a third
    for row in shown(tessera, summary, "population"):
        for tag, populations in (("AC_AB", "AA BB"), ("AC_BC", "BB CC")):
            if row["stratum"] in populations.split():
                found[int(row["pos"]), row["alt"]][tag] += int(row["AC"])
    return found


NAMES = ("contig", "ref", "alt", "stratum", "grpmax", "fafmax_faf95_max_gen_anc", "fafmax_faf99_max_gen_anc")


def published(row: list[str], names: tuple[str, ...]) -> dict[str, dict[str, float | None]]:
    """ALT -> tag -> value; an ALT `.` is none."""
    info = dict(entry.partition("=")[::2] for entry in row[7].split(";"))
    alts = [] if row[4] == "." else row[4].split(",")
    of_alts = {tag: info[tag].split(",") for tag in names if tag in info}
    return {
        alt: {tag: None if (text := values[i % len(values)]) == "." else float(text) for tag, values in of_alts.items()}
        for i, alt in enumerate(alts)
    }


def same(mine: float | None, value: float | None) -> bool:
    """Equal to the six digits that bcftools writes."""
    return mine == value if mine is None or value is None else mine == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_fixture_has_the_numbers_published_with_it(shared: Path, tessera: Tessera, tmp_path: Path, name: str) -> None:
    people, names = FIXTURES[name]
    count(tessera, tmp_path, shared / FOLDER / name, people)
    found = ours(tessera, tmp_path / "summary")
    compared, different = 0, set()
    for number, row in enumerate(read(shared / FOLDER / name)[1]):
        for alt, tags in published(row, names).items():
            mine = found.pop((place(number), alt))
            wrong = {tag: mine[tag] for tag, value in tags.items() if not same(mine[tag], value)}
            _, expected = DIFFERENT.get((name, number, alt), ("", {}))
            unlike = {tag: value for tag, value in expected.items() if tag in tags and value != tags[tag]}
            assert wrong == unlike, f"record {number}, ALT {alt}"
            different |= {(name, number, alt)} if wrong else set()
            compared += len(tags)
    assert found == {}
    assert compared > 0
    assert different == {key for key in DIFFERENT if key[0] == name}


@pytest.mark.parametrize("name", NO_GENOTYPES)
def test_a_fixture_without_genotypes_is_refused(shared: Path, tessera: Tessera, tmp_path: Path, name: str) -> None:
    header = read(shared / FOLDER / name)[0]
    people = dict.fromkeys(header[-1].split("\t")[9:], "XX AA")
    done = tessera("count", "--input", shared / FOLDER / name, "--samples", write(tmp_path / "s.tsv", sheet(people)),
                   "--build", build_file(tmp_path / "build.yaml", header), "--assume-normalised", "--mask", "none",
                   "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 2
    assert "expected a genotype (GT) in every record" in done.err
    assert not (tmp_path / "summary").exists()


def test_a_record_that_filter_names_calls_nobody(shared: Path, tessera: Tessera, tmp_path: Path) -> None:
    """As the fixture is, 1:3157410 is q10 and has AN 4, AC 4; 1:3162006 passes and has AN 4, AC 2."""
    source = shared / FOLDER / "fill-tags.out"
    build = build_file(tmp_path / "build.yaml", read(source)[0])
    done = tessera("count", "--input", source, "--samples", write(tmp_path / "samples.tsv", sheet(TWO)), "--build",
                   build, "--assume-normalised", "--mask", "none", "--out",
                   tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    rows = {row["pos"]: (row["AN"], row["AC"]) for row in shown(tessera, tmp_path / "summary", "")}
    assert (rows["3157410"], rows["3162006"]) == (("0", "0"), ("4", "2"))
