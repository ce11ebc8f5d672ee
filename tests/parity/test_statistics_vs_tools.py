"""HWE, ExcHet, AF, call rate and F of cohort files: ours against bcftools +fill-tags and plink2 on the same genotypes.

Multi-allelic records are split before bcftools sees them: our test is of each ALT against all other alleles, while
+fill-tags on the unsplit record leaves genotypes without REF out of its homozygotes, which is another question.
plink2 is asked without mid-p; on X its test of the women alone is ours.
"""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands import Bcftools, Tessera
from handmade import sheet, vcf, write
from nation import run
from native import native

CHR22 = "03_cohort_vcf/grch37/1kg-phaseIII-v5a.20130502.genotypes.chr22-16-16.5mb.vcf.gz"
PANEL = "03_cohort_vcf/panels/integrated_call_samples_v3.20130502.ALL.panel"
SUPER_POPULATIONS = ("AFR", "AMR", "EAS", "EUR", "SAS")
KEY = ("contig", "pos", "ref", "alt")
#: bcftools keeps six digits, in single precision: nothing below 1e-38
SIX_DIGITS = {"rel": 1e-5, "abs": 1e-38}
Rows = dict[tuple[str, int, str, str], dict[str, float | None]]


def shown(tessera: Tessera, summary: Path, *more: str) -> dict[str, Rows]:
    """Group -> variant -> statistics by name."""
    done = tessera("show", summary, "--statistics", *more)
    assert done.code == 0, done.err
    text = dict.fromkeys(("contig", "ref", "alt", "stratum"), pl.String)
    table = pl.read_csv(io.BytesIO(done.out), separator="\t", schema_overrides=text, infer_schema_length=None)
    found: dict[str, Rows] = {}
    for row in table.iter_rows(named=True):
        found.setdefault(row["stratum"], {})[tuple(row[name] for name in KEY)] = row
    return found


def filled(tags: Callable[..., str], source: Path, groups: Path, names: list[str]) -> dict[str, list[list[str]]]:
    """Tag -> for each line CHROM, POS, REF, ALT and its value, after bcftools +fill-tags with groups of samples."""
    out = source.with_name("filled.bcf")
    tags("+fill-tags", source, "-Ob", "-o", out, "--", "-t", "AN,AC,AF,NS,HWE,ExcHet", "-S", groups)
    fields = "".join(rf"\t%INFO/{name}" for name in names)
    lines = [line.split("\t") for line in tags("query", "-f", rf"%CHROM\t%POS\t%REF\t%ALT{fields}\n", out).splitlines()]
    return {name: [[*line[:4], line[4 + number]] for line in lines] for number, name in enumerate(names)}


@pytest.fixture(scope="module")
def chr22(shared: Path, bcftools: Bcftools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with split.vcf.gz (chromosome 22 of 1000 Genomes in bases, no key twice), groups, and its summary."""
    folder = tmp_path_factory.mktemp("chr22")
    rows = [row for row in csv.reader((shared / PANEL).read_text().splitlines()[1:], delimiter="\t") if row]
    held = set(bcftools("query", "-l", shared / CHR22).split())
    people = {row[0]: row for row in rows if row[0] in held}
    write(folder / "samples.tsv", sheet({name: f"XX {row[2]}" for name, row in people.items()}))
    write(folder / "groups", "".join(f"{name}\t{row[2]}\n" for name, row in people.items()))
    bcftools("norm", "-m", "-any", "-Ob", "-o", folder / "all.bcf", shared / CHR22)
    bcftools("view", "-e", 'ALT~"<"', "-Ob", "-o", folder / "in_bases.bcf", folder / "all.bcf")
    bcftools("norm", "-d", "exact", "-Oz", "-o", folder / "split.vcf.gz", folder / "in_bases.bcf")
    run("count", "--input", folder / "split.vcf.gz", "--samples", folder / "samples.tsv", "--build", "GRCh37",
        "--assume-normalised", "--mask", "none", "--out", folder / "summary")  # fmt: skip
    return folder


def test_chr22_of_the_1000_genomes_by_super_population(chr22: Path, tessera: Tessera) -> None:
    ours = shown(tessera, chr22 / "summary", "--by", "population") | shown(tessera, chr22 / "summary")
    suffixes = {"Total": "", **{name: f"_{name}" for name in SUPER_POPULATIONS}}
    columns = {"AC": "AC", "AN": "AN", "AF": "AF", "HWE": "HWE", "ExcHet": "ExcHet"}
    names = [f"{tag}{suffix}" for suffix in suffixes.values() for tag in columns]
    theirs = filled(native("bcftools"), chr22 / "split.vcf.gz", chr22 / "groups", names)
    telling = 0
    for group, suffix in suffixes.items():
        for tag, column in columns.items():
            lines = theirs[f"{tag}{suffix}"]
            assert len(lines) == len(ours[group]) > 6000
            found = [ours[group][contig, int(pos), ref, alt][column] for contig, pos, ref, alt, _ in lines]
            expected = [float(line[4]) for line in lines]
            assert found == pytest.approx(expected, **SIX_DIGITS), f"{tag} of {group}"
            telling += sum(1e-30 < p < 0.99 for p in expected) if tag == "HWE" else 0
    assert telling > 1000


def test_plink2_says_the_same_of_everybody(chr22: Path, tessera: Tessera, tmp_path: Path) -> None:
    ours = shown(tessera, chr22 / "summary")["Total"]
    rows = hardy(chr22 / "split.vcf.gz", tmp_path, "--hardy")
    assert len(rows) > 5000
    for row in rows:
        found = ours[key(row)]
        assert found["HWE"] == pytest.approx(float(row["P"]), rel=1e-5), row
        expected = float(row["E(HET_A1)"])
        # plink2 prints both frequencies with six digits
        if expected > 0:
            inbreeding = 1 - float(row["O(HET_A1)"]) / expected
            assert found["inbreeding_coeff"] == pytest.approx(inbreeding, abs=2e-5), row


def hardy(source: Path, folder: Path, *more: object) -> list[dict[str, str]]:
    """The table of plink2 --hardy; a variant is named by contig, position, REF and ALT."""
    names = ("--set-all-var-ids", "@:#:$r:$a", "--new-id-max-allele-len", "5000")
    native("plink2")("--vcf", source, *names, *more, "--threads", "1", "--out", folder / "plink")
    (table,) = folder.glob("plink.hardy*")
    with table.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def key(row: dict[str, str]) -> tuple[str, int, str, str]:
    contig, pos, ref, alt = row["ID"].split(":")
    return contig, int(pos), ref, alt


def test_on_x_the_test_is_of_xx_people_alone(tessera: Tessera, tmp_path: Path) -> None:
    """plink2's femalep, for women of made-up genotypes with missing ones among them, beside men who vary freely."""
    rng = np.random.default_rng(20261124)
    women, men, sites = 150, 120, 300
    names = [f"w{i}" for i in range(women)] + [f"m{i}" for i in range(men)]
    lines = []
    for site in range(sites):
        frequency, excess = rng.uniform(0.01, 0.99), rng.uniform(-0.3, 0.3)
        het = 2 * frequency * (1 - frequency) * (1 + excess)
        chances = np.array([max(0.0, (1 - frequency) - het / 2), het, max(0.0, frequency - het / 2), 0.05])
        of_women = rng.choice(["0/0", "0/1", "1/1", "./."], women, p=chances / chances.sum())
        of_men = rng.choice(["0", "1", "."], men, p=[0.5, 0.4, 0.1])
        lines.append(f"X {1000 + site} A C . . GT {' '.join([*of_women, *of_men])}")
    source = write(tmp_path / "x.vcf", vcf(names, lines, {"X": 10_000}))
    people = {name: f"{'XX' if name[0] == 'w' else 'XY'} EE" for name in names}
    build = write(tmp_path / "build.yaml", "name: x\ncontigs:\n  - {name: X, kind: x, length: 10000}\n")
    done = tessera("count", "--input", source, "--samples", write(tmp_path / "samples.tsv", sheet(people)), "--build",
                   build, "--assume-normalised", "--mask", "none", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    sexes = write(tmp_path / "sexes", "#IID\tSEX\n" + "".join(f"{n}\t{2 if n[0] == 'w' else 1}\n" for n in names))
    rows = hardy(source, tmp_path, "--update-sex", sexes, "--split-par", 1, 9_999, "--hardy", "cols=+femalep")
    ours = shown(tessera, tmp_path / "summary", "--by", "sex")
    total = shown(tessera, tmp_path / "summary")["Total"]
    assert len(rows) == sites
    assert sum(float(row["FEMALE_ONLY_P"]) < 0.01 for row in rows) > 20
    for row in rows:
        assert ours["F"][key(row)]["HWE"] == pytest.approx(float(row["FEMALE_ONLY_P"]), rel=1e-5), row
        assert total[key(row)]["HWE"] == ours["F"][key(row)]["HWE"]
        assert ours["M"][key(row)]["HWE"] is None


def test_each_alt_is_tested_against_all_others_as_bcftools_does_once_records_are_split(
    tessera: Tessera, bcftools: Bcftools, tmp_path: Path
) -> None:
    names = [f"s{i}" for i in range(10)]
    genotypes = ["1/2"] * 4 + ["1/1"] * 2 + ["0/0"] * 3 + ["0/2"]
    source = write(tmp_path / "two.vcf", vcf(names, [f"1 20 A T,C . . GT {' '.join(genotypes)}"], {"1": 100}))
    build = write(tmp_path / "build.yaml", "name: one\ncontigs:\n  - {name: '1', kind: autosome, length: 100}\n")
    samples = write(tmp_path / "samples.tsv", sheet(dict.fromkeys(names, "XX EE")))
    done = tessera("count", "--input", source, "--samples", samples, "--build", build, "--assume-normalised",
                   "--mask", "none", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    bcftools("norm", "-m", "-any", "-o", tmp_path / "split.vcf", source)
    tags = native("bcftools")
    said = {}
    for path in (source, tmp_path / "split.vcf"):
        tags("+fill-tags", path, "-Ob", "-o", tmp_path / "filled.bcf", "--", "-t", "HWE")
        lines = tags("query", "-f", r"%ALT\t%HWE\n", tmp_path / "filled.bcf").split("\n")[:-1]
        said[path.stem] = {
            alt: float(p) for line in lines for alt, p in zip(*(x.split(",") for x in line.split("\t")), strict=True)
        }
    ours = {place[3]: row["HWE"] for place, row in shown(tessera, tmp_path / "summary")["Total"].items()}
    assert ours == pytest.approx(said["split"], rel=1e-5)
    assert abs(said["two"]["C"] - said["split"]["C"]) > 0.1


def test_call_rate_is_one_less_the_missing_of_bcftools(tessera: Tessera, tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    names = [f"s{i}" for i in range(40)]
    genotypes = rng.choice(["0/0", "0/1", "./."], (50, 40), p=[0.6, 0.1, 0.3])
    lines = [f"1 {10 + site} A C . . GT {' '.join(row)}" for site, row in enumerate(genotypes)]
    source = write(tmp_path / "some.vcf", vcf(names, lines, {"1": 1000}))
    build = write(tmp_path / "build.yaml", "name: one\ncontigs:\n  - {name: '1', kind: autosome, length: 1000}\n")
    samples = write(tmp_path / "samples.tsv", sheet(dict.fromkeys(names, "XX EE")))
    done = tessera("count", "--input", source, "--samples", samples, "--build", build, "--assume-normalised",
                   "--mask", "none", "--out", tmp_path / "summary")  # fmt: skip
    assert done.code == 0, done.err
    tags = native("bcftools")
    tags("+fill-tags", source, "-Ob", "-o", tmp_path / "filled.bcf", "--", "-t", "NS,F_MISSING")
    theirs = tags("query", "-f", r"%POS\t%NS\t%F_MISSING\n", tmp_path / "filled.bcf").split("\n")[:-1]
    ours = {place[1]: row for place, row in shown(tessera, tmp_path / "summary")["Total"].items()}
    assert len(theirs) == len(ours) == 50
    for pos, called, missing in (line.split("\t") for line in theirs):
        row = ours[int(pos)]
        assert (row["n_dip"], row["n_people"]) == (int(called), 40)
        assert row["call_rate"] == pytest.approx(1 - float(missing), rel=1e-5)
