"""Speed and memory of count and merge on cohorts that the bench makes, with counts that the bench knows.

`make bench` prints the table. CPU seconds are of the whole process, Python's start included.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pysam
import pytest

BASES = 1_000_000
CASES = [(250, 10_000), (1_000, 10_000), (2_504, 10_000), (1_000, 2_500)]


@dataclass(frozen=True)
class Cost:
    """What a process took."""

    cpu_s: float
    peak_mb: float


def run(*arguments: str) -> Cost:
    with subprocess.Popen([sys.executable, "-m", "tessera", *arguments], stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def write_cohort(folder: Path, people: int, sites: int, seed: int) -> tuple[Path, pl.DataFrame]:
    """A phased, GT-only cohort with the rare alleles of a real one; its AC per site is the truth."""
    rng = np.random.default_rng(seed)
    positions = np.sort(rng.choice(np.arange(1, BASES), sites, replace=False))
    frequency = rng.beta(0.15, 2.5, sites)
    names = [f"s{i}" for i in range(people)]
    path, counts = folder / "cohort.vcf.gz", []
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(b"##fileformat=VCFv4.3\n##contig=<ID=1,length=%d>\n" % BASES)
        file.write(b'##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n')
        file.write(
            "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names]).encode()
        )
        for pos, share in zip(positions, frequency, strict=True):
            alleles = rng.random((people, 2)) < share
            counts.append(int(alleles.sum()))
            genotypes = np.array([b"0|0", b"0|1", b"1|0", b"1|1"])[alleles @ [2, 1]]
            file.write(b"\n1\t%d\t.\tA\tC\t.\tPASS\t.\tGT\t" % pos + b"\t".join(genotypes.tolist()))
        file.write(b"\n")
    rows = [f"{name}\t{('XX', 'XY')[i % 2]}\tP{i % 5}" for i, name in enumerate(names)]
    (folder / "samples.tsv").write_text("\n".join(["sample\tsex\tpopulation", *rows]) + "\n")
    (folder / "build.yaml").write_text(f"name: bench\ncontigs:\n  - {{name: 1, kind: autosome, length: {BASES}}}\n")
    return path, pl.DataFrame({"pos": positions, "AC": counts}, schema={"pos": pl.Int64, "AC": pl.Int64})


@pytest.fixture(scope="module")
def table() -> Iterator[list[str]]:
    lines = [f"{'what':<44}{'CPU s':>8}{'peak MB':>9}{'per s':>16}"]
    yield lines
    print("\n" + "\n".join(lines))


@pytest.mark.parametrize(("people", "sites"), CASES)
def test_count_of_a_cohort_file(people: int, sites: int, tmp_path: Path, table: list[str]) -> None:
    cohort, truth = write_cohort(tmp_path, people, sites, seed=20261124)
    out = tmp_path / "summary"
    cost = run(
        "count", "--input", str(cohort), "--samples", str(tmp_path / "samples.tsv"), "--assume-normalised",
        "--build", str(tmp_path / "build.yaml"), "--out", str(out),
    )  # fmt: skip
    rows = pl.read_parquet(out / "variants" / "1.parquet")
    found = rows.group_by("pos").agg((pl.col("n_het") + 2 * pl.col("n_homalt")).sum().alias("AC").cast(pl.Int64))
    assert found.with_columns(pl.col("pos").cast(pl.Int64)).sort("pos").equals(truth)
    assert sum(json.loads((out / "manifest.json").read_text())["people"].values()) == people
    rate = f"{people * sites / cost.cpu_s / 1e6:.1f} M genotypes"
    table.append(f"{f'count {people:,} people x {sites:,} sites':<44}{cost.cpu_s:>8.1f}{cost.peak_mb:>9.0f}{rate:>16}")


def test_merge_of_cohorts(tmp_path: Path, table: list[str]) -> None:
    parts = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        cohort, _ = write_cohort(folder, 50, 20_000, seed)
        run(
            "count", "--input", str(cohort), "--samples", str(folder / "samples.tsv"), "--assume-normalised",
            "--build", str(folder / "build.yaml"), "--out", str(folder / "summary"),
        )  # fmt: skip
        parts.append(folder / "summary")
    cost = run("merge", *map(str, parts), "--out", str(tmp_path / "sum"))
    rows = sum(pl.read_parquet(part / "variants" / "1.parquet").height for part in parts)
    merged = pl.read_parquet(tmp_path / "sum" / "variants" / "1.parquet")
    carriers = [pl.col(name).sum() for name in ("n_het", "n_homalt")]
    whole = [pl.read_parquet(part / "variants" / "1.parquet").select(carriers) for part in parts]
    assert merged.select(carriers).row(0) == pl.concat(whole).sum().row(0)
    rate = f"{rows / cost.cpu_s / 1e6:.2f} M rows"
    table.append(f"{f'merge 4 summaries, {rows:,} rows in':<44}{cost.cpu_s:>8.1f}{cost.peak_mb:>9.0f}{rate:>16}")
