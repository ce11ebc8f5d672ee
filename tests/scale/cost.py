"""Run a command, print as JSON what it and all processes that it started took.

    python -I -S cost.py LOG COMMAND...

A process of its own, and a small one, because the kernel starts a child's peak memory at that of its parent.
Orphans come here as well: Hail does not wait for its JVM. `peak_mb` is that of the largest single process
(ru_maxrss), never a sum over processes; `wall_s` ends with the command itself.
"""

import ctypes
import json
import os
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main() -> None:
    log, *command = sys.argv[1:]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    streams = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, log, write, 0o644)]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=streams)
    took = {"code": 0, "cpu_s": 0.0, "wall_s": 0.0, "peak_mb": 0.0}
    while True:
        try:
            ended, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            break
        took["cpu_s"] += usage.ru_utime + usage.ru_stime
        took["peak_mb"] = max(took["peak_mb"], usage.ru_maxrss / 1024)
        if ended == pid:
            took |= {"code": os.waitstatus_to_exitcode(status), "wall_s": time.perf_counter() - started}
    print(json.dumps(took))


if __name__ == "__main__":
    main()
