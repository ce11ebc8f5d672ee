"""The workflow in a folder, on a SLURM cluster of this machine."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from run_folder import ROOT, RunFolder

SCRIPT = ROOT / "scripts" / "slurm_cluster.py"
#: seconds; what takes longer is stuck, also on a busy machine
PATIENCE = 120
#: a `tessera` that waits, when it measures iva, until a file is there
WAITS = 'case "$*" in *"--sample iva "*) while [ ! -e go ]; do sleep 0.1; done;; esac'


@contextmanager
def bring_up(folder: Path, *options: str) -> Iterator[Path]:
    """A cluster for a while."""
    words = [sys.executable, str(SCRIPT)]
    up = subprocess.run([*words, "up", "--folder", str(folder), *options], capture_output=True, text=True, timeout=600)
    assert up.returncode == 0, up.stderr
    try:
        yield folder
    finally:
        subprocess.run([*words, "down", "--folder", str(folder)], check=True, timeout=60)


def site(kind: int) -> str:
    """The settings of one of the three kinds of site in the example, as the demo needs them."""
    text = (ROOT / "slurm" / "site.example.yaml").read_text()
    beginnings = re.split(r"^# \d\. .*\n", text.split("# Scratch of a node")[0], flags=re.MULTILINE)
    chosen = re.sub(r"^# ?", "", beginnings[kind], flags=re.MULTILINE)
    demo = re.sub(r"^# ?", "", text.split("# what the demo needs")[1].split("\n", 1)[1], flags=re.MULTILINE)
    named = chosen.replace("ACCOUNT", "demo").replace("PARTITION", "main").replace("QOS", "quick")
    # polls come sooner than on a cluster that others use
    return f"{named}\n{demo}\nmax-threads: 1\nslurm-init-seconds-before-status-checks: 3\n"


def wait_until(ready: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"waited {seconds} s in vain until {what}"
        time.sleep(0.2)


class OnSlurm(RunFolder):
    """A run folder whose jobs go to a cluster; its commands (squeue, sacct ...) are on PATH."""

    def __init__(self, folder: Path, cluster: Path, settings: str, configuration: str, **always: object) -> None:
        path = f"{folder / 'bin'}:{cluster / 'bin'}:{os.environ['PATH']}:{Path(sys.executable).parent}"
        super().__init__(folder, configuration, environment={"PATH": path})
        self.cluster, self.always = cluster, always
        self.set_site(settings)

    def set_site(self, settings: str, **more: object) -> None:
        """The site's file, some of it replaced."""
        (self.folder / "site.yaml").write_text(yaml.safe_dump(yaml.safe_load(settings) | self.always | more))

    @property
    def words(self) -> list[str]:
        """What a user adds to `snakemake --profile slurm` or `sbatch slurm/launch.sbatch`."""
        return ["--workflow-profile", "site.yaml", "--configfile", self.configuration]

    def command(self, *targets: str) -> list[str]:
        """`snakemake --profile slurm`, which never lasts for ever."""
        profile = ["--snakefile", str(ROOT / "Snakefile"), "--profile", str(ROOT / "slurm")]
        return ["timeout", "800", sys.executable, "-m", "snakemake", *profile, *targets, *self.words]

    def on_slurm(self, *targets: str) -> str:
        """Run the workflow on the cluster; what it says."""
        return self.call(self.command(*targets))

    @contextmanager
    def started(self, *targets: str) -> Iterator[subprocess.Popen[str]]:
        """The same in the background; interrupted where a test is over before its end."""
        with subprocess.Popen(
            self.command(*targets),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def launch(self, *targets: str) -> str:
        """Submit the controller as a job; its number."""
        ask = ["--parsable", "--mem=1G", "--time=20", "--cpus-per-task=1"]
        return self.call(["sbatch", *ask, str(ROOT / "slurm" / "launch.sbatch"), *targets, *self.words]).strip()

    def state(self, job: str) -> str:
        """What squeue says of a job, finished ones too."""
        return self.call(["squeue", "--noheader", "--states=all", "--jobs", job, "--format=%T"]).strip()

    def ended(self, job: str) -> str:
        """Wait for the end of a controller; the last summary that it wrote."""
        over = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT")
        wait_until(lambda: self.state(job) in over, f"job {job} ends: {self.said(job)[-3000:]}")
        return (self.folder / f"tessera-{job}.txt").read_text()

    def said(self, job: str) -> str:
        """The log of a controller."""
        log = self.folder / f"tessera-{job}.log"
        return log.read_text() if log.exists() else ""

    def queue(self) -> list[list[str]]:
        """Number, state, node and name of the jobs that wait or run here."""
        lines = self.call(["squeue", "--noheader", "--format=%A|%T|%N|%j|%Z"]).splitlines()
        return [job[:4] for line in lines for job in [line.split("|")] if job[4] == str(self.folder)]

    def submitted(self) -> list[list[str]]:
        """The same of what a controller submitted."""
        return [job for job in self.queue() if job[3].startswith("tessera_")]

    def accounted(self, fields: str) -> list[list[str]]:
        """What sacct says of every job of this folder, in the order of submission."""
        words = ["sacct", "-X", "-n", "-P", "--duplicates", f"--format=JobIDRaw,WorkDir,{fields}"]
        lines = [line.split("|") for line in self.call(words).splitlines()]
        return [line[2:] for line in sorted(lines, key=lambda line: int(line[0])) if line[1] == str(self.folder)]

    # ---- two people, and a tessera that misbehaves

    @classmethod
    def of_two_people(cls, folder: Path, cluster: Path, settings: str, nation: Path) -> "OnSlurm":
        """iva and jon of birch, each with a gVCF that is measured without a reference: one job for each person."""
        (folder / "nation").symlink_to(nation)
        header, *rows = (nation / "birch.tsv").read_text().splitlines()
        two = [row.replace("gvcf/", f"{nation}/gvcf/") for row in rows if row.startswith(("iva\t", "jon\t"))]
        (folder / "two.tsv").write_text("\n".join([header, *two, ""]))
        configuration = {"build": "nation/build.yaml", "nodes": {"birch": {"samples": "two.tsv"}}, "tools": "path"}
        (folder / "two.yaml").write_text(yaml.safe_dump(configuration | {"assume_normalised": True}))
        return cls(folder, cluster, settings, "two.yaml", **{"group-components": {"person": 1}})

    def metrics(self, sample: str) -> str:
        """What a person's job makes."""
        return f"results/birch/private/qc/variants/{sample}.tsv"

    def misbehave(self, how: str) -> None:
        """Put a `tessera` on PATH that does something first; what it is called with is listed in `calls`."""
        (self.folder / "bin").mkdir(exist_ok=True)
        shim = self.folder / "bin" / "tessera"
        call = f'exec "{sys.executable}" -m tessera "$@"'
        shim.write_text(f'#!/bin/bash\ncd "{self.folder}"\necho "$*" >> calls\n{how}\n{call}\n')
        shim.chmod(0o755)

    def calls_of(self, sample: str) -> int:
        """How often tessera was asked to measure a person."""
        calls = self.folder / "calls"
        return len(re.findall(rf"--sample {sample} ", calls.read_text())) if calls.exists() else 0


def kill_job(cluster: Path, job: str) -> None:
    """What an administrator, or a lack of memory, does: the processes of a job are gone, without a signal before."""
    signs = {f"SLURM_JOB_ID={job}".encode(), f"SLURM_CONF={cluster}/etc/slurm.conf".encode()}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if signs <= set((process / "environ").read_bytes().split(b"\0")):
                os.kill(int(process.name), signal.SIGKILL)


def kill_node(cluster: Path, node: str) -> None:
    """What a power cut does: slurmd, its jobs' keepers and their processes are gone at once."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            of_job = f"SLURMD_NODENAME={node}".encode() in (process / "environ").read_bytes().split(b"\0")
            of_slurm = (process / "exe").readlink().is_relative_to(cluster.parent / "packages")
            log = cluster / "log" / f"{node}.log"
            if of_job or (of_slurm and any(file.readlink() == log for file in (process / "fd").iterdir())):
                os.kill(int(process.name), signal.SIGKILL)
