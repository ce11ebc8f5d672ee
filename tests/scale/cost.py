"""Run a command, print as JSON what it and the processes that it waited for took.

    python -I -S cost.py LOG COMMAND...

A process of its own, and a small one, because the kernel starts a child's peak memory at that of its parent.
`peak_mb` is that of the largest single process (ru_maxrss), never a sum over processes.
"""

import json
import os
import sys
import time


def main() -> None:
    log, *command = sys.argv[1:]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, log, write, 0o644)]
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams)
    _, status, usage = os.wait4(pid, 0)
    took = {
        "code": os.waitstatus_to_exitcode(status),
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "wall_s": time.perf_counter() - started,
        "peak_mb": usage.ru_maxrss / 1024,
    }
    print(json.dumps(took))


if __name__ == "__main__":
    main()
