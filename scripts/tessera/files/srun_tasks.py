"""The tasks of one `srun` as a dask cluster: the first schedules, the second goes on with its command, the others work.

What the tasks must know of each other lies in a folder beside the command's output for as long as it takes. Ports ask
for credentials, which is why dask-jobqueue's SLURMRunner is not used: its client cannot end a scheduler that does.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tessera.errors import refuse
from tessera.files.atomic import remove
from tessera.files.dask_credentials import are_written, security_of, write_credentials

#: seconds that a task waits for the first one, and that a scheduler waits for work: its client was killed
PATIENCE, IDLE = 300, 1800
#: seconds that a task has to end by itself
GRACE = 10
#: scheduler, client, and a worker
LEAST_TASKS = 3
#: where what dask would show of itself stays
LOOPBACK = "127.0.0.1:0"


def n_workers() -> int:
    """The workers among this srun's tasks. Raises InputError outside of an srun of three tasks or more."""
    asked = [os.environ.get(name, "") for name in ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_JOB_ID")]
    if not all(text.isdecimal() for text in asked) or int(asked[1]) < LEAST_TASKS:
        raise refuse(
            "--cluster srun", f"no task of an srun of {LEAST_TASKS} tasks or more",
            "a command of srun: one task schedules, one writes, the others count",
            "Run: srun --ntasks 6 tessera count ... --cluster srun.",
        )  # fmt: skip
    return int(asked[1]) - LEAST_TASKS + 1


@contextmanager
def joined_tasks(out: Path, memory_of_each: int) -> Iterator[Any]:
    """A dask client of this srun's workers, for its second task; the others serve it and do not come back.

    `memory_of_each`: bytes that a worker may take, 0 for any. Raises InputError where the first task does not appear.
    """
    # each task, and what it starts, would tell of every connection
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")
    import dask
    import distributed

    folder = out.parent / f".{out.name}.srun.{os.environ['SLURM_JOB_ID']}.{os.environ.get('SLURM_STEP_ID', 0)}"
    if os.environ["SLURM_PROCID"] == "0":
        _new_folder(folder)
    else:
        asyncio.run(_wait_for(folder))
    security = security_of(folder)
    scheduler_file = str(folder / "scheduler.json")
    network = {
        "security": security,
        "protocol": "tls://",
        "interface": dask.config.get("jobqueue.slurm.interface", None),
    }
    if os.environ["SLURM_PROCID"] != "1":
        asyncio.run(_serve(folder, scheduler_file, network, memory_of_each))
        raise SystemExit
    try:
        with distributed.Client(scheduler_file=scheduler_file, security=security) as client:  # type: ignore[no-untyped-call]
            try:
                yield client
            finally:
                # of a scheduler that was killed there is nothing to end, and what was raised says so
                with suppress(OSError):
                    client.shutdown()
    finally:
        remove(folder)


async def _serve(folder: Path, scheduler_file: str, network: Mapping[str, Any], memory_of_each: int) -> None:
    """Schedule, or work, until the client has what it wants; then it removes the folder.

    A worker that comes up only then would wait for a scheduler that has ended.
    """
    import distributed

    server: Any
    if os.environ["SLURM_PROCID"] == "0":
        server = distributed.Scheduler(
            scheduler_file=scheduler_file, idle_timeout=IDLE, dashboard_address=LOOPBACK, **network
        )
    else:
        server = distributed.Nanny(
            scheduler_file=scheduler_file, nthreads=1, memory_limit=memory_of_each, death_timeout=PATIENCE,
            dashboard_address=LOOPBACK, **network,
        )  # fmt: skip
    living = asyncio.create_task(_until_finished(server))
    while not living.done() and folder.exists():
        await asyncio.sleep(1)
    await asyncio.wait([living], timeout=GRACE)
    living.cancel()


async def _until_finished(server: Any) -> None:
    async with server:
        await server.finished()


def _new_folder(folder: Path) -> None:
    remove(folder)
    folder.mkdir(mode=0o700, parents=True)
    write_credentials(folder)


async def _wait_for(folder: Path) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            while not are_written(folder):
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise refuse(
            str(folder), f"not there after {PATIENCE} s", "a folder of the output that all nodes share",
            "Write to a shared file system, and give srun all tasks at once.",
        ) from None  # fmt: skip
