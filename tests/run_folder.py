"""A folder in which the workflow runs, as an operator's working directory."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


class RunFolder:
    """A working directory with the repository's config/ in it."""

    def __init__(self, folder: Path, configuration: str, *, environment: dict[str, str] | None = None) -> None:
        self.folder, self.configuration = folder, configuration
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), **(environment or {})}
        (folder / "config").symlink_to(ROOT / "config")

    def call(self, command: list[str], *, fails: bool = False) -> str:
        """Run a command in the folder; its output, all of it."""
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, env=self.environment, timeout=900
        )
        assert (done.returncode != 0) is fails, (done.stdout + done.stderr)[-6000:]
        return done.stdout + done.stderr

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """Run the workflow with the profile of `make demo`."""
        profile = str(ROOT / "workflow" / "profiles" / "demo")
        workflow = ["--snakefile", str(ROOT / "Snakefile"), "--profile", profile, "--configfile", self.configuration]
        return self.call([sys.executable, "-m", "snakemake", *workflow, *arguments], fails=fails)

    def made(self, *arguments: str) -> Counter[str]:
        """Run the workflow; rule -> jobs that it carried out, or would with `--dry-run`, without those that collect."""
        return self.jobs(self.snakemake("--quiet", "host", *arguments))

    @staticmethod
    def jobs(said: str) -> Counter[str]:
        """Rule -> jobs that Snakemake told of, without those that collect."""
        jobs = Counter(re.findall(r"^ *(?:local)?rule (\w+):$", said, re.MULTILINE))
        del jobs["all"]
        return jobs

    def tessera(self, *arguments: str) -> str:
        """Run a tessera command; its standard output and error."""
        return self.call([sys.executable, "-m", "tessera", *arguments])

    def read(self, path: str) -> bytes:
        """A result."""
        return (self.folder / "results" / path).read_bytes()
