"""The Python of the course keeps ruff's format and rules; CONTRIBUTING says which."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.course import COURSE


@pytest.mark.parametrize("command", ["check", "format --check --diff"])
def test_ruff_has_nothing_to_say(command: str) -> None:
    ruff = [sys.executable, "-m", "ruff", *command.split(), "--no-cache", "."]
    done = subprocess.run(ruff, cwd=COURSE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"Run `ruff {command.split()[0]} .`:\n{done.stdout}{done.stderr}"
