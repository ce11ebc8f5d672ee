"""The same rules with native tools from PATH, as a site brings them, give the same counts as those out of wheels."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from run_folder import ROOT, RunFolder

TOOLS = ("samtools", "bcftools", "bwa")


def test_the_demo_is_right_with_another_aligner_and_the_tools_of_the_system(tmp_path: Path) -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and os.environ.get("CI", "").lower() == "true":
        pytest.fail(f"{', '.join(missing)}: not on PATH; .ci/run installs them")
    if missing:
        pytest.skip(f"{', '.join(missing)}: not on PATH")
    run = RunFolder(tmp_path, "nation/config.yaml")
    run.call([sys.executable, str(ROOT / "seeds" / "grow.py"), "nation"])
    run.snakemake("--config", "tools=path", "aligner=bwa")
    report = json.loads(run.read("federation/report.json"))
    assert set(report["comparisons"]) == {"federation", *report["nodes"]}
    log = run.read("alder/private/logs/align_lane/ada/L1.log").decode()
    assert "bwa mem" in log
