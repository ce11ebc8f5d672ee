"""The tasks of one srun count as one; whichever of them is lost, the others finish or say so, and none stays behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tessera.errors import InputError
from tessera.files.srun_tasks import n_workers

TASK, SECONDS = Path(__file__).with_name("srun_task.py"), 120


def srun(folder: Path, *victim: str) -> list[tuple[int, str]]:
    """Exit code and standard error of four tasks, started as srun starts them."""
    step = {"SLURM_NTASKS": "4", "SLURM_JOB_ID": "7", "SLURM_STEP_ID": "1"}
    tasks = [
        subprocess.Popen(
            [sys.executable, TASK, folder, *victim],
            env={**os.environ, **step, "SLURM_PROCID": str(number)}, stderr=subprocess.PIPE, text=True,
        )
        for number in range(4)
    ]  # fmt: skip
    try:
        told = [task.communicate(timeout=SECONDS)[1] for task in tasks]
    finally:
        for task in tasks:
            task.kill()
    return [(task.returncode, error) for task, error in zip(tasks, told, strict=True)]


@pytest.mark.parametrize("victim", ["nothing", "worker"])
def test_the_tasks_do_all_the_work_whichever_worker_is_killed(tmp_path: Path, victim: str) -> None:
    codes = [code for code, _ in srun(tmp_path, victim)]
    assert (tmp_path / "result").read_text() == " ".join(str(n * n) for n in range(24))
    assert sorted(codes) == ([0, 0, 0, 0] if victim == "nothing" else [-9, 0, 0, 0])
    assert (tmp_path / "killed").exists() == (victim == "worker")
    assert not list(tmp_path.glob(".out.srun*"))


def test_what_the_client_refuses_ends_every_task(tmp_path: Path) -> None:
    ended = srun(tmp_path, "refuse")
    assert [code for code, _ in ended] == [0, 2, 0, 0]
    assert ended[1][1] == "input: something; expected something else.\n"


def test_a_scheduler_that_is_killed_is_told_of(tmp_path: Path) -> None:
    ended = srun(tmp_path, "scheduler")
    assert ended[1][0] == 2, ended[1][1]
    assert "the scheduler of the workers has ended" in ended[1][1]
    assert not (tmp_path / "result").exists()


@pytest.mark.parametrize("tasks", ["", "2", "many"])
def test_outside_of_an_srun_of_three_tasks_it_is_refused(tasks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SLURM_PROCID", "1"), ("SLURM_JOB_ID", "7"), ("SLURM_NTASKS", tasks)):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="an srun of 3 tasks or more"):
        n_workers()
