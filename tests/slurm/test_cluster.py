"""The cluster itself: brought up once, taken down without a trace, and refused with all its reasons."""

import os
import socket
from pathlib import Path

import pytest

import slurm_cluster
from on_slurm import ROOT, bring_up
from slurm_cluster_files import Cluster, ClusterError


def test_up_twice_is_up_once_and_down_leaves_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    folder, options = ROOT / ".slurm" / "tests-twice", ("--without-accounting", "--nodes", "1", "--port", "26880")
    with bring_up(folder, *options):
        daemons = slurm_cluster.processes(folder)
        assert len(daemons) >= 3
        with bring_up(folder, *options):
            assert slurm_cluster.processes(folder) == daemons
    assert slurm_cluster.processes(folder) == []
    assert "down" in capfd.readouterr().err
    slurm_cluster.down(folder)
    assert capfd.readouterr().err == ""
    # or every call of Snakemake on this machine would look for a controller
    assert not Path("/etc/slurm/slurm.conf").exists()


def test_all_that_forbids_a_cluster_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError) as refused:
            slurm_cluster.check_machine(Cluster(tmp_path / ("long" * 30), port=port))
    for reason in ("as root", "--folder", f"ports in use: {port}"):
        assert reason in str(refused.value)
