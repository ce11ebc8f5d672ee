"""SLURM clusters on this machine, each brought up once, and folders in which the workflow runs on them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from on_slurm import ROOT, OnSlurm, bring_up, site


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without root or Debian's packages there is no cluster: skipped on a laptop, and a failure in CI."""
    missing = [
        *(["root"] if os.geteuid() != 0 else []),
        *(name for name in ("apt-get", "dpkg") if shutil.which(name) is None),
    ]
    if missing and os.environ.get("CI", "").lower() != "true":
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=f"no SLURM cluster without {' and '.join(missing)}"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """The folder of a cluster of three nodes, with accounts."""
    with bring_up(ROOT / ".slurm" / "tests", "--nodes", "3", "--port", "26840") as folder:
        yield folder


@pytest.fixture(scope="session")
def without_accounting() -> Iterator[Path]:
    """The folder of a cluster of two nodes, without slurmdbd."""
    with bring_up(ROOT / ".slurm" / "tests-without", "--without-accounting", "--port", "26860") as folder:
        yield folder


@pytest.fixture(scope="session")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic nation; tests only read it."""
    folder = tmp_path_factory.mktemp("grown") / "nation"
    subprocess.run([sys.executable, ROOT / "seeds" / "grow.py", folder], check=True)
    return folder


@pytest.fixture
def two(cluster: Path, grown: Path, tmp_path: Path) -> OnSlurm:
    """A folder with two people's gVCFs, whose jobs go to the cluster."""
    return OnSlurm.of_two_people(tmp_path, cluster, site(1), grown)
