"""A task of an srun, as a command is one: squares 24 numbers by the other tasks; one of them is killed on the way.

Arguments: a folder to write in, and what to kill: nothing, worker, scheduler, or refuse (an input that is refused).
"""

import os
import sys
import time
from pathlib import Path

from tessera.cli.options import workers_of
from tessera.errors import InputError, refuse


def square(job: tuple[Path, str], item: int) -> int:
    folder, victim = job
    if item == 5 and victim == "worker" and not (folder / "killed").exists():
        (folder / "killed").touch()
        os.kill(os.getppid(), 9)
        os.kill(os.getpid(), 9)
    if item == 5 and victim == "scheduler":
        os.kill(int((folder / "scheduler.pid").read_text()), 9)
        time.sleep(600)
    return item * item


def main(folder: Path, victim: str) -> None:
    if os.environ["SLURM_PROCID"] == "0":
        (folder / "scheduler.pid").write_text(str(os.getpid()))
    with workers_of("srun", 1, None, folder / "out") as workers:
        if victim == "refuse":
            raise refuse("input", "something", "something else")
        with workers.map(square, (folder, victim), range(24)) as results:
            (folder / "result").write_text(" ".join(map(str, results)))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2])
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
