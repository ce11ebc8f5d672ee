#!/usr/bin/env python3
"""A SLURM cluster of several nodes on this machine, for tests and first tries: `slurm_cluster.py up`, later `down`.

Debian's packages are unpacked into a folder and run from there as root, without systemd: nothing is installed, no
file outside the folder is written, and no other program finds SLURM. Its commands lie in FOLDER/bin and know their
configuration by themselves, also where Snakemake takes SLURM_CONF out of a job's environment. Each `up` begins with an
empty queue and empty accounts. Standard library only.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from slurm_cluster_files import Cluster, ClusterError, say, slurm_conf, unpack, write_folder

ROOT = Path(__file__).resolve().parents[1]
#: account that jobs run under, where there are accounts
ACCOUNT = "demo"
#: a socket's path has no more bytes than this, by sockaddr_un
LONGEST_SOCKET = 107


def wait_for(what: str, ready: Callable[[], object], cluster: Cluster, *, seconds: float = 60) -> None:
    """Wait until something is ready; if it is not in time, say what the daemons said last."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ready():
                say(f"{what}: up")
                return
        except ClusterError:
            pass
        time.sleep(0.1)
    logs = sorted((cluster.folder / "log").glob("*.log"))
    last = [f"  {log.name}: {line}" for log in logs for line in log.read_text(errors="replace").splitlines()[-5:]]
    raise ClusterError("\n".join([f"{what}: not up after {seconds:.0f} s. The logs end with", *last]))


def check_machine(cluster: Cluster) -> None:
    """Everything that forbids a cluster here, at once."""
    problems = []
    if os.geteuid() != 0:
        problems.append("only root can run slurmd: call this as root (in a container, if you like)")
    longest = str(cluster.socket("mariadb"))
    if len(longest) > LONGEST_SOCKET:
        problems.append(f"{longest} is too long for a socket ({LONGEST_SOCKET} bytes): give a shorter --folder")
    taken = [str(port) for port in cluster.ports() if not is_free(port)]
    if taken:
        problems.append(f"ports in use: {', '.join(taken)}. Give another first --port (now {cluster.port})")
    if problems:
        raise ClusterError("; ".join(problems))


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def start_munge(cluster: Cluster) -> None:
    """munged with a key and a socket of its own."""
    own, where = cluster.folder / "munge", f"--socket={cluster.socket('munge')}"
    (own / "key").write_bytes(os.urandom(128))
    (own / "key").chmod(0o400)
    files = [f"--key-file={own}/key", f"--seed-file={own}/seed", f"--log-file={own}/munged.log"]
    cluster.run("munged", "--force", where, *files, f"--pid-file={cluster.folder}/run/munged.pid")
    wait_for("munge", lambda: cluster.run("munge", "-n", where), cluster)


def start_accounting(cluster: Cluster) -> None:
    """MariaDB, slurmdbd, and an account for root."""
    base, data, door = cluster.packages / "usr", cluster.folder / "mariadb", f"--socket={cluster.socket('mariadb')}"
    cluster.run(
        "mariadb-install-db",
        "--no-defaults",
        "--user=root",
        "--auth-root-authentication-method=socket",
        "--skip-test-db",
        "--skip-name-resolve",
        f"--basedir={base}",
        f"--datadir={data}",
    )
    environment = {**os.environ, "SLURM_CONF": str(cluster.configuration), "LD_LIBRARY_PATH": cluster.libraries}
    with (cluster.folder / "log" / "mariadb.log").open("w") as log:
        subprocess.Popen(
            [
                f"{base}/sbin/mariadbd",
                "--no-defaults",
                "--user=root",
                "--bind-address=127.0.0.1",
                f"--port={cluster.port + 2}",
                door,
                f"--basedir={base}",
                f"--datadir={data}",
                f"--pid-file={cluster.folder}/run/mariadbd.pid",
                "--innodb-flush-log-at-trx-commit=2",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
    sql = ["mariadb", "--no-defaults", door, "-e"]
    wait_for("MariaDB", lambda: cluster.run(*sql, "SELECT 1"), cluster)
    for host in ("127.0.0.1", "localhost"):
        cluster.run(*sql, f"GRANT ALL ON slurm.* TO slurm@'{host}' IDENTIFIED BY 'slurm'")
    cluster.run("slurmdbd")
    wait_for("slurmdbd", lambda: cluster.run("sacctmgr", "-n", "show", "cluster") is not None, cluster)
    cluster.run("sacctmgr", "-i", "add", "cluster", "demo")
    cluster.run("sacctmgr", "-i", "add", "account", ACCOUNT, "cluster=demo")
    cluster.run("sacctmgr", "-i", "add", "qos", "quick")
    cluster.run("sacctmgr", "-i", "add", "user", "root", f"account={ACCOUNT}", "qos=normal,quick")


def start_node(cluster: Cluster, name: str) -> None:
    """One node's slurmd."""
    (cluster.folder / "spool" / name).mkdir(exist_ok=True)
    cluster.run("slurmd", "-N", name, "-d", cluster.packages / "usr" / "sbin" / "slurmstepd")


def up(cluster: Cluster) -> None:
    """Bring the cluster up; nothing happens where it is up already."""
    if is_up(cluster):
        say(f"already up in {cluster.folder}")
        return
    down(cluster.folder)
    check_machine(cluster)
    unpack(cluster)
    write_folder(cluster)
    start_munge(cluster)
    if cluster.accounting:
        start_accounting(cluster)
    cluster.run("slurmctld")
    wait_for("slurmctld", lambda: "UP" in cluster.run("scontrol", "ping"), cluster)
    for port in cluster.node_ports():
        start_node(cluster, f"node{port}")
    wait_for(f"{cluster.nodes} nodes", lambda: idle_nodes(cluster) == cluster.nodes, cluster)


def idle_nodes(cluster: Cluster) -> int:
    return cluster.run("sinfo", "-h", "-N", "-o", "%T").split().count("idle")


def is_up(cluster: Cluster) -> bool:
    """Whether just this cluster runs, with all its daemons."""
    try:
        cgroups = cluster.configuration.with_name("cgroup.conf").exists()
        if cluster.configuration.read_text() != slurm_conf(cluster, cgroups=cgroups):
            return False
        running = {int(file.read_text()) for file in (cluster.folder / "run").glob("*.pid")}
    except (OSError, StopIteration, ValueError):
        return False
    daemons = len(cluster.node_ports()) + (4 if cluster.accounting else 2)
    return len(running) == daemons and running <= set(processes(cluster.folder))


def processes(folder: Path) -> list[int]:
    """What runs for the cluster of a folder: its daemons, and what its jobs started."""
    configuration = f"SLURM_CONF={folder}/etc/slurm.conf".encode()
    return [int(one.name) for one in Path("/proc").glob("[0-9]*") if belongs(one, configuration, folder)]


def belongs(process: Path, configuration: bytes, folder: Path) -> bool:
    """By its environment; slurmstepd writes its title over that, and is known by the files that it has open."""
    try:
        if configuration in (process / "environ").read_bytes().split(b"\0"):
            return True
        program = (process / "exe").readlink()
        if not program.is_relative_to(folder.parent / "packages"):
            return False
        return any(file.readlink().is_relative_to(folder) for file in (process / "fd").iterdir())
    except OSError:  # it has ended, or is not ours to ask
        return False


def down(folder: Path) -> None:
    """End every process of the cluster in a folder, its jobs too. The logs stay."""
    if not processes(folder):
        return
    end = time.monotonic() + 10
    while left := processes(folder):
        if time.monotonic() > end:
            raise ClusterError(f"these processes do not end: {' '.join(map(str, left))}")
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)  # the next `up` begins anew, so nothing is worth a farewell
        time.sleep(0.1)
    for node in (folder / "spool").glob("node*"):
        for group in Path("/sys/fs/cgroup").glob(f"*/slurm_{node.name}"):
            for below in sorted([group, *group.rglob("*/")], reverse=True):
                below.rmdir()
    say(f"down: {folder}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("action", choices=["up", "down"], help="up prints the line that puts the commands on PATH")
    parser.add_argument("--folder", type=Path, default=ROOT / ".slurm" / "cluster", help="default: .slurm/cluster")
    parser.add_argument("--nodes", type=int, default=Cluster.nodes, help="default: 2")
    parser.add_argument("--cpus", type=int, default=Cluster.cpus, help="processors that a node claims; default: 2")
    parser.add_argument("--memory", type=int, default=Cluster.memory, help="MB that a node claims; default: 4000")
    parser.add_argument("--port", type=int, default=Cluster.port, help="first of the ports; default: 26800")
    parser.add_argument("--without-accounting", action="store_true", help="no MariaDB, slurmdbd, accounts and sacct")
    given = parser.parse_args()
    folder = given.folder.resolve()
    cluster = Cluster(folder, given.nodes, given.cpus, given.memory, given.port, not given.without_accounting)
    try:
        if given.action == "down":
            down(folder)
        else:
            up(cluster)
            print(f"export PATH='{folder / 'bin'}':$PATH")
    except ClusterError as error:
        down_after(error, folder)


def down_after(error: ClusterError, folder: Path) -> None:
    """Leave no half of a cluster."""
    try:
        down(folder)
    finally:
        print(f"slurm_cluster: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
