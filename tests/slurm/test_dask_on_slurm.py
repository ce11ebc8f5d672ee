"""A cohort file counted by the tasks of one srun, over two nodes of a cluster."""

import subprocess
import sys
from pathlib import Path

import pytest

from on_slurm import ROOT

TASK = ROOT / "tests" / "faults" / "srun_task.py"


@pytest.mark.parametrize("victim", ["nothing", "worker"])
def test_tasks_on_two_nodes_do_all_the_work(cluster: Path, tmp_path: Path, victim: str) -> None:
    """Where a task is killed, the others do its work; srun then ends with an error, so that the job is tried again."""
    words = ["-A", "demo", "-p", "main", "-N", "2", "-n", "4", "--mem", "1500", sys.executable, TASK, tmp_path, victim]
    done = subprocess.run(
        [cluster / "bin" / "srun", *map(str, words)], capture_output=True, text=True, timeout=300, check=False
    )
    assert (tmp_path / "result").read_text() == " ".join(str(n * n) for n in range(24)), done.stderr
    assert (done.returncode == 0) == (victim == "nothing"), done.stderr
