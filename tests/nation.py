"""The synthetic nation grown into a folder, its birch and cedar counted, and what its makers say of them."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
Row = dict[str, str]


def run(*arguments: object) -> None:
    """A tessera command in this process; an InputError is raised as it is."""
    from tessera.cli import tessera

    tessera.main([str(argument) for argument in arguments], prog_name="tessera", standalone_mode=False)


@dataclass(frozen=True)
class Nation:
    """Folder of the grown nation; `summaries` holds cedar, birch, their sum `both`, and one of each birch person."""

    folder: Path
    summaries: Path

    def truth(self, table: str) -> list[Row]:
        """The rows of a table of expected numbers."""
        with (self.folder / "truth" / table).open() as lines:
            return list(csv.DictReader(lines, delimiter="\t"))

    def sheet(self, node: str) -> list[Row]:
        """The rows of a node's sample sheet."""
        with (self.folder / f"{node}.tsv").open() as lines:
            return list(csv.DictReader(lines, delimiter="\t"))

    def count(self, node: str, source: Path, out: Path, *more: object) -> None:
        """Count a file of a node, with the decisions that the makers of the nation expect."""
        known = {
            "--samples": self.folder / f"{node}.tsv",
            "--decisions": self.folder / f"{node}.decisions.tsv",
            "--reference": self.folder / "reference.fa",
            "--build": self.folder / "build.yaml",
        }
        given = [word for option, value in known.items() if option not in more for word in (option, value)]
        run("count", "--input", source, *given, *more, "--out", out)

    def count_cedar(self, source: Path, out: Path, *more: object) -> None:
        """Count a cohort file of cedar, with the regions that cedar declares."""
        self.count("cedar", source, out, "--callable", self.folder / "callable.bed", *more)

    def expected(self, scopes: Sequence[str]) -> dict[tuple[str, int, str, str, str], tuple[int, ...]]:
        """Variant and stratum -> n_dip n_hap n_het n_homalt n_hemi, summed over nodes."""
        total: dict[tuple[str, int, str, str, str], tuple[int, ...]] = {}
        for row in self.truth("variants.tsv"):
            if row["scope"] in scopes:
                key = (row["contig"], int(row["pos"]), row["ref"], row["alt"], row["stratum"])
                counts = [int(row[name]) for name in ("n_dip", "n_hap", "n_het", "n_homalt", "n_hemi")]
                before = total.get(key, (0,) * len(counts))
                total[key] = tuple(a + b for a, b in zip(before, counts, strict=True))
        return total


def grow(folder: Path) -> Nation:
    """Grow the nation and count birch, one gVCF at a time, and cedar."""
    subprocess.run([sys.executable, ROOT / "seeds" / "grow.py", folder / "nation"], check=True)
    nation = Nation(folder / "nation", folder / "summaries")
    people = nation.truth("people.tsv")
    for node in ("birch", "cedar"):
        rows = [f"{p['sample']}\t{p['counted']}\t{p['reason']}\n" for p in people if p["node"] == node]
        (nation.folder / f"{node}.decisions.tsv").write_text("sample\tcounted\treason\n" + "".join(rows))
    names = [row["sample"] for row in nation.sheet("birch")]
    for name in names:
        nation.count("birch", nation.folder / "gvcf" / f"{name}.g.vcf.gz", nation.summaries / name)
    nation.count_cedar(nation.folder / "vcf" / "cedar.vcf.gz", nation.summaries / "cedar")
    run("merge", *(nation.summaries / name for name in names), "--out", nation.summaries / "birch")
    run("merge", nation.summaries / "birch", nation.summaries / "cedar", "--out", nation.summaries / "both")
    return nation


def files_of(summary: Path) -> dict[str, bytes]:
    """Every file of a summary."""
    return {str(path.relative_to(summary)): path.read_bytes() for path in summary.rglob("*") if path.is_file()}


def counts_of(summary: Path) -> dict[str, bytes]:
    """Every file of a summary but its lineage, which tells where it came from."""
    return {name: content for name, content in files_of(summary).items() if name != "lineage.json"}
