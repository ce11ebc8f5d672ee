"""The plan for people who join a finished run and leave it names their jobs alone; test_changes.py carries one out.

The calls are the 50 real gVCFs of the example data; nothing is counted here.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from run_folder import RunFolder

CONFIG = """\
build: GRCh38
assume_normalised: true
qc_policy: policy.yaml
tools: wheels
nodes:
  north: {samples: north.tsv}
  south: {samples: south.tsv}
"""
POLICY = "version: 1\nrules:\n  - {metric: call_rate, min: 0.01}\n"


class Growing(RunFolder):
    """Two nodes of gVCFs, each person in a batch."""

    def __init__(self, folder: Path, files: list[Path]) -> None:
        super().__init__(folder, "config.yaml")
        (folder / "config.yaml").write_text(CONFIG)
        (folder / "policy.yaml").write_text(POLICY)
        self.files = {file.name.split(".")[0]: file for file in files}
        self.names = list(self.files)

    def write_sheet(self, node: str, batches: dict[str, list[str]], withdrawn: list[str] | None = None) -> None:
        """The sheet of a node: batch -> people, and who of them has withdrawn."""
        rows = ["sample\tsex\tpopulation\tbatch\tconsent\tgvcf"]
        for batch, names in batches.items():
            for name in names:
                consent = "withdrawn" if name in (withdrawn or []) else "DUO:0000042"
                rows.append(f"{name}\tXX\tFI\t{batch}\t{consent}\t{self.files[name]}")
        (self.folder / f"{node}.tsv").write_text("\n".join(rows) + "\n")

    def as_if_made(self) -> None:
        """Give every output its name, with nothing in it, and have Snakemake take them for made."""
        table = [line.split("\t") for line in self.snakemake("--summary").splitlines() if line.startswith("results/")]
        for output, *_ in table:
            path = self.folder / output
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        self.snakemake("--touch")


@pytest.fixture
def growing(shared: Path, tmp_path: Path) -> Growing:
    """An empty run folder and the 50 files."""
    (tmp_path / "run").mkdir()
    return Growing(tmp_path / "run", sorted((shared / "04_gvcf/hail_1kg_chr22_50").glob("*.g.vcf.gz")))


def test_the_plan_for_10_who_join_40_and_5_who_leave_has_the_jobs_of_these_people_alone(growing: Growing) -> None:
    north, joining, south = growing.names[:35], growing.names[35:45], growing.names[45:]
    batches = {str(number): north[number * 7 : number * 7 + 7] for number in range(5)}
    growing.write_sheet("south", {"1": south})
    growing.write_sheet("north", batches)
    growing.as_if_made()
    assert growing.made("--dry-run") == {}
    growing.write_sheet("north", batches | {"joining": joining}, withdrawn=[*north[:3], *north[7:9]])
    planned = growing.snakemake("--dry-run", "--quiet", "host")
    assert sorted(re.findall(r"rule count_alleles:.*?wildcards: .*?sample=(\w+)", planned, re.DOTALL)) == joining
    assert growing.jobs(planned) == {
        # the people who join
        "measure_variants": 10, "count_alleles": 10,
        # their batch, and two that are left
        "sum_batch": 3,
        # the node, and the federation
        "gate_samples": 1, "write_metrics": 1, "sum_node": 1, "verify_summary": 1, "merge_nodes": 1, "export_vcf": 1,
        "write_report": 1,
    }  # fmt: skip
