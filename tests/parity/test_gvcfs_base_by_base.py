"""Single gVCFs, each base and each variant as the walk base by base has them: inputs of GLnexus' test cases (several
callers, `*`, overlaps, lost deletions), and parts of two real genomes.

GLnexus' own joint genotypes are not compared with: it moves calls by rules of its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from cyvcf2 import VCF

from base_by_base import Line, called_bases, lines_in, own_calls
from called_runs import called_runs
from handmade import sheet, write
from nation import run
from tessera.errors import InputError

#: bases of a file that are walked, from its first record on
LONGEST = 100_000


def gvcfs(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each input that has reference blocks, one person, and the fields the mask asks for."""
    for case in sorted(folder.glob("*.yml")):
        given = yaml.safe_load(case.read_text())["input"]
        for entry in given["body"]:
            for name, body in entry.items():
                people, *lines = [line for line in body.splitlines() if line.strip()]
                text = f"{given['header'].rstrip()}\t{people}\n" + "\n".join(lines) + "\n"
                fields = set(re.findall(r"##FORMAT=<ID=(\w+)", text))
                if len(people.split()) == 1 and {"GQ", "DP", "AD"} <= fields and "END=" in body:
                    yield f"{case.stem} {name}", text


def rows(summary: Path, table: str, contig: str) -> list[dict[str, Any]]:
    """The rows of a table of a contig; none where there is no file."""
    path = summary / table / f"{contig}.parquet"
    read = called_runs if table == "an_track" else pl.read_parquet
    return read(path).to_dicts() if path.exists() else []


def compare(summary: Path, contig: str, lines: list[Line], start: int, end: int) -> Counter[str]:
    """Assert that a contig's bases and variants in [start, end) are those of the walk; what there was to compare."""
    bases = [False] * (end - start)
    for run_of in rows(summary, "an_track", contig):
        for base in range(max(run_of["start"], start), min(run_of["end"], end)):
            bases[base - start] = run_of["n_dip"] == 1
    assert bases == called_bases(lines, start, end)
    variants = {
        (row["pos"], row["ref"], row["alt"]): (row["n_dip"] == 1, row["n_het"] + 2 * row["n_homalt"])
        for row in rows(summary, "variants", contig)
        if start < row["pos"] <= end
    }
    assert variants == own_calls(lines, start, end)
    copies = sum(number for _, number in variants.values())
    return Counter({"called": sum(bases), "variants": len(variants), "copies": copies})


@pytest.mark.parametrize(
    ("name", "contig", "start", "build"),
    [
        ("hail/HG00268.g.vcf.gz", "chr20", 17_959_478, "GRCh38"),
        ("hail/HG00268.g.vcf.gz", "chr21", 26_937_204, "GRCh38"),
        ("hail/non_ref_call.g.vcf.gz", "chr20", 17_959_478, "GRCh38"),
        ("b37_chr20/CEUTrio.20.21.gatk3.4.g.vcf.bgz", "20", 9_999_900, "GRCh37"),
        ("b37_chr20/CEUTrio.20.21.gatk3.4.g.vcf.bgz", "21", 9_999_900, "GRCh37"),
    ],
)
def test_each_base_and_variant_of_a_genome_is_counted_as_the_walk_has_it(
    shared: Path, tmp_path: Path, name: str, contig: str, start: int, build: str
) -> None:
    file = shared / "04_gvcf" / name
    (person,) = VCF(str(file)).samples
    samples = write(tmp_path / "s.tsv", sheet({person: "XX EE"}))
    run(
        "count", "--input", file, "--samples", samples, "--build", build, "--assume-normalised", "--out", tmp_path / "s"
    )
    end = start + LONGEST
    told = compare(tmp_path / "s", contig, lines_in(file, contig, start, end), start, end)
    assert told["called"] > LONGEST // 10
    assert told["copies"] > 10


def test_each_base_and_variant_of_glnexus_gvcfs_is_counted_as_the_walk_has_it(shared: Path, tmp_path: Path) -> None:
    told, summary = Counter[str](), tmp_path / "summary"
    for name, text in gvcfs(shared / "04_gvcf/glnexus/cases"):
        person = text.partition("#CHROM")[2].splitlines()[0].split("\t")[-1]
        contigs = re.findall(r"##contig=<ID=([^,>]+),length=(\d+)", text)
        build = "".join(f"  - {{name: '{contig}', kind: autosome, length: {length}}}\n" for contig, length in contigs)
        words = ["--samples", write(tmp_path / "s.tsv", sheet({person: "XX EE"})), "--assume-normalised",
                 "--build", write(tmp_path / "build.yaml", f"name: header\ncontigs:\n{build}")]  # fmt: skip
        file = write(tmp_path / "a.g.vcf", text)
        count = ["count", "--input", file, *words, "--out", summary]
        if "bogus" in name:
            with pytest.raises(InputError, match="bogus"):
                run(*count)
            continue
        run(*count)
        told["files"] += 1
        for contig, _ in contigs:
            lines = lines_in(file, contig, 0, 1 << 31)
            if lines:
                start = min(line.pos - 1 for line in lines)
                end = min(start + LONGEST, max(line.end for line in lines))
                told += compare(summary, contig, lines, start, end)
    assert told["files"] > 70
    assert told["called"] > 1000
    assert told["variants"] > 100
    assert told["copies"] > 20
