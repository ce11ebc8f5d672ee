"""The speed of exports: variants a second of CPU time, of a made-up summary, with and without the command's start.

And of VRS identifiers alone, worked out in this process of variants that lie in memory.

    python tests/scale/exports.py [SITES [EXPORT ...]]     (800,000 sites without it; those that nobody carries go)

Two summaries, of one population and of five, by two sexes: 40,000 variants in a million bases, most of them rare, an
eighth insertions or deletions, a person in fifty not called, borders of the AN track as dense as the variants.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
import pysam

from peers import run
from tessera.genome.build import Build, Contig
from tessera.schemas.an_track import AN_TRACK
from tessera.schemas.histograms import HISTOGRAMS
from tessera.schemas.mask import ADJ
from tessera.schemas.variants import VARIANTS
from tessera.summary.blocks import BLOCK_SIZE, Block, BlockKey
from tessera.summary.manifest import Manifest
from tessera.summary.parts import Part
from tessera.summary.rules import counting_rules

A_BLOCK, PEOPLE = 40_000, 5_000
POPULATIONS = {1: ["EE"], 5: ["DE", "EE", "FI", "IT", "PT"]}
#: export -> options beside its --out
EXPORTS = {
    "vcf": ("x.vcf.gz",),
    "gnomad": ("x.vcf.gz",),
    "gdi-parquet": ("x",),
    "sites": ("x.parquet",),
    "beacon": ("x.jsonl.gz", "--source=a study", "--source-reference=https://example.org"),
    "va-spec": ("x.ndjson.gz", "--reference"),
}


def write_reference(path: Path, bases: int) -> None:
    """Random bases, a third of them in runs and repeats of two, so that indels may shift."""
    rng = np.random.default_rng(1)
    letters = rng.choice(list(b"ACGT"), bases).astype(np.uint8)
    again = rng.random(bases) < 0.2
    letters[2:][again[2:]] = letters[:-2][again[2:]]
    again = rng.random(bases) < 0.2
    letters[1:][again[1:]] = letters[:-1][again[1:]]
    path.write_bytes(b">chr1\n" + b"\n".join(bytes(letters[at : at + 60]) for at in range(0, bases, 60)) + b"\n")
    pysam.faidx(str(path))


def write_summary(folder: Path, populations: list[str], blocks: int, reference: Path) -> int:
    """A summary of so many blocks on the reference, or of none; how many variants it has, all carried by somebody."""
    from tessera.files.fasta import Reference
    from tessera.files.summaries import new_summary

    fasta = Reference(reference)
    build = Build("GRCh38", (Contig("chr1", "autosome", fasta.lengths["chr1"]),))
    strata = [f"{population}_{sex}" for population in populations for sex in "FM"]
    rules = counting_rules(build, sequences=fasta.sequences(build), mask=ADJ.thresholds)
    people = dict.fromkeys(strata, PEOPLE)
    variants = carriers = 0
    with new_summary(folder) as writer:
        for index in range(blocks):
            block = _block(index, strata, fasta.bases("chr1", index * BLOCK_SIZE, (index + 1) * BLOCK_SIZE))
            variants += block.variants.select("pos", "ref", "alt").n_unique()
            carriers += sum(block.variants.select("n_het", "n_homalt").sum().row(0))
            writer.write(BlockKey("chr1", index), Part.of_block(block))
        ledger = {"carriers_in": carriers, "carriers_counted": carriers} if carriers else {}
        total = PEOPLE * len(strata)
        writer.finish(Manifest(rules, people, {"gvcf": total}, {"DUO:0000042": total}, {}, ledger))
    return variants


def _block(index: int, strata: list[str], bases: str) -> Block:
    rng = np.random.default_rng(index)
    called = np.sort(rng.choice(np.arange(1, BLOCK_SIZE - 1), A_BLOCK, replace=False))
    at = np.sort(rng.choice(np.arange(1, BLOCK_SIZE - 9), A_BLOCK, replace=False))
    refs, alts = zip(*(_alleles(bases, int(pos), rng.random()) for pos in at), strict=True)
    frequency = np.minimum(0.5, 1 / (1 + rng.random(A_BLOCK) * 40_000) ** 1.1 + 1 / 40_000)
    tables, tracks = [], []
    for stratum in strata:
        # no two neighbours alike: they would be one run
        n_dip = rng.binomial(PEOPLE, 0.98, len(called) + 1) // 2 * 2 + np.arange(len(called) + 1) % 2
        edges = np.concatenate([[0], called, [BLOCK_SIZE]])
        tracks.append(
            pl.DataFrame({"start": edges[:-1], "end": edges[1:], "n_dip": n_dip}).with_columns(stratum=pl.lit(stratum))
        )
        here = n_dip[np.searchsorted(called, at, side="right")]
        n_homalt = rng.binomial(here, frequency**2)
        n_het = rng.binomial(here - n_homalt, 2 * frequency * (1 - frequency))
        rows = {
            "pos": at + 1,
            "ref": refs,
            "alt": alts,
            "n_listed": n_het + n_homalt,
            "n_dip": here,
            "n_het": n_het,
            "n_homalt": n_homalt,
        }
        tables.append(pl.DataFrame(rows).filter(pl.col("n_listed") > 0).with_columns(stratum=pl.lit(stratum)))
    runs = pl.concat(tracks).with_columns(pl.col("start", "end") + index * BLOCK_SIZE)
    leaves = pl.concat(tables).with_columns(pl.col("pos") + index * BLOCK_SIZE)
    return Block(_as(leaves, VARIANTS), _as(runs, AN_TRACK), HISTOGRAMS.empty)


def _alleles(bases: str, at: int, draw: float) -> tuple[str, str]:
    """REF and ALT, left-aligned: an eighth of them insertions and deletions of one or three bases."""
    from tessera.genome.alleles import normalise

    ref = bases[at]
    if draw > 0.125:
        return ref, "ACGT"["ACGT".index(ref) - 1 - int(draw * 100) % 3]
    size = 1 if draw < 0.06 else 3
    inserted = draw * 1000 % 2 < 1
    pair = (ref, ref + bases[at + 1 : at + 1 + size]) if inserted else (bases[at : at + 1 + size], ref)
    pos, *normal = normalise(at + 1, *pair, lambda start, end: bases[start:end])
    # one that moves to the left would meet others there: it is made one that cannot
    return (normal[0], normal[1]) if pos == at + 1 else (ref, "ACGT"["ACGT".index(ref) - 1])


def _as(rows: pl.DataFrame, table: object) -> pl.DataFrame:
    from tessera.schemas.table import Table

    assert isinstance(table, Table)
    missing = [pl.lit(0).alias(name) for name in table.names if name not in rows.columns and name != "contig"]
    order = table.names if table is VARIANTS else ["contig", "start", "stratum"]
    return (
        rows.with_columns(pl.lit("chr1").alias("contig"), *missing).select(table.names).cast(table.schema).sort(order)
    )


def vrs_rate(summary: Path, reference: Path) -> float:
    """VRS identifiers a second of CPU time: digests of Allele and location, a reference read and normalised against."""
    from tessera.federation.vrs_alleles import vrs_alleles
    from tessera.files.fasta import Reference
    from tessera.files.summaries import SummaryFolder

    fasta, every = Reference(reference), list(SummaryFolder(summary).cells())
    fasta.refget("chr1")
    began = time.process_time()
    for cells in every:
        vrs_alleles(cells, fasta)
    return sum(map(len, every)) / (time.process_time() - began)


def main() -> None:
    """Print the tables."""
    blocks = max(1, int(sys.argv[1]) // A_BLOCK) if len(sys.argv) > 1 else 20
    wanted = sys.argv[2:] or list(EXPORTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = folder / "reference.fa"
        write_reference(reference, blocks * BLOCK_SIZE)
        print("| export | populations | variants | CPU s | start | variants a CPU s above it | wall s | peak MB | MB |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for number, populations in POPULATIONS.items():
            summary = folder / f"of{number}"
            variants = write_summary(summary, populations, blocks, reference)
            write_summary(folder / f"one{number}", populations, 0, reference)
            for export in wanted:
                out, *options = EXPORTS[export]
                given = [
                    word
                    for option in options
                    for word in (option, *([str(reference)] if option == "--reference" else []))
                ]
                words = [sys.executable, "-m", "tessera", "export", export]
                after = [*given, "--out", str(folder / export / out)]
                start = run([*words, str(folder / f"one{number}"), *after], folder / "log")
                cost = run([*words, str(summary), *after], folder / "log")
                size = sum(path.stat().st_size for path in (folder / export).rglob("*") if path.is_file()) / 1e6
                rate = variants / (cost.cpu_s - start.cpu_s)
                figures = f"{cost.cpu_s:.1f} | {start.cpu_s:.1f} | {rate:,.0f} | {cost.wall_s:.1f} | {cost.peak_mb:.0f}"
                print(f"| {export} | {number} | {variants:,} | {figures} | {size:.0f} |", flush=True)
        rates = sorted(vrs_rate(folder / "of1", reference) for _ in range(3))
        print(f"\nVRS identifiers a CPU second, three times: {', '.join(f'{rate:,.0f}' for rate in rates)}")


if __name__ == "__main__":
    main()
