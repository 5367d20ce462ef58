"""Compiles the search kernel while a wheel, or an editable installation, is built.

The library has no part of Python's in it: one for each platform serves every version. Without a compiler the wheel is made without it, and says so; searches
then go through faiss and numpy. CC names another compiler than `cc`.
"""

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNEL = Path("src/nearimage/engines/embedded/ann")
FLAGS = ["-O3", "-fPIC", "-shared", "-fvisibility=default"]


class KernelBuild(BuildHookInterface):  # type: ignore[type-arg] # hatchling's own classes are of no interest here
    """Makes `libnearimage.so` beside its sources."""

    def initialize(self, _version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the wheel after the platform."""
        folder = Path(self.root) / KERNEL
        library = folder / "libnearimage.so"
        command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, "-o", str(library), *map(str, sorted(folder.glob("*.c"))), "-lm"]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - what the user calls the compiler
        except (OSError, subprocess.CalledProcessError) as failed:
            self.app.display_warning(f"the search kernel was not compiled, searches take twice as long: {getattr(failed, 'stderr', None) or failed}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["artifacts"].append(str(KERNEL / library.name))
