"""The demo by `--profile slurm` on a real cluster: the bytes of a local run, by jobs that all end well."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from nation import files_of
from on_slurm import OnSlurm, site


@pytest.fixture(scope="module")
def demo(cluster: Path, grown: Path, tmp_path_factory: pytest.TempPathFactory) -> OnSlurm:
    """The demo, run without a cluster, then on it in the same folder: a CRAM tells the length of its path."""
    folder = OnSlurm(tmp_path_factory.mktemp("demo"), cluster, site(1), "nation/config.yaml")
    # the nation's own paths begin with `nation`
    shutil.copytree(grown, folder.folder / "nation")
    folder.snakemake()
    (folder.folder / "results").rename(folder.folder / "local")
    shutil.rmtree(folder.folder / ".snakemake")
    folder.on_slurm()
    return folder


def kept(results: Path) -> dict[str, bytes]:
    """What a run makes, without logs: they tell times."""
    return {name: data for name, data in files_of(results).items() if "logs" not in Path(name).parts}


def test_the_results_are_those_of_a_local_run_byte_by_byte(demo: OnSlurm) -> None:
    local, here = kept(demo.folder / "local"), kept(demo.folder / "results")
    assert set(here) == set(local)
    assert [name for name in local if here[name] != local[name]] == []
    assert "merged == pooled: yes" in demo.read("federation/report.txt").decode()


def test_every_job_ended_well_and_all_nodes_had_work(demo: OnSlurm) -> None:
    jobs = demo.accounted("State,NodeList,Account,Partition")
    assert {(state, account, partition) for state, _, account, partition in jobs} == {("COMPLETED", "demo", "main")}
    assert len({node for _, node, _, _ in jobs}) == 3
    # a person's short steps are one job
    assert len(jobs) < 80


def test_logs_lie_by_rule(demo: OnSlurm) -> None:
    logs = demo.folder / ".snakemake" / "slurm_logs"
    by_rule = Counter(log.relative_to(logs).parts[0] for log in logs.rglob("*.log"))
    assert by_rule["rule_align_lane"] == 9
    assert by_rule["rule_call_gvcf"] == 8


def test_a_second_run_submits_nothing(demo: OnSlurm) -> None:
    before = len(demo.accounted("State"))
    assert "nothing to be done" in demo.on_slurm().lower()
    assert len(demo.accounted("State")) == before
