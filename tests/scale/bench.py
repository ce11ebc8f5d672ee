"""The bench: makes its inputs, runs tessera and others on them by turns, compares every number, writes the tables.

    make bench                 the measurement that docs/performance.md shows, and writes there
    make bench SCALE=0.01      the same on a hundredth, in about a minute; writes bench/0.01/tables.md alone
    make bench ALSO="hail sgkit"   with these as well, which need gigabytes and many minutes

Exits with 1 when a count differs from what the makers of the files, bcftools or plink2 say.
"""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

import agreement
import gvcfs
import merging
import peers
from agreement import Agreement
from cohorts import Cohort
from inputs import copies, first_people, make, one_of_each, part, records
from peers import Tessera, run
from tables import GENOTYPES_ONLY, machine, write_page, write_tables

#: copies of a cohort in the files that two workers share
LONG = (2, 6)
PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
Row = dict[str, object]


class Bench:
    """What was measured and compared so far."""

    def __init__(self, tessera: Tessera, folder: Path, rounds: int) -> None:
        self.tessera, self.folder, self.rounds = tessera, folder, rounds
        self.out = folder / "out"
        self.costs: list[Row] = []
        self.inflations: list[Row] = []
        self.agreements: list[Row] = []
        self.absent = peers.absent()
        self.lines_of_one = 0

    def name(self, file: Path) -> str:
        return str(file.relative_to(self.folder / "data"))

    def measure(self, file: Path, tools: dict[str, list[str]], rounds: int) -> None:
        """Run the tools by turns, so that a slow minute of the machine meets all of them."""
        for turn in range(rounds):
            for tool, command in tools.items():
                cost = run(command, self.folder / "log")
                self.costs.append({"file": self.name(file), "tool": tool, "turn": turn, **asdict(cost)})
                print(f"{self.name(file)}  {tool}: {cost.cpu_s:.2f} CPU s, {cost.peak_mb:.0f} MB", file=sys.stderr)

    def count(self, file: Path, rounds: int) -> None:
        """Only the plain count."""
        self.measure(file, {"tessera": self.tessera.count(file, self.out / "tessera")}, rounds)

    def inflate(self, file: Path) -> None:
        seconds = [peers.inflation(file) for _ in range(max(3, self.rounds))]
        self.inflations.append({"file": self.name(file), "cpu_s": min(seconds)})

    def agree(self, file: Path, other: str, found: Agreement) -> None:
        self.agreements.append({"file": self.name(file), "with": other, **asdict(found)})

    def against_peers(self, file: Path) -> None:
        """The plain count, and what others need for the same numbers; all of them compared."""
        commands = {name: make(file, self.out / name) for name, make in peers.PEERS.items() if name not in self.absent}
        self.measure(file, {"tessera": self.tessera.count(file, self.out / "tessera"), **commands}, self.rounds)
        truth = pl.read_parquet(file.parent / "truth.parquet")
        counts = agreement.summary(self.out / "tessera")
        self.agree(file, "how it was made", agreement.with_truth(counts, truth))
        if "bcftools +fill-tags" in commands:
            theirs = agreement.bcftools_info(self.out / "bcftools +fill-tags.bcf")
            self.agree(file, "bcftools +fill-tags", agreement.with_bcftools(counts, truth, theirs))
            shown = self.tessera.show(self.out / "tessera", self.out / "shown.parquet")
            self.agree(file, "bcftools +fill-tags, HWE", agreement.hwe_with_bcftools(shown, truth, theirs))
        if "plink2" in commands:
            self.agree(file, "plink2", agreement.with_plink2(counts, truth, self.out / "plink2"))

    def against_slow(self, file: Path, names: Sequence[str]) -> None:
        """Once each, of whole genotypes in Python and on the JVM; compared with the last plain count."""
        truth = pl.read_parquet(file.parent / "truth.parquet")
        counts = agreement.summary(self.out / "tessera")
        for name in names:
            command = peers.SLOW[name](file, self.out / name, self.folder.parent)
            self.measure(file, {name: command}, rounds=1)
            self.agree(file, name, agreement.with_table(counts, truth, self.out / f"{name}.tsv"))

    def other_ways(self, file: Path) -> None:
        """The default mask, and the check against a reference."""
        ways = {
            "tessera --mask adj": self.tessera.count(file, self.out / "adj", mask="adj"),
            "tessera --reference": self.tessera.count(file, self.out / "reference", reference=True),
        }
        self.measure(file, ways, self.rounds)
        truth = agreement.snvs(pl.read_parquet(file.parent / "truth.parquet"))
        checked = agreement.snvs(agreement.summary(self.out / "reference"))
        self.agree(file, "how it was made, SNVs, --reference", agreement.with_truth(checked, truth))

    def sum_of_people(self, sheet: Path) -> None:
        """gVCFs of single people to one summary, and what bcftools merge takes, once: it takes minutes."""
        out = self.out / "people"
        tools = {"tessera": self.tessera.cohort(sheet, out)}
        if "bcftools +fill-tags" not in self.absent:
            tools["bcftools merge -g"] = peers.bcftools_merge(sheet, out)
        self.measure(sheet, tools, rounds=1)
        self.agree(sheet, "how they were made", gvcfs.with_truth(out, sheet))
        if "bcftools merge -g" in tools:
            self.agree(sheet, "bcftools merge -g", gvcfs.with_merged(out.with_suffix(".bcf"), sheet))

    def one_person(self, sheet: Path) -> None:
        """A gVCF of one person, and its first line: the start of the program cancels out."""
        (gvcf,) = sheet.parent.glob("*.g.vcf.gz")
        for file in (gvcf, gvcfs.first_line(gvcf)):
            self.count(file, self.rounds)
        self.lines_of_one = gvcfs.lines(gvcf)

    def workers(self, file: Path) -> None:
        """One worker and two, on a file that is long enough to tell them apart, and on a third of it."""
        for copied in (copies(file, number) for number in LONG):
            out = self.out / copied.parent.name
            one, two = (out.with_suffix(f".{workers}") for workers in (1, 2))
            ways = {
                "tessera": self.tessera.count(copied, one),
                "tessera --workers 2": self.tessera.count(copied, two, workers=2),
            }
            self.measure(copied, ways, self.rounds)
            self.agree(copied, "one worker, as bytes", agreement.same_bytes(one, two))

    def core(self, file: Path, *, start: bool) -> None:
        """Counts of fewer people, and of one record, that tell apart what a count spends its time on."""
        parts = [part(file, one_of_each(file))]
        if start:
            people = len((file.parent / "samples.tsv").read_text().splitlines()) - 1
            parts.append(part(file, first_people(people), 1))
        for some in parts:
            self.count(some, self.rounds)
        for some in (file, *parts):
            self.inflate(some)

    def genotypes_only(self, file: Path) -> None:
        """Genotypes alone of all records, and of one."""
        out = self.out / "genotypes only"
        people = len((file.parent / "samples.tsv").read_text().splitlines()) - 1
        one = part(file, first_people(people), 1)
        for _ in range(self.rounds):  # by turns, for it is their difference that tells
            for some in (one, file):
                self.measure(some, {GENOTYPES_ONLY: self.tessera.count(some, out, mask="genotypes")}, rounds=1)
        truth = pl.read_parquet(file.parent / "truth.parquet")
        self.agree(file, "how it was made, genotypes alone", agreement.with_truth(agreement.summary(out), truth))


def cohorts(scale: float) -> tuple[Cohort, Cohort, Cohort, Cohort]:
    """Genotypes alone; a joint call; and of both some hundred records of very many people."""
    many = max(1_000, round(100_000 * scale))
    return (
        Cohort("genotypes", 2_504, round(5_600_000 * scale), seed=1),
        Cohort("joint", 1_000, round(3_600_000 * scale), seed=2, joint=True),
        Cohort("many-genotypes", many, 10_000, seed=3),
        Cohort("many-joint", many, 5_000, seed=4, joint=True),
    )


def measure_all(bench: Bench, scale: float, slow: Sequence[str]) -> None:
    """Everything but the merge, from the cheap to the dear."""
    data = bench.folder / "data"
    genotypes, joint, many, many_joint = cohorts(scale)
    for cohort in (joint, genotypes):
        folder = make(data, cohort, ("vcf.gz", "bcf"))
        for ending in ("vcf.gz", "bcf"):
            file = folder / f"cohort.{ending}"
            bench.against_peers(file)
            if ending == "vcf.gz":
                bench.against_slow(file, slow)
            bench.other_ways(file)
            bench.core(file, start=True)
    bench.one_person(gvcfs.make_people(data / "gvcf", 1, round(100_000_000 * scale), seed=6))
    bench.sum_of_people(gvcfs.make_people(data / "gvcfs", 100, round(10_000_000 * scale), seed=5))
    bench.workers(data / joint.name / "cohort.vcf.gz")
    for people in (250, 1_000, 2_504):
        for number in (10_000, 100_000):
            file = data / genotypes.name / "cohort.bcf"
            bench.count(part(file, first_people(people), max(1, round(number * scale))), rounds=1)
    folder = make(data, many, ("vcf.gz", "bcf"))
    for ending in ("vcf.gz", "bcf"):
        bench.against_peers(folder / f"cohort.{ending}")
    file = make(data, many_joint, ("bcf",)) / "cohort.bcf"
    bench.against_peers(file)
    bench.core(file, start=True)
    bench.genotypes_only(file)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tessera", default="tessera", help="the command to measure, as typed")
    parser.add_argument("--folder", type=Path, default=Path("bench"), help="where inputs and results are kept")
    parser.add_argument("--scale", type=float, default=1, help="share of the sites, and of the 100,000 people")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command")
    parser.add_argument("--also", nargs="*", default=[], choices=sorted(peers.SLOW), help="slow peers, installed here")
    given = parser.parse_args(arguments)
    folder = given.folder.resolve() / f"{given.scale:g}"
    began_on = machine()
    bench = Bench(Tessera(tuple(shlex.split(given.tessera))), folder, given.rounds)
    shutil.rmtree(bench.out, ignore_errors=True)
    bench.out.mkdir(parents=True)
    for name in given.also:
        peers.install(name, given.folder.resolve())
    measure_all(bench, given.scale, given.also)
    rows, cost, lost = merging.measure(bench.tessera, bench.out, round(20_000 * min(1, given.scale)))
    bench.agreements.append({"file": "merge", "with": "its parts", **asdict(Agreement(2, 0, lost))})
    results = {
        "machine": began_on, "versions": peers.versions(), "absent": bench.absent, "rounds": given.rounds,
        "costs": bench.costs, "inflations": bench.inflations, "agreements": bench.agreements,
        "lines_of_one": bench.lines_of_one, "merge": {"rows": rows, **asdict(cost)},
        "records": {name: records(folder / "data" / name / "cohort") for name in ("genotypes", "joint")},
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    write_tables(folder / "results.json", folder / "tables.md")
    print((folder / "tables.md").read_text())
    different = [row for row in bench.agreements if row["different"]]
    if different:
        raise SystemExit(f"counts differ: {different}")
    if given.scale == 1:
        write_page(folder / "results.json", PAGE)


if __name__ == "__main__":
    main()
