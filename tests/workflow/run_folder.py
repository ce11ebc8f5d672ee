"""A folder in which the workflow runs, as an operator's working directory."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


class RunFolder:
    """A working directory with the repository's config/ in it."""

    def __init__(self, folder: Path, configuration: str, *, environment: dict[str, str] | None = None) -> None:
        self.folder, self.configuration = folder, configuration
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT / "scripts"), **(environment or {})}
        (folder / "config").symlink_to(ROOT / "config")

    def call(self, command: list[str]) -> str:
        """Run a command in the folder; its output, all of it."""
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, env=self._environment, timeout=900
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout + done.stderr

    def snakemake(self, *arguments: str) -> str:
        """Run the workflow with the profile of `make demo`."""
        profile = str(ROOT / "workflow" / "profiles" / "demo")
        workflow = ["--snakefile", str(ROOT / "Snakefile"), "--profile", profile]
        return self.call([sys.executable, "-m", "snakemake", *workflow, "--configfile", self.configuration, *arguments])

    def tessera(self, *arguments: str) -> str:
        """Run a tessera command; its standard output and error."""
        return self.call([sys.executable, "-m", "tessera", *arguments])

    def read(self, path: str) -> bytes:
        """A result."""
        return (self.folder / "results" / path).read_bytes()
