"""The allele-frequency VCF holds what the nation's makers expect, under the names its importers know."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pysam
import pytest
from scipy.stats import chi2

from exact_fractions import p_values_by_definition
from nation import ROOT, Nation, run
from tessera.errors import InputError

TAG = re.compile(r"^(AF|AC|AN)(_[A-Z]{2})?(_[MF])?(_(Het|Hom|Hemi))?$")
LEAF = ("AF", "AC", "AN", "AC_Het", "AC_Hom", "AC_Hemi")
TESTS = ("HWE", "ExcHet", "inbreeding_coeff", "faf95", "faf99")
OVER_POPULATIONS = ("grpmax", "fafmax_faf95_max", "fafmax_faf95_max_gen_anc", "fafmax_faf99_max",
                    "fafmax_faf99_max_gen_anc")  # fmt: skip
Place = tuple[str, int, str, str]


@pytest.fixture(scope="module")
def exported(nation: Nation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The VCF of birch and cedar together."""
    out = tmp_path_factory.mktemp("export") / "both.vcf.gz"
    run("export", "vcf", nation.summaries / "both", "--out", out)
    return out


@pytest.fixture(scope="module")
def with_statistics(nation: Nation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with statistics, XA taking no part in grpmax."""
    out = tmp_path_factory.mktemp("export") / "statistics.vcf.gz"
    run("export", "vcf", nation.summaries / "both", "--statistics", "--not-in-grpmax", "XA", "--out", out)
    return out


def fields(exported: Path) -> dict[Place, dict[str, str]]:
    """Variant -> INFO, as text, read without any library."""
    found: dict[Place, dict[str, str]] = {}
    for line in text_of(exported).splitlines():
        if not line.startswith("#"):
            contig, pos, _, ref, alt, _, _, info = line.split("\t")
            place = (contig, int(pos), ref, alt)
            assert place not in found
            found[place] = dict(entry.split("=") for entry in info.split(";"))
    return found


def text_of(exported: Path) -> str:
    """The decompressed text."""
    with pysam.BGZFile(str(exported), "r", None) as file:
        return str(file.read().decode())


def groups(info: dict[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Group of people (`""`, `_F`, `_XA`, `_XA_F`) -> its six values by plain name."""
    for suffix in (tag.removeprefix("AN") for tag in info if tag.startswith("AN")):
        names = {name: name.replace("_", f"{suffix}_") if "_" in name else f"{name}{suffix}" for name in LEAF}
        yield suffix, {name: info[tag] for name, tag in names.items()}


def shown(nation: Nation, by: str, capsysbinary: pytest.CaptureFixture[bytes]) -> list[dict[str, str]]:
    """The rows of `tessera show`."""
    capsysbinary.readouterr()
    run("show", nation.summaries / "both", "--by", by)
    return list(csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode()), delimiter="\t"))


def bcftools_stderr(*arguments: object) -> tuple[str, str]:
    """Standard output and error of bcftools."""
    words = [sys.executable, str(ROOT / "scripts" / "wheel_tools" / "bcftools"), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_bcftools_and_pysam_read_it_without_a_warning(exported: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, complaints = bcftools_stderr("view", "-H", exported)
    assert complaints == ""
    with pysam.VariantFile(str(exported)) as file:
        read = [(r.contig, r.pos, r.ref, r.alts, dict(r.info)) for r in file]
    assert len(read) == len(out.splitlines()) == len(fields(exported)) > 300
    assert capfd.readouterr().err == ""


def test_every_tag_is_spelt_as_importers_expect(exported: Path) -> None:
    with pysam.VariantFile(str(exported)) as file:
        declared = {name: (meta.number, meta.type) for name, meta in file.header.info.items()}
    used = {tag for info in fields(exported).values() for tag in info}
    assert used == set(declared)
    for tag, (number, kind) in declared.items():
        match = TAG.match(tag)
        assert match, tag
        assert match[4] is None or match[1] == "AC", f"{tag}: zygosity belongs to AC alone"
        assert number == (1 if match[1] == "AN" else "A"), tag
        assert kind == ("Float" if match[1] == "AF" else "Integer"), tag
    for suffix in ("", "_F", "_M", "_XA", "_XB", "_XC", "_XA_M", "_XB_F", "_XC_F", "_XC_M"):
        assert {f"{name}{suffix}" for name in ("AF", "AC", "AN")} <= used
        assert {f"AC{suffix}_{zygosity}" for zygosity in ("Het", "Hom", "Hemi")} <= used


def test_records_pass_and_have_one_alternative_in_bases(exported: Path) -> None:
    for line in text_of(exported).splitlines():
        if not line.startswith("#"):
            _, _, identifier, ref, alt, quality, passed, _ = line.split("\t")
            assert (identifier, quality, passed) == (".", ".", "PASS")
            assert re.fullmatch("[ACGTN]+", ref)
            assert re.fullmatch("[ACGTN]+", alt)


def test_records_are_sorted_and_already_left_aligned(nation: Nation, exported: Path) -> None:
    plain = bcftools_stderr("query", "-f", "%CHROM %POS %REF %ALT\n", exported)[0]
    normalised = exported.with_name("normalised.vcf")
    bcftools_stderr("norm", "-m", "-any", "-c", "e", "-f", nation.folder / "reference.fa", "-o", normalised, exported)
    assert bcftools_stderr("query", "-f", "%CHROM %POS %REF %ALT\n", normalised)[0] == plain
    order = [row["name"] for row in contigs(exported)]
    places = [(order.index(line.split()[0]), int(line.split()[1]), *line.split()[2:]) for line in plain.splitlines()]
    assert places == sorted(places)


def contigs(exported: Path) -> list[dict[str, str]]:
    """The contig lines of the header."""
    lines = re.findall(r"##contig=<(.*)>", text_of(exported))
    return [{"name": dict(part.split("=") for part in line.split(","))["ID"]} for line in lines]


def test_zygosities_sum_to_ac_and_frequency_times_an_is_ac(exported: Path) -> None:
    for place, info in fields(exported).items():
        for suffix, group in groups(info):
            where = f"{place} {suffix}"
            ac, an = int(group["AC"]), int(group["AN"])
            assert int(group["AC_Hom"]) + int(group["AC_Het"]) + int(group["AC_Hemi"]) == ac, where
            assert int(group["AC_Hom"]) % 2 == 0, where
            assert 0 <= ac <= an, where
            if an:
                assert round(float(group["AF"]) * an) == ac, where
            else:
                assert (group["AF"], ac) == (".", 0), where


def test_populations_sum_to_the_total_and_sexes_never_exceed_it(exported: Path) -> None:
    beyond = 0
    for place, info in fields(exported).items():
        of = dict(groups(info))
        for name in LEAF[1:]:
            total = int(of[""][name])
            assert sum(int(group[name]) for suffix, group in of.items() if re.fullmatch("_[A-Z]{2}", suffix)) == total
            for population in ("", "_XA", "_XB", "_XC"):
                sexes = sum(int(of[f"{population}_{sex}"][name]) for sex in "FM" if f"{population}_{sex}" in of)
                assert sexes <= int(of[population][name]), place
                beyond += sexes < int(of[population][name])
    assert beyond, "the nation has people of stratum U, who are in totals alone"


def test_every_cell_is_what_show_prints(
    nation: Nation, exported: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    found = fields(exported)
    compared = 0
    for by in ("", "sex", "population", "population,sex"):
        for row in shown(nation, by, capsysbinary):
            place = (row["contig"], int(row["pos"]), row["ref"], row["alt"])
            suffix = "" if row["stratum"] == "Total" else f"_{row['stratum']}"
            if place not in found or f"AN{suffix}" not in found[place]:
                assert place not in found or suffix.endswith("U")
                continue
            group = dict(groups(found[place]))[suffix]
            cells = [row["AC"], row["AN"], row["n_het"], str(2 * int(row["n_homalt"])), row["n_hemi"]]
            assert [group[name] for name in LEAF[1:]] == cells
            assert group["AF"] == "." if row["AF"] == "" else float(group["AF"]) == pytest.approx(float(row["AF"]))
            compared += 1
    assert compared == sum(len(list(groups(info))) for info in found.values())


def test_every_cell_is_the_true_one_and_what_nobody_carries_is_left_out(nation: Nation, exported: Path) -> None:
    truth: dict[Place, dict[str, tuple[int, ...]]] = {}
    for (contig, pos, ref, alt, stratum), counts in nation.expected(["birch", "cedar"]).items():
        truth.setdefault((contig, pos, ref, alt), {})[stratum] = counts
    carried = {place for place, of in truth.items() if any(any(counts[2:]) for counts in of.values())}
    found = fields(exported)
    assert set(found) == {place for place in carried if place[3].isalpha()}
    assert carried < set(truth), "the nation has variants that nobody of birch or cedar carries"
    for place, info in found.items():
        for suffix, group in groups(info):
            sums = total(truth[place], suffix)
            dip, hap, het, hom, hemi = sums
            expected = [het + 2 * hom + hemi, 2 * dip + hap, het, 2 * hom, hemi]
            assert [int(group[name]) for name in LEAF[1:]] == expected, f"{place} {suffix}"


def total(of: dict[str, tuple[int, ...]], suffix: str) -> tuple[int, ...]:
    """The counts of a group: all strata whose population and sex it does not exclude."""
    parts = suffix.split("_")[1:]
    inside = [counts for stratum, counts in of.items() if all(part in stratum.split("_") for part in parts)]
    return tuple(sum(column) for column in zip(*inside, strict=True))


def test_the_index_answers_for_a_region(exported: Path) -> None:
    inside = [place for place in fields(exported) if place[0] == "chrX" and 6001 <= place[1] <= 27_000]
    out = bcftools_stderr("view", "-H", exported, "chrX:6001-27000")[0].splitlines()
    assert [(c[0], int(c[1]), c[3], c[4]) for c in (line.split("\t") for line in out)] == inside
    assert inside


def test_statistics_are_added_under_names_that_are_not_of_counts(exported: Path, with_statistics: Path) -> None:
    plain, more = fields(exported), fields(with_statistics)
    assert set(more) == set(plain)
    suffixes = {suffix for suffix, _ in groups(next(iter(plain.values())))}
    added = {f"{test}{suffix}" for test in TESTS for suffix in suffixes} | set(OVER_POPULATIONS)
    for place, info in more.items():
        assert {tag: value for tag, value in info.items() if tag in plain[place]} == plain[place]
        assert set(info) - set(plain[place]) == added
    # importers refuse a name of theirs with an ending that they do not know, as AF_grpmax has
    assert not [tag for tag in added if re.match("AF|AC|AN", tag) or tag.endswith("_AF")]
    out, complaints = bcftools_stderr("view", "-h", with_statistics)
    assert complaints == ""
    assert set(re.findall("##INFO=<ID=([^,]+)", out)) == added | set(next(iter(plain.values())))


def test_tests_of_every_group_are_those_of_its_genotypes(nation: Nation, with_statistics: Path) -> None:
    truth: dict[Place, dict[str, tuple[int, ...]]] = {}
    for (contig, pos, ref, alt, stratum), counts in nation.expected(["birch", "cedar"]).items():
        truth.setdefault((contig, pos, ref, alt), {})[stratum] = counts
    tested = 0
    for place, info in fields(with_statistics).items():
        for suffix, group in groups(info):
            n, _, het, hom, _ = total(truth[place], suffix)
            written = [info[f"{name}{suffix}"] for name in ("HWE", "ExcHet", "inbreeding_coeff")]
            if not n:
                assert written == [".", ".", "."], f"{place} {suffix}"
                continue
            q = (het + 2 * hom) / (2 * n)
            assert list(map(float, written[:2])) == pytest.approx(p_values_by_definition(n, het, hom), rel=1e-9), place
            if 0 < q < 1:
                assert float(written[2]) == pytest.approx(1 - het / n / (2 * q * (1 - q)), abs=1e-12), place
            else:
                assert written[2] == ".", place
            ac, an = int(group["AC"]), int(group["AN"])
            for name, tail in (("faf95", 0.05), ("faf99", 0.01)):
                bound = chi2.ppf(tail, 2 * ac) / (2 * an) if ac > 1 else 0
                assert float(info[f"{name}{suffix}"]) == pytest.approx(bound, rel=1e-9)
            tested += float(written[1]) < 1
    assert tested > 50


def test_grpmax_names_the_population_of_the_highest_frequency(with_statistics: Path) -> None:
    seen = set()
    for place, info in fields(with_statistics).items():
        for tag, key in (
            ("grpmax", "AF"),
            ("fafmax_faf95_max_gen_anc", "faf95"),
            ("fafmax_faf99_max_gen_anc", "faf99"),
        ):
            of = {name: float(info[f"{key}_{name}"]) for name in ("XB", "XC") if info[f"{key}_{name}"] != "."}
            highest = max(of.values(), default=0.0)
            assert info[tag] == (min(name for name in of if of[name] == highest) if highest > 0 else "."), place
            if key != "AF":
                assert info[f"fafmax_{key}_max"] == (info[f"{key}_{info[tag]}"] if highest > 0 else "."), place
        seen.add(info["grpmax"])
    assert seen == {"XB", "XC", "."}


def test_a_population_that_is_none_cannot_be_left_out_of_grpmax(nation: Nation, tmp_path: Path) -> None:
    words = ("export", "vcf", nation.summaries / "both", "--out", tmp_path / "out.vcf.gz", "--not-in-grpmax")
    with pytest.raises(InputError, match=r"--not-in-grpmax: 'FI'; expected a population of the summary \(XA, XB, XC\)"):
        run(*words, "FI", "--statistics")
    with pytest.raises(InputError, match=r"--not-in-grpmax: no grpmax is asked for; expected --statistics"):
        run(*words, "XA")
    assert list(tmp_path.iterdir()) == []


def test_writing_again_gives_the_same_bytes(nation: Nation, exported: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.vcf.gz"
    for _ in range(2):
        run("export", "vcf", nation.summaries / "both", "--out", again)
        assert again.read_bytes() == exported.read_bytes()
        assert again.with_name("again.vcf.gz.tbi").read_bytes() == exported.with_name("both.vcf.gz.tbi").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.vcf.gz", "again.vcf.gz.tbi"]


def test_a_summary_of_unknown_bases_is_refused(nation: Nation, tmp_path: Path) -> None:
    nation.count("cedar", nation.folder / "vcf" / "cedar.vcf.gz", tmp_path / "variant_only")
    run("merge", tmp_path / "variant_only", nation.summaries / "birch", "--out", tmp_path / "sum")
    for name in ("variant_only", "sum"):
        with pytest.raises(InputError, match=r"variant_only.*\n.*--callable"):
            run("export", "vcf", tmp_path / name, "--out", tmp_path / "out.vcf.gz")
        assert not (tmp_path / "out.vcf.gz").exists()


def test_a_population_of_three_letters_is_refused_but_for_totals(nation: Nation, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.tsv"
    lines = [f"{p['sample']}\t{p['sex']}\tEST\t{p['consent']}" for p in nation.sheet("cedar")]
    sheet.write_text("\n".join(["sample\tsex\tpopulation\tconsent", *lines]) + "\n")
    source = nation.folder / "vcf" / "cedar.vcf.gz"
    nation.count_cedar(source, tmp_path / "summary", "--samples", sheet)
    with pytest.raises(InputError, match=r"population EST.*two capital letters.*\n.*--total"):
        run("export", "vcf", tmp_path / "summary", "--out", tmp_path / "out.vcf.gz")
    assert not (tmp_path / "out.vcf.gz").exists()
    run("export", "vcf", tmp_path / "summary", "--total", "--out", tmp_path / "out.vcf.gz")
    run("export", "vcf", nation.summaries / "cedar", "--total", "--out", tmp_path / "named.vcf.gz")
    assert fields(tmp_path / "out.vcf.gz") == fields(tmp_path / "named.vcf.gz")
    assert {tag for info in fields(tmp_path / "out.vcf.gz").values() for tag in info} == set(LEAF)


def test_a_name_that_is_no_compressed_vcf_is_refused(nation: Nation, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ends in \.vcf\.gz"):
        run("export", "vcf", nation.summaries / "both", "--out", tmp_path / "out.vcf")
    assert list(tmp_path.iterdir()) == []
