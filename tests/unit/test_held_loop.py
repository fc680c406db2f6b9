"""Which lines the watcher of a submission's loop names: those that wait on its thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.course import LABS

SUBMITTED = """
import asyncio, time
from bench.practice.held_loop import watch

told = []
watch(__file__, told.append)


async def waits():
    await asyncio.sleep(0.4)


async def works():
    end = time.thread_time() + 0.3
    while time.thread_time() < end:
        pass


async def starts_a_helper():
    await asyncio.to_thread(time.sleep, 0.4)


async def holds():
    time.sleep(1)
"""
RUN = "import asyncio, submitted as s; asyncio.run(s.{name}()); print(s.told)"


def told(tmp_path: Path, name: str) -> str:
    file = tmp_path / "submitted.py"
    file.write_text(SUBMITTED, encoding="utf-8")
    command = [sys.executable, "-c", RUN.format(name=name)]
    path = os.pathsep.join([str(tmp_path), str(LABS)])
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    return done.stdout.strip()


def test_who_waits_without_await_is_named_once(tmp_path: Path) -> None:
    line = SUBMITTED.splitlines().index("    time.sleep(1)") + 1
    assert told(tmp_path, "holds") == f"[{line}]"


def test_who_awaits_or_works_holds_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, "waits") == "[]"
    assert told(tmp_path, "starts_a_helper") == "[]"
    if sys.platform == "linux":  # where a thread's own work can be read
        assert told(tmp_path, "works") == "[]"
