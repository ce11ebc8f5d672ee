"""What happens to jobs on a real cluster, and to whom nothing must happen: memory, time, nodes, accounting."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import slurm_cluster
from on_slurm import WAITS, OnSlurm, kill_node, site, wait_until
from slurm_cluster_files import Cluster

#: what a misbehaving `tessera` does before it does its work
NEEDS_700_MB = f'"{sys.executable}" -c "import time; x = bytearray(700_000_000); time.sleep(3)"'
HANGS_ONCE = "[ -e hung ] || { touch hung; sleep 600; }"


def asks(**resources: str | int) -> dict[str, object]:
    """Settings that change what measuring a person asks for."""
    return {"set-resources": {"measure_variants": resources}}


@pytest.fixture(scope="module")
def over_its_time(
    cluster: Path, grown: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[OnSlurm, subprocess.Popen[str]]]:
    """A run whose job hangs; it takes SLURM more than a minute to notice, while other tests run."""
    folder = OnSlurm.of_two_people(tmp_path_factory.mktemp("time"), cluster, site(1), grown)
    # the last node: no other test harms what runs there
    folder.set_site(site(1), **asks(mem_mb=600, runtime="1 * attempt", slurm_extra=f"'--nodelist={last(cluster)}'"))
    folder.misbehave(HANGS_ONCE)
    with folder.started(folder.metrics("jon")) as process:
        yield folder, process


def nodes(cluster: Path) -> list[str]:
    done = subprocess.run(
        [cluster / "bin" / "sinfo", "-h", "-N", "-o", "%N"], capture_output=True, text=True, check=True
    )
    return sorted(done.stdout.split())


def last(cluster: Path) -> str:
    return nodes(cluster)[-1]


def test_a_job_over_its_memory_comes_back_with_more(
    cluster: Path, grown: Path, tmp_path: Path, over_its_time: object
) -> None:
    folder = OnSlurm.of_two_people(tmp_path, cluster, site(2), grown)
    folder.set_site(site(2), **asks(mem_mb="500 * attempt", runtime=10))
    folder.misbehave(NEEDS_700_MB)
    said = folder.on_slurm(folder.metrics("jon"))
    assert "Trying to restart job" in said
    first, second = folder.accounted("ReqMem,State,QOS")
    assert first[0] == "500M"
    assert first[1] in ("OUT_OF_MEMORY", "FAILED")
    assert second == ["1000M", "COMPLETED", "quick"]


def test_a_killed_node_is_survived(two: OnSlurm, over_its_time: object) -> None:
    two.set_site(site(1), **asks(mem_mb=600, runtime=10, slurm_extra=f"'--exclude={last(two.cluster)}'"))
    two.misbehave(WAITS)
    with two.started(two.metrics("iva")) as process:
        wait_until(lambda: two.calls_of("iva") or process.poll() is not None, "the job is under way")
        (node,) = (job[2] for job in two.queue())
        kill_node(two.cluster, node)
        try:
            # or SLURM notices by itself, half a minute later
            two.call(["scontrol", "update", f"nodename={node}", "state=down", "reason=killed"])
            (two.folder / "go").touch()
            said, _ = process.communicate(timeout=200)
            assert process.returncode == 0, said
        finally:
            slurm_cluster.start_node(Cluster(two.cluster), node)
    assert (two.folder / two.metrics("iva")).is_file()
    assert two.calls_of("iva") == 2
    states = [state for state, _ in two.accounted("State,NodeList")]
    assert states == ["NODE_FAIL", "COMPLETED"]
    ran_on = [where for _, where in two.accounted("State,NodeList")]
    assert ran_on[0] == node != ran_on[1]
    wait_until(lambda: two.call(["sinfo", "-h", "-n", node, "-o", "%T"]).strip() == "idle", f"{node} is back")


def test_without_accounting_a_run_ends_and_says_what_it_cannot_report(
    without_accounting: Path, grown: Path, tmp_path: Path
) -> None:
    folder = OnSlurm.of_two_people(tmp_path, without_accounting, site(3), grown)
    # a site that leaves the profile's tables as they are: jobs ask for what a genome needs
    settings = yaml.safe_load(site(3))
    del settings["set-resources"], settings["set-threads"]
    (folder.folder / "site.yaml").write_text(yaml.safe_dump(settings))
    summary = folder.ended(folder.launch(folder.metrics("jon")))
    assert summary.startswith("Tessera: finished")
    assert "SLURM keeps no accounts" in summary
    assert "is not reported" in summary
    assert (folder.folder / folder.metrics("jon")).is_file()
    asked = folder.call(["squeue", "--noheader", "--states=all", "--format=%j|%m|%l"])
    assert [job.split("|")[1:] for job in asked.splitlines() if job.startswith("tessera_")] == [["2000M", "30:00"]]


def test_a_job_over_its_time_comes_back_with_more(over_its_time: tuple[OnSlurm, subprocess.Popen[str]]) -> None:
    folder, process = over_its_time
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert folder.accounted("Timelimit,State") == [["00:01:00", "TIMEOUT"], ["00:02:00", "COMPLETED"]]
    assert folder.calls_of("jon") == 2
