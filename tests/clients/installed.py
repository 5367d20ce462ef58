"""Where the other clients are, and how their programs are run: each in a process of its own, for they cannot live in one environment.

`make clients` installs them under `.cache/clients`. A test that needs one which is missing says so and is skipped.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = Path(__file__).parent / "programs"
CLIENTS = Path(__file__).resolve().parents[2] / ".cache" / "clients"
RUN_S = 100
"""Far more than a program takes, for a machine that is busy with other tests."""


def run(*command: object, given: str | None = None) -> Any:
    """What a program prints, as JSON."""
    done = subprocess.run([str(part) for part in command], input=given, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def typescript(client: str) -> tuple[str, Path]:
    """Node, and where a client for it is; skips where one is missing."""
    program, folder = shutil.which("node"), CLIENTS / client
    if program is None:
        pytest.skip("there is no Node on this machine")
    _there(client)
    return program, folder


def python(client: str) -> Path:
    """The interpreter of a client's environment; skips where there is none."""
    _there(client)
    return CLIENTS / client / "bin" / "python"


def this_python() -> str:
    """The interpreter that has the Python client of today."""
    return sys.executable


def curl() -> str:
    """curl; skips where there is none."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("there is no curl on this machine")
    return program


def _there(client: str) -> None:
    if not (CLIENTS / client / ".made").exists():
        pytest.skip(f"{client} is not installed; make clients does it")
