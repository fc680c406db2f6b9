"""Run a command or tests in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.course import COURSE

THE_INSTRUMENTS = "tests/unit", "tests/servers"  # and what the course builds with them


def run(command: list[str], *, cwd: Path = COURSE, **environment: str) -> tuple[bool, str]:
    """Whether it ended well, and all that it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    return done.returncode == 0, done.stdout + done.stderr


def pytest(*arguments: str) -> list[str]:
    """The command that runs those tests and stops at the first red one."""
    return [sys.executable, "-m", "pytest", "-q", "-x", *arguments]


def complaints_of(name: str, command: list[str], **environment: str) -> list[str]:
    """Nothing, or the end of what the command said, under that name."""
    ok, output = run(command, **environment)
    return [] if ok else [f"{name}:\n{output[-3000:]}"]
