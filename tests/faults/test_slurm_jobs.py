"""Workers that are jobs: started by sbatch, cancelled in the end, and what SLURM cannot give is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TASK = """
import sys
from pathlib import Path
from tessera.cohort.cluster import Workers
from tessera.errors import InputError
from tessera.files.slurm_jobs import submitted_jobs

def square(_, item):
    return item * item

if __name__ == "__main__":
    out, memory, patience = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    workers = Workers(2, elsewhere=lambda _: submitted_jobs(out, 2, memory, patience))
    try:
        with workers.map(square, None, range(9)) as results:
            print(*results)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
"""
#: SLURM as far as dask asks for it: a job is a process, its number that process's
SBATCH = (
    '#!/bin/sh\n[ "$1" = --test-only ] && exit 0\ncp "$1" {0}/script\nsh "$1" > {0}/job.log 2>&1 &\n'
    'echo "Submitted batch job $!" | tee -a {0}/submitted\n'
)
SCANCEL = (
    '#!/bin/sh\necho "$@" >> {0}/cancelled\n'
    # nothing but what was started here is ever killed
    'grep -qx "Submitted batch job $1" {0}/submitted && pkill -P "$1"; true\n'
)
CONFIG = "jobqueue:\n  slurm:\n    account: programme\n    queue: long\n    walltime: '02:00:00'\n"


def run(
    folder: Path, *, sbatch: str, memory: int = 400_000_000, patience: int = 100, job: str = ""
) -> tuple[int, str, str]:
    """Exit code, output and errors of a count's stand-in that has two jobs for workers."""
    for name, text in (("sbatch", sbatch), ("scancel", SCANCEL)):
        (folder / name).write_text(text.format(folder))
        (folder / name).chmod(0o755)
    (folder / "task.py").write_text(TASK)
    (folder / "dask.yaml").write_text(CONFIG)
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "DASK_CONFIG": str(folder / "dask.yaml")}
    done = subprocess.run(
        [sys.executable, folder / "task.py", folder / "out", str(memory), str(patience)],
        env=environment | ({"SLURM_JOB_ID": job} if job else {}),
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_jobs_do_the_work_and_are_cancelled(tmp_path: Path) -> None:
    code, output, errors = run(tmp_path, sbatch=SBATCH)
    assert (code, output) == (0, "0 1 4 9 16 25 36 49 64\n"), errors
    submitted = {line.split()[-1] for line in (tmp_path / "submitted").read_text().splitlines()}
    assert len(submitted) == 2
    assert set((tmp_path / "cancelled").read_text().split()) == submitted
    asked = {line for line in (tmp_path / "script").read_text().splitlines() if line.startswith("#SBATCH")}
    assert {"#SBATCH -A programme", "#SBATCH -p long", "#SBATCH -t 02:00:00", "#SBATCH --cpus-per-task=1"} <= asked
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"sbatch": SBATCH, "job": "7"}, "--cluster slurm: job 7; expected a login node"),
        ({"sbatch": SBATCH, "memory": 0}, "--cluster slurm: no --max-memory"),
        ({"sbatch": "#!/bin/sh\necho Submitted batch job 999999999\n", "patience": 3}, "no worker after 3 s"),
        ({"sbatch": "#!/bin/sh\necho no such account >&2\nexit 1\n", "patience": 10}, "no such account"),
    ],
)
def test_what_slurm_does_not_give_is_said(tmp_path: Path, how: dict[str, object], said: str) -> None:
    code, _, errors = run(tmp_path, **how)  # type: ignore[arg-type]
    assert code == 2
    assert said in errors
    assert "Traceback" not in errors
    assert not list(tmp_path.glob(".out*"))
