"""Who may import whom."""

import subprocess
import sys
from pathlib import Path

from tests.house.sources import ROOT


def test_every_import_respects_the_layers() -> None:
    """One import across the layers today is a knot next year; the contracts are in pyproject.toml."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
