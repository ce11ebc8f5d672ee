"""Compiles the counting kernel when tessera is installed; an install without a compiler counts with numpy instead."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCE = Path("scripts/tessera/cohort/kernel.c")
LIBRARY = SOURCE.with_name("libkernel.so")
FLAGS = ["-O3", "-shared", "-fPIC", "-s"]


def system_compiler() -> str | None:
    """The C compiler of this machine: $CC, or the first on PATH."""
    names = (os.environ.get("CC"), "cc", "gcc", "clang")
    return next((found for name in names if name and (found := shutil.which(name))), None)


def zig_target() -> list[str]:
    """Any Linux with glibc 2.17 or newer runs what zig links for it."""
    linux = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
    return ["-target", f"{platform.machine()}-linux-gnu.2.17"] if linux else []


class KernelBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts libkernel.so beside its source, in a wheel and in an editable install alike."""

    def dependencies(self) -> list[str]:
        """The compiler out of a wheel, where the machine has none."""
        return [] if system_compiler() else ["ziglang==0.15.1"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; say why, and go on without, when that fails."""
        compiler = system_compiler()
        command = [compiler] if compiler else [sys.executable, "-m", "ziglang", "cc", *zig_target()]
        aside = Path(self.root) / LIBRARY.with_name(f"libkernel.{os.getpid()}.so")
        try:
            subprocess.run([*command, *FLAGS, "-o", aside, Path(self.root) / SOURCE], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            self.app.display_warning(f"the counting kernel was not built ({error}); the reference engine counts")
            return
        aside.replace(Path(self.root) / LIBRARY)
        build_data["artifacts"].append(str(LIBRARY))
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
