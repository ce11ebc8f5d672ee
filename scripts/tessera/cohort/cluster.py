"""The processes that count shards: a dask cluster for as long as a file takes, here unless told otherwise."""

import logging
import pickle
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from tessera.errors import InputError, refuse

#: what a process of the count needs at least, in bytes
LEAST_MEMORY = 300 * 10**6
SIZE, UNITS = re.compile(r"(\d+)(MB|GB)"), {"MB": 10**6, "GB": 10**9}
#: items for each worker that are under way or wait for their turn; bounds memory
AHEAD = 2
#: where what dask would show of itself stays: nobody looks
LOOPBACK = "127.0.0.1:0"
Job = TypeVar("Job")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workers:
    """How many processes, and what they and the one that started them may take together (such as 8GB)."""

    number: int = 1
    max_memory: str | None = None
    #: gives a dask client of workers elsewhere; None: they are started here
    elsewhere: Callable[["Workers"], AbstractContextManager[Any]] | None = None

    def __post_init__(self) -> None:
        if self.max_memory is not None and self.memory_of_each < LEAST_MEMORY:
            raise refuse(
                "--max-memory", f"{self.max_memory} for {self.processes} processes",
                f"at least {self.processes * LEAST_MEMORY // 10**6:,}MB", "Give more, or fewer --workers.",
            )  # fmt: skip

    @property
    def alone(self) -> bool:
        """Whether the process that asks does the work."""
        return self.number == 1 and self.elsewhere is None

    @property
    def processes(self) -> int:
        """The workers, and the process that writes what several of them count."""
        return 1 if self.alone else self.number + 1

    @property
    def memory_of_each(self) -> int:
        """Bytes that a process may take, 0 for any. Raises InputError where `max_memory` is no size."""
        if self.max_memory is None:
            return 0
        size = SIZE.fullmatch(self.max_memory)
        if size is None:
            raise refuse("--max-memory", self.max_memory, "a whole number of MB or GB, such as 8GB")
        return int(size[1]) * UNITS[size[2]] // self.processes

    @contextmanager
    def map(self, work: Callable[[Job, Item], Result], job: Job, items: Sequence[Item]) -> Iterator[Iterator[Result]]:
        """The results of `work(job, item)` in the order of the items, while the processes live.

        An exception of `work` is raised where its result is due. Raises InputError when a process was ended, again and
        again, for the memory it took.
        """
        with (self.elsewhere or _here)(self) as client:
            # with each item, not once: a job that only some processes hold is lost when they are
            yield _in_order(client, work, pickle.dumps(job), items, AHEAD * self.number)


@contextmanager
def _here(workers: Workers) -> Iterator[Any]:
    import distributed

    # other people of this machine could reach an open port: encrypted, and only for who holds its key
    security = distributed.Security.temporary()  # type: ignore[no-untyped-call]
    cluster = distributed.LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=workers.number, threads_per_worker=1, memory_limit=workers.memory_of_each, security=security,
        protocol="tls://", dashboard_address=LOOPBACK, worker_dashboard_address=LOOPBACK, silence_logs=logging.CRITICAL,
    )  # fmt: skip
    with cluster, distributed.Client(cluster) as client:  # type: ignore[no-untyped-call]
        yield client


def _in_order(
    client: Any, work: Callable[[Job, Item], Result], job: bytes, items: Sequence[Item], ahead: int
) -> Iterator[Result]:
    import distributed

    waiting = deque(client.submit(_work_at, work, job, item, pure=False) for item in items[:ahead])
    try:
        for item in items[ahead:]:
            yield _result_of(waiting.popleft())
            waiting.append(client.submit(_work_at, work, job, item, pure=False))
        while waiting:
            yield _result_of(waiting.popleft())
    except distributed.scheduler.KilledWorker as error:
        raise _ended() from error
    except (CancelledError, RuntimeError, OSError) as error:  # dask has many words for it
        # a client says that it runs for some moments after its connection broke
        if client.status == "running" and not isinstance(error, distributed.comm.core.CommClosedError):
            raise
        raise refuse(
            "--cluster", "the scheduler of the workers has ended", "one that lives as long as the work", "Run it again."
        ) from error


def _work_at(work: Callable[[Job, Item], Result], job: bytes, item: Item) -> Result | InputError:
    """The result, or what is refused: of an error with a long text, dask keeps but the beginning of it."""
    try:
        return work(_unpacked(job), item)
    except InputError as error:
        return error


def _result_of(done: Any) -> Any:
    result = done.result()
    if isinstance(result, InputError):
        raise result
    return result


@lru_cache(maxsize=1)
def _unpacked(job: bytes) -> Any:
    """The job, its files opened once by each process."""
    return pickle.loads(job)


def _ended() -> InputError:
    return refuse(
        "--workers", "a worker that was ended several times", "workers that live as long as their work",
        "It took more than its part of --max-memory, or the system ended it: give more memory, or fewer --workers.",
    )  # fmt: skip
