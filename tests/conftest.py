"""What tests share: public example data, native bcftools out of the wheel, our command line in this process, and how
hypothesis runs: without a deadline, for the first example pays for imports; in CI the same examples each time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from commands import Bcftools, Done, Tessera
from nation import Nation, grow

settings.register_profile("laptop", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")

ROOT = Path(__file__).parents[1]
BCFTOOLS = ROOT / "scripts" / "wheel_tools" / "bcftools"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public example data, $TESSERA_SHARED (default: `shared` beside the repository).

    Without it a test is skipped on a laptop and fails in CI: a check that never ran proves nothing.
    """
    folder = Path(os.environ.get("TESSERA_SHARED") or ROOT.parent / "shared")
    if not (folder / "data").is_dir():
        reason = f"no example data in {folder}: set TESSERA_SHARED to the folder that holds data/"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder / "data"


@pytest.fixture(scope="session")
def bcftools() -> Bcftools:
    """Call bcftools with these arguments; its standard output, or a failure with what it said."""

    def call(*arguments: object) -> str:
        words = [sys.executable, str(BCFTOOLS), *map(str, arguments)]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"bcftools {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    return call


@pytest.fixture
def tessera(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Tessera:
    """Run a tessera command in this process as `python -m tessera` does."""
    from tessera.cli import main

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["tessera", *map(str, arguments)])
        capsysbinary.readouterr()
        try:
            main()
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsysbinary.readouterr()
        return Done(code, captured.out, captured.err.decode())

    return run


@pytest.fixture(scope="session")
def nation(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    """The synthetic nation, grown, with birch and cedar counted; tests only read it."""
    return grow(tmp_path_factory.mktemp("nation"))
