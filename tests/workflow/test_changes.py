"""What a finished run makes again when a person leaves, a row changes or a job fails, and that the result is right."""

import gzip
import json
import os
import re
import shutil
from copy import copy
from pathlib import Path

import pytest

from handmade import vcf, write
from nation import files_of
from nation import run as tessera
from run_folder import ROOT, RunFolder

BUILD = "name: small\ncontigs: [{name: chr1, kind: autosome, length: 400}, {name: chrX, kind: x, length: 300}]\n"
CONFIG = """\
build: build.yaml
assume_normalised: true
qc_policy: policy.yaml
tools: wheels
nodes:
  north: {samples: north.tsv}
  south: {samples: south.tsv}
"""
POLICY = "version: 1\nrules:\n  - {metric: call_rate, min: 0.5}\n"
HEADER = "sample\tsex\tpopulation\tbatch\tconsent\tgvcf\n"
#: person -> karyotype, population, batch and the bases of chr1 where the person alone has a het
NORTH = {"ann": ("XX", "EE", "1", 11), "ben": ("XY", "EE", "1", 22), "cat": ("XX", "FI", "2", 33)}
SOUTH = {"dan": ("XY", "EE", "1", 44)}


def row(name: str, sex: str, population: str, batch: str, consent: str = "DUO:0000042") -> str:
    return f"{name}\t{sex}\t{population}\t{batch}\t{consent}\t{name}.g.vcf.gz\n"


def gvcf(name: str, pos: int) -> str:
    """A person called everywhere, with one het."""
    genotype = "GT:GQ:DP:MIN_DP:AD"
    return vcf(
        [name],
        [
            f"chr1 1 A <NON_REF> . END={pos - 1} {genotype} 0/0:40:30:30:30,0",
            f"chr1 {pos} A C,<NON_REF> PASS . {genotype} 0/1:50:30:30:15,15,0",
            f"chr1 {pos + 1} A <NON_REF> . END=400 {genotype} 0/0:40:30:30:30,0",
            f"chrX 1 A <NON_REF> . END=300 {genotype} 0/0:40:30:30:30,0",
        ],
    )


class Small(RunFolder):
    """Two nodes of gVCFs that need no reference and no native tool."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, "config.yaml")
        for name, text in (("config.yaml", CONFIG), ("build.yaml", BUILD), ("policy.yaml", POLICY)):
            (folder / name).write_text(text)
        for node, people in (("north", NORTH), ("south", SOUTH)):
            (folder / f"{node}.tsv").write_text(
                HEADER + "".join(row(name, *facts[:3]) for name, facts in people.items())
            )
            for name, facts in people.items():
                write(folder / f"{name}.g.vcf.gz", gvcf(name, facts[3]))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace what stands once in a file."""
        text = (self.folder / file).read_text()
        assert text.count(old) == 1
        (self.folder / file).write_text(text.replace(old, new))

    def withdraw(self, node: str, name: str) -> None:
        """Take back a person's consent; the person's file is deleted."""
        (line,) = [line for line in (self.folder / f"{node}.tsv").read_text().splitlines() if line.startswith(name)]
        self.edit(f"{node}.tsv", line, line.replace("DUO:0000042", "withdrawn"))
        (self.folder / f"{name}.g.vcf.gz").unlink()

    def carriers(self, summary: str) -> dict[int, int]:
        """Base of chr1 -> AN where somebody carries a variant."""
        rows = self.tessera("show", f"results/{summary}/summary").splitlines()
        cells = [dict(zip(rows[0].split("\t"), line.split("\t"), strict=True)) for line in rows[1:]]
        return {int(cell["pos"]): int(cell["AN"]) for cell in cells if int(cell["AC"])}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small run, made once."""
    run = Small(tmp_path_factory.mktemp("small") / "finished")
    run.snakemake()
    assert run.carriers("federation") == {11: 8, 22: 8, 33: 8, 44: 8}
    return run


@pytest.fixture
def run(finished: Small, tmp_path: Path) -> Small:
    """A copy of the finished run, to be changed."""
    copied = copy(finished)
    copied.folder = Path(shutil.copytree(finished.folder, tmp_path / "run", symlinks=True))
    return copied


def from_scratch(run: Small) -> dict[str, bytes]:
    """What the inputs of a run, as they are now, give in an empty folder of results."""
    shutil.rmtree(run.folder / "results")
    shutil.rmtree(run.folder / ".snakemake")
    run.snakemake()
    return shared(run)


def shared(run: Small) -> dict[str, bytes]:
    """Everything that may leave the nodes of a run."""
    results = run.folder / "results"
    paths = [*results.glob("*/summary/**/*"), *results.glob("federation/**/*")]
    return {str(path.relative_to(results)): path.read_bytes() for path in paths if path.is_file()}


def test_the_plan_of_a_finished_run_is_nothing(finished: Small) -> None:
    (finished.folder / "limits.yaml").write_text("node_memory_mb: 1000\n")
    words = ["--snakefile", str(ROOT / "Snakefile"), "--profile", str(ROOT / "slurm"), "--limits", "limits.yaml"]
    assert "Nothing is to be made" in finished.tessera("plan", "--configfile", "config.yaml", *words)


def test_one_person_withdrawn_costs_the_batch_and_the_sums(run: Small) -> None:
    run.withdraw("north", "ann")
    made = run.made()
    assert {made[rule] for rule in ("sum_batch", "sum_node", "merge_nodes", "export_vcf")} == {1}
    assert not {"count_alleles", "measure_variants"} & set(made)
    assert run.carriers("federation") == {22: 6, 33: 6, 44: 6}
    assert run.carriers("north") == {22: 4, 33: 4}


def test_who_joins_while_another_leaves_costs_the_own_jobs_and_the_sum_is_that_of_a_fresh_count(run: Small) -> None:
    write(run.folder / "eve.g.vcf.gz", gvcf("eve", 55))
    with (run.folder / "north.tsv").open("a") as sheet:
        sheet.write(row("eve", "XY", "FI", "2"))
    run.withdraw("north", "ann")
    made = run.made()
    assert {made[rule] for rule in ("count_alleles", "measure_variants", "sum_node", "merge_nodes")} == {1}
    assert made["sum_batch"] == 2
    assert run.carriers("federation") == {22: 8, 33: 8, 44: 8, 55: 8}
    people = {"ben": "north", "cat": "north", "eve": "north", "dan": "south"}
    for name, node in people.items():
        tessera("count", "--input", run.folder / f"{name}.g.vcf.gz", "--samples", run.folder / f"{node}.tsv",
                "--sample", name, "--build", run.folder / "build.yaml", "--assume-normalised",
                "--variants", run.folder / f"results/{node}/private/qc/variants/{name}.tsv",
                "--out", run.folder / "anew" / name)  # fmt: skip
    tessera("merge", *(run.folder / "anew" / name for name in people), "--out", run.folder / "sum")
    assert files_of(run.folder / "results/federation/summary") == files_of(run.folder / "sum")


def test_when_the_last_person_of_a_node_withdraws_nobody_is_left_in_its_summary_nor_in_the_sum(run: Small) -> None:
    run.withdraw("south", "dan")
    run.snakemake()
    assert run.carriers("south") == {}
    assert json.loads(run.read("south/summary/manifest.json"))["people"] == {}
    assert run.carriers("federation") == {11: 6, 22: 6, 33: 6}
    report = json.loads(run.read("federation/report.json"))
    south = {"counted": 0, "not_counted": {"withdrawn": 1}, "variants": 0, "exact": True, "metrics": {}}
    assert report["nodes"]["south"] == south
    assert run.made() == {}


def test_when_everybody_withdraws_the_sum_is_of_nobody(run: Small) -> None:
    for node, people in (("north", NORTH), ("south", SOUTH)):
        for name in people:
            run.withdraw(node, name)
    run.snakemake()
    assert run.carriers("federation") == {}
    assert json.loads(run.read("federation/summary/manifest.json"))["people"] == {}
    lines = gzip.decompress(run.read("federation/allele_frequencies.vcf.gz")).decode().splitlines()
    assert all(line.startswith("#") for line in lines)
    assert "results" in run.tessera("verify", "results/federation/summary")


def test_a_run_that_failed_after_an_edit_goes_on_to_what_a_fresh_run_gives(run: Small) -> None:
    before = shared(run)
    run.edit("north.tsv", "ann\tXX\tEE", "ann\tXX\tFI")
    run.edit("north.tsv", "cat\tXX\tFI", "cat\tNA\tFI")
    calls = run.folder / "cat.g.vcf.gz"
    whole, times = calls.read_bytes(), calls.stat()
    calls.write_bytes(b"no VCF".ljust(len(whole)))
    os.utime(calls, ns=(times.st_atime_ns, times.st_mtime_ns))
    said = run.snakemake("--keep-going", fails=True)
    assert re.search(r"rule count_alleles:.*cat", said, re.DOTALL)
    assert shared(run) == before
    calls.write_bytes(whole)
    os.utime(calls, ns=(times.st_atime_ns, times.st_mtime_ns))
    made = run.made()
    assert made["count_alleles"] == 1
    assert made["sum_batch"] == made["sum_node"] == made["merge_nodes"] == 1
    resumed = shared(run)
    assert resumed != before
    assert resumed == from_scratch(run)


def test_an_older_file_in_the_place_of_another_is_read_and_what_follows_is_that_of_a_fresh_run(run: Small) -> None:
    write(run.folder / "dan.g.vcf.gz", gvcf("dan", 66))
    (run.folder / "policy.yaml").write_text("version: 1\nrules:\n  - {metric: het_hom_ratio, min: 9}\n")
    for name in ("dan.g.vcf.gz", "policy.yaml"):
        os.utime(run.folder / name, (0, 0))
    made = run.made()
    assert made["measure_variants"] == 1
    assert made["count_alleles"] == len([*NORTH, *SOUTH])
    assert run.made() == {}
    resumed = shared(run)
    assert resumed == from_scratch(run)
    assert 44 not in run.carriers("federation")


def test_a_job_that_fails_shows_its_log(run: Small) -> None:
    (run.folder / "dan.g.vcf.gz").write_bytes(b"no VCF")
    said = run.snakemake(fails=True)
    (log,) = [run.folder / "results/south/private/logs/measure_variants/dan.log"]
    assert "tessera: error: dan.g.vcf.gz" in log.read_text()
    assert "tessera: error: dan.g.vcf.gz" in said
