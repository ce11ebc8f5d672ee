"""Workers that are SLURM jobs of their own, by dask-jobqueue: for a person at a terminal.

Never from within a job or a workflow: such workers queue behind the very jobs that wait for them.
"""

import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tessera.errors import refuse
from tessera.files.atomic import directory_beside
from tessera.files.dask_credentials import security_of, write_credentials

#: seconds to wait for the first worker
PATIENCE = 600


@contextmanager
def submitted_jobs(out: Path, number: int, memory_of_each: int, patience: int = PATIENCE) -> Iterator[Any]:
    """A dask client of `number` workers, each a job of one processor that may take `memory_of_each` bytes.

    Account, partition and time come from dask's own configuration (jobqueue.slurm). Raises InputError within a job,
    where sbatch refuses, and when no worker has come after `patience` seconds; jobs are cancelled in the end.
    """
    import dask
    import distributed
    from dask_jobqueue.slurm import SLURMCluster

    # the library took Ctrl-C for its own ends
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if "SLURM_JOB_ID" in os.environ:
        raise refuse(
            "--cluster slurm", f"job {os.environ['SLURM_JOB_ID']}", "a login node: its workers would queue behind it",
            "In a job, use --workers alone, or srun and --cluster srun.",
        )  # fmt: skip
    if not memory_of_each:
        raise refuse("--cluster slurm", "no --max-memory", "what all jobs may take together, to ask SLURM for it")
    logs = dask.config.get("jobqueue.slurm.log-directory", None)
    with directory_beside(out) as folder:
        write_credentials(folder)
        security = security_of(folder)
        cluster = SLURMCluster(
            cores=1, processes=1, memory=f"{memory_of_each}B", security=security, log_directory=logs or str(folder),
            silence_logs=logging.CRITICAL, scheduler_options={"dashboard": False},
        )  # fmt: skip
        with cluster, distributed.Client(cluster) as client:  # type: ignore[no-untyped-call]
            _check_submission(cluster.job_script(), folder / "job.sh")  # type: ignore[no-untyped-call]
            cluster.scale(number)  # type: ignore[no-untyped-call]
            try:
                client.wait_for_workers(1, timeout=patience)
            except TimeoutError:
                raise _not_started(f"no worker after {patience} s") from None
            yield client


def _check_submission(text: str, script: Path) -> None:
    """Ask SLURM about a worker's job: of one that it refuses the library says nothing."""
    script.write_text(text)
    try:
        done = subprocess.run(["sbatch", "--test-only", script], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise _not_started("no sbatch on PATH") from None
    if done.returncode:
        raise _not_started(done.stderr)


def _not_started(found: str) -> Exception:
    return refuse(
        "--cluster slurm", found.strip().replace("\n", " ")[:300], "workers that SLURM starts as jobs",
        "Look at squeue, and at account, partition and time under jobqueue.slurm in dask's configuration"
        " (slurm/dask.yaml); or count in one job: --workers.",
    )  # fmt: skip
