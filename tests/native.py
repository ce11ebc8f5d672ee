"""Native tools that no wheel carries: bcftools with its plugins, and plink2, out of PATH."""

import os
import shutil
import subprocess
from collections.abc import Callable

import pytest


def native(tool: str) -> Callable[..., str]:
    """Call the tool with these arguments; its standard output, or a failure with what it said.

    Where the tool is not at hand the test is skipped on a laptop and fails in CI.
    """
    found = shutil.which(tool)
    if found is None or (tool == "bcftools" and "fill-tags" not in _said(found, "plugin", "-l")):
        reason = f"no {tool} in PATH, or one without plugins; Debian and conda have it"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(reason)
        pytest.skip(reason)

    def call(*arguments: object) -> str:
        done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, f"{tool} {' '.join(map(str, arguments))}: {done.stderr}"
        return done.stdout

    return call


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout
