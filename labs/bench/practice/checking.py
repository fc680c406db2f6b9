"""Runs a lab's checks on a file, in a process of its own, and says what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bench.course import COURSE, LABS
from bench.practice.folders import Lab
from bench.practice.judgements import Checked, Judgement, unreadable
from bench.practice.printed_outcomes import STUCK, Check

LIMIT = 120.0  # seconds: some six on a quiet machine


def run_checks(
    lab: Lab,
    file: Path,
    tell: Callable[[Check], object] | None = None,
    limit: float = LIMIT,
) -> Checked:
    """Run the checks on `file`, one after the other, until one fails.

    Starts a pytest, a PostgreSQL (or a database on the server of DATABASE_URL) and a uvicorn; all
    are gone at the end, after `limit` seconds at the latest. `tell` is called with each check as
    it is finished. The file runs as it is and stays unchanged.
    """
    if problem := unreadable(lab, file):
        return problem
    judgement = Judgement(lab, tell)
    with pytest_of(lab, file, limit) as (output, out_of_time):
        said = []
        for line in output:
            if not line.startswith("{"):
                said.append(line)
            elif judgement.hear(json.loads(line)):
                break
    if out_of_time.is_set():
        return judgement.stuck(STUCK.format(limit=limit))
    words = (line.strip() for line in reversed(said) if line.strip())
    return judgement.at_the_end(next(words, "pytest ended."))


@contextmanager
def pytest_of(lab: Lab, file: Path, limit: float) -> Iterator[tuple[IO[str], threading.Event]]:
    """What the pytest of a lab prints, and an event: it ran out of time and was killed.

    The servers that it started notice its end and leave (`serving` and `supervisor` of
    `bench.servers`).
    """
    options = ["-c", COURSE / "pyproject.toml", "--rootdir", lab.folder, "--assert=plain", "-x"]
    plugins = [
        "-p",
        "bench.practice.pytest_plugin",
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "-s",
    ]
    command = [sys.executable, "-m", "pytest", *plugins, *options, lab.folder / "test_lab.py"]
    path = os.pathsep.join([str(LABS), os.environ.get("PYTHONPATH", "")])
    env = os.environ | {
        "LAB_FILE": str(file.resolve()),
        "LAB_REPORT": "1",
        "LAB_LIMIT": str(limit),
        "PYTEST_ADDOPTS": "",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # else two files of one second and one size are one file
        "PYTHONPATH": path.rstrip(os.pathsep),
        "PYTHONUTF8": "1",
    }
    out_of_time = threading.Event()
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=env,
        cwd=lab.folder,
    )

    assert process.stdout is not None  # it is a pipe

    def give_up() -> None:
        out_of_time.set()
        process.kill()

    alarm = threading.Timer(limit, give_up)
    alarm.start()
    try:
        yield process.stdout, out_of_time
        alarm.cancel()
        process.stdout.read()  # it closes the laboratory
        process.wait()
    finally:
        alarm.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
