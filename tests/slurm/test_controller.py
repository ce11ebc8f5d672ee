"""The controller as a job: killed, stopped, queued again, cancelled, and started where somebody else is at work."""

import pytest

from on_slurm import WAITS, OnSlurm, kill_job, wait_until


@pytest.fixture
def waiting(two: OnSlurm) -> tuple[OnSlurm, str]:
    """A controller whose first job has ended and whose second waits for a file."""
    two.misbehave(WAITS)
    job = two.launch(two.metrics("jon"), two.metrics("iva"))
    wait_until(lambda: (two.folder / two.metrics("jon")).exists() and two.calls_of("iva"), "iva waits")
    wait_until(lambda: len(two.submitted()) == 1, "jon's job has ended")
    return two, job


def test_a_killed_controller_is_followed_by_one_that_keeps_what_was_done_and_what_runs(
    waiting: tuple[OnSlurm, str],
) -> None:
    two, first = waiting
    second = two.launch(two.metrics("jon"), two.metrics("iva"))
    wait_until(lambda: two.state(second) == "FAILED", "a second controller gives up")
    assert f"job {first} (RUNNING) controls this folder" in two.said(second)
    assert list((two.folder / ".snakemake" / "locks").iterdir())

    kill_job(two.cluster, first)
    wait_until(lambda: two.state(first) == "FAILED", "the first is dead")
    assert len(two.submitted()) == 1
    third = two.launch(two.metrics("jon"), two.metrics("iva"))
    wait_until(lambda: f"waiting for what job {first} had started" in two.said(third), "the third has seen iva's job")

    two.call(["scancel", "--signal=USR1", "--batch", third])  # what SLURM sends before the time limit
    wait_until(lambda: two.state(third) == "PENDING", "the third is queued again")
    assert (two.folder / f"tessera-{third}.txt").read_text().startswith("Tessera: stopped before its time limit")
    assert len(two.submitted()) == 1
    (two.folder / "go").touch()
    summary = two.ended(third)
    assert summary.startswith("Tessera: finished")
    assert "start 2" in summary
    assert "removing the lock" in two.said(third)
    assert (two.calls_of("jon"), two.calls_of("iva")) == (1, 1)
    assert two.submitted() == []


def test_a_cancelled_controller_leaves_no_job_and_the_next_goes_on(waiting: tuple[OnSlurm, str]) -> None:
    two, first = waiting
    made = (two.folder / two.metrics("jon")).stat()
    two.call(["scancel", first])
    summary = two.ended(first)
    assert summary.startswith("Tessera: cancelled")
    wait_until(lambda: not two.submitted(), "its jobs are gone", 30)
    assert list((two.folder / ".snakemake" / "locks").iterdir()) == []
    assert not (two.folder / two.metrics("iva")).exists()

    (two.folder / "go").touch()
    summary = two.ended(two.launch(two.metrics("jon"), two.metrics("iva")))
    assert summary.startswith("Tessera: finished")
    assert "core-hours" in summary
    assert (two.calls_of("jon"), two.calls_of("iva")) == (1, 2)
    assert (two.folder / two.metrics("jon")).stat() == made


def test_the_lock_of_a_run_by_hand_is_left_alone(two: OnSlurm) -> None:
    lock = two.folder / ".snakemake" / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(two.metrics("jon") + "\n")
    (two.folder / ".snakemake" / "controller").write_text("1\n")  # of a controller that ended long ago
    summary = two.ended(two.launch(two.metrics("jon")))
    assert summary.startswith("Tessera: failed")
    assert lock.exists()
    assert two.submitted() == []
