"""What a SLURM cluster on this machine is made of: packages unpacked into a folder, and its configuration."""

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SLURM = ["slurmctld", "slurmd", "slurm-client", "slurm-wlm-basic-plugins", "munge", "libmunge2"]
ACCOUNTING = ["slurmdbd", "slurm-wlm-mysql-plugin", "mariadb-server-core", "mariadb-client-core"]
COMMANDS = ["sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun", "sstat"]


class ClusterError(Exception):
    """Why there is no cluster, and what to do."""


def say(text: str) -> None:
    print(f"{time.strftime('%T')} {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lies and what it consists of; its packages lie beside the folder, for others too."""

    folder: Path
    nodes: int = 2
    cpus: int = 2
    memory: int = 4000
    port: int = 26800
    accounting: bool = True

    @property
    def packages(self) -> Path:
        return self.folder.parent / "packages"

    @property
    def configuration(self) -> Path:
        return self.folder / "etc" / "slurm.conf"

    @property
    def plugins(self) -> Path:
        """SLURM's plugins; a folder above them is named after the machine's architecture."""
        return next(self.packages.glob("usr/lib/*/slurm-wlm"))

    @property
    def libraries(self) -> str:
        beside = self.plugins.parent
        return f"{beside}:{self.packages / 'lib' / beside.name}:{self.plugins}"

    def socket(self, daemon: str) -> Path:
        return self.folder / "run" / f"{daemon}.socket"

    def node_ports(self) -> list[int]:
        """One port for each node, which is also its name: cgroups of two clusters must not mix."""
        return [self.port + 3 + node for node in range(self.nodes)]

    def ports(self) -> list[int]:
        """Controller, slurmdbd, MariaDB, nodes."""
        daemons = 3 if self.accounting else 1
        return [*range(self.port, self.port + daemons), *self.node_ports()]

    def run(self, program: str, *options: object) -> str:
        """Run a program of the packages to its end, or until it is in the background; its standard output."""
        found = [path for part in ("sbin", "bin") for path in [self.packages / "usr" / part / program] if path.exists()]
        libraries = ":".join(filter(None, [self.libraries, os.environ.get("LD_LIBRARY_PATH")]))
        own = {"SLURM_CONF": str(self.configuration), "LD_LIBRARY_PATH": libraries, "LC_ALL": "C"}
        return run(found[0], *options, environment={**os.environ, **own})


def run(*words: object, environment: dict[str, str] | None = None) -> str:
    """Run a command, or a daemon until it is in the background; its standard output, or an error with what it said."""
    command = [str(word) for word in words]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False, timeout=600
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise ClusterError(f"{Path(command[0]).name} ended with {done.returncode}: {said}")
    return done.stdout


def unpack(cluster: Cluster) -> None:
    """Fetch the packages and what they need that this machine lacks, and unpack them beside the folder."""
    packages = SLURM + (ACCOUNTING if cluster.accounting else [])
    done = cluster.packages / "unpacked.txt"
    if done.is_file() and set(packages) <= set(done.read_text().split()):
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise ClusterError("apt-get and dpkg are missing: SLURM is taken from Debian's or Ubuntu's packages")
    archives = cluster.packages / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    settings = ["-q", "-y", "-o", "DPkg::Lock::Timeout=300", "-o", f"Dir::Cache::archives={archives}"]
    fetch = ["apt-get", *settings, "--no-install-recommends", "--download-only", "--reinstall", "install", *packages]
    try:
        try:
            run(*fetch)
        except ClusterError:  # this machine's lists of packages are missing or old
            run("apt-get", "-q", "update")
            run(*fetch)
    except ClusterError as error:
        raise ClusterError(f"no packages {' '.join(packages)}: {error}") from error
    for archive in sorted(archives.glob("*.deb")):
        run("dpkg", "-x", archive, cluster.packages)
    shutil.rmtree(archives)
    for program in (cluster.packages / "usr" / "sbin").glob("*-wlm"):
        plain = program.with_name(program.name.removesuffix("-wlm"))
        plain.unlink(missing_ok=True)
        plain.symlink_to(program.name)
    done.write_text("\n".join(packages) + "\n")
    say(f"packages: unpacked in {cluster.packages}")


def memory_is_limited_by_cgroups() -> bool:
    """Whether cgroup v1 can be written here; v2 needs systemd with SLURM 22.05."""
    probe = Path("/sys/fs/cgroup/memory") / f"slurm_probe_{os.getpid()}"
    if not (Path("/sys/fs/cgroup/memory").is_mount() and Path("/sys/fs/cgroup/freezer").is_mount()):
        return False
    try:
        probe.mkdir()
    except OSError:
        return False
    probe.rmdir()
    return True


def slurm_conf(cluster: Cluster, *, cgroups: bool) -> str:
    """The cluster's slurm.conf."""
    folder, host = cluster.folder, socket.gethostname().split(".")[0]
    settings = {
        "ClusterName": "demo",
        "SlurmctldHost": f"{host}(127.0.0.1)",
        "SlurmctldPort": cluster.port,
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "PluginDir": cluster.plugins,
        "AuthType": "auth/munge",
        "CredType": "cred/munge",
        # a requeued job waits until its first credential is out of date, 120 s by default
        "AuthInfo": f"socket={cluster.socket('munge')},cred_expire=5",
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": folder / "spool" / "%n",
        "SlurmctldPidFile": folder / "run" / "slurmctld.pid",
        "SlurmdPidFile": folder / "run" / "%n.pid",
        "SlurmctldLogFile": folder / "log" / "slurmctld.log",
        "SlurmdLogFile": folder / "log" / "%n.log",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        # nodes may say that they have more processors and memory than the machine
        "SlurmdParameters": "config_overrides",
        "ReturnToService": 2,
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "DefMemPerCPU": 500,
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": "sched_min_interval=0,bf_interval=5,batch_sched_delay=0",
        # what no partition can ever run is refused when it is submitted, and does not wait for ever
        "EnforcePartLimits": "ALL",
        "SlurmdTimeout": 20,
        "KillWait": 10,
        # squeue tells of finished jobs for so long, which is how Snakemake learns of them
        "MinJobAge": 300,
        "JobAcctGatherType": "jobacct_gather/linux",
        "JobAcctGatherFrequency": "task=1",
    }
    if cgroups:
        settings |= {"ProctrackType": "proctrack/cgroup", "TaskPlugin": "task/cgroup"}
    else:
        settings |= {"ProctrackType": "proctrack/linuxproc", "TaskPlugin": "task/none"}
        settings |= {"JobAcctGatherParams": "OverMemoryKill"}
    if cluster.accounting:
        settings |= {
            "AccountingStorageType": "accounting_storage/slurmdbd",
            "AccountingStorageHost": "127.0.0.1",
            "AccountingStoragePort": cluster.port + 1,
            # commands that ask slurmdbd find munge's socket here only
            "AccountingStoragePass": cluster.socket("munge"),
            "AccountingStorageEnforce": "associations,qos",
            "AccountingStoreFlags": "job_comment",
        }
    has = f"CPUs={cluster.cpus} CoresPerSocket={cluster.cpus} RealMemory={cluster.memory} State=UNKNOWN"
    nodes = [f"NodeName=node{n} NodeHostname={host} NodeAddr=127.0.0.1 Port={n} {has}" for n in cluster.node_ports()]
    partition = "PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=2-0 State=UP"
    return "\n".join([*(f"{key}={value}" for key, value in settings.items()), *nodes, partition, ""])


CGROUP_CONF = """CgroupPlugin=cgroup/v1
CgroupMountpoint=/sys/fs/cgroup
ConstrainRAMSpace=yes
ConstrainSwapSpace=yes
AllowedSwapSpace=0
"""


def slurmdbd_conf(cluster: Cluster) -> str:
    """The cluster's slurmdbd.conf."""
    folder = cluster.folder
    return f"""AuthType=auth/munge
AuthInfo=socket={cluster.socket("munge")}
PluginDir={cluster.plugins}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={cluster.port + 1}
SlurmUser=root
PidFile={folder}/run/slurmdbd.pid
LogFile={folder}/log/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={cluster.port + 2}
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
"""


def write_folder(cluster: Cluster) -> None:
    """An empty folder with configuration and commands."""
    if cluster.folder.exists():
        shutil.rmtree(cluster.folder)
    for name in ("bin", "etc", "log", "run", "spool", "state", "munge", "mariadb"):
        (cluster.folder / name).mkdir(parents=True, mode=0o755)
    (cluster.folder / "munge").chmod(0o700)
    cgroups = memory_is_limited_by_cgroups()
    cluster.configuration.write_text(slurm_conf(cluster, cgroups=cgroups))
    if cgroups:
        cluster.configuration.with_name("cgroup.conf").write_text(CGROUP_CONF)
    if cluster.accounting:
        slurmdbd = cluster.configuration.with_name("slurmdbd.conf")
        slurmdbd.write_text(slurmdbd_conf(cluster))
        slurmdbd.chmod(0o600)
    for name in COMMANDS:
        command = cluster.folder / "bin" / name
        command.write_text(f"""#!/bin/sh
export SLURM_CONF='{cluster.configuration}'
export LD_LIBRARY_PATH='{cluster.libraries}'"${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
exec '{cluster.packages}/usr/bin/{name}' "$@"
""")
        command.chmod(0o755)
