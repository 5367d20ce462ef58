"""Programs of others that ask our server: where they are, and what happens if they are not there."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".cache" / "interop"
"""Where `make interop` puts them."""


def program(name: str) -> str:
    """A program that `make interop` or the system has installed; skips where there is none."""
    found = shutil.which(name, path=f"{INSTALLED}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"{name} is not on this machine; make interop installs it where it can")
    return found


def run(*command: object, timeout_s: float = 100) -> "subprocess.CompletedProcess[str]":
    """Run to the end; what it says."""
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout_s, check=False)
