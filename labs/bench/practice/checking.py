"""Runs a lab's checks on a file, in a process of its own, and says what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from bench.course import COURSE, LABS
from bench.practice.folders import Lab
from bench.practice.printed_outcomes import (
    STUCK,
    UNREADABLE,
    Check,
    Closed,
    Correct,
    Incorrect,
    Raised,
    State,
)

Checked = Raised | Incorrect | Correct | Closed
"""What can come of running the checks."""

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
    checks: dict[str, Check] = {}
    outcome: Checked | None = None
    with pytest_of(lab, file, limit) as (output, out_of_time):
        said = []
        for line in output:
            if not line.startswith("{"):
                said.append(line)
                continue
            event = json.loads(line)
            if "checks" in event:
                checks = {name: Check(name, title) for name, title in event["checks"]}
                continue
            outcome, state = understood(lab, event)
            if state != "not reached yet":
                checks[event["check"]] = check = replace(checks[event["check"]], state=state)
                if tell:
                    tell(check)
            if outcome:
                break
    if outcome is None and out_of_time.is_set():
        open_checks = [check for check in checks.values() if check.state != "passed"]
        if open_checks:
            check = replace(open_checks[0], state="failed")
            checks[check.name] = check
            if tell:
                tell(check)
        outcome = Incorrect(lab.name, STUCK.format(limit=limit))
    elif outcome is None and checks and all(c.state == "passed" for c in checks.values()):
        outcome = Correct(lab.name, f"All {len(checks)} checks pass. {lab.reason()}")
    elif outcome is None:
        last = next((line.strip() for line in reversed(said) if line.strip()), "pytest ended.")
        outcome = Closed(lab.name, last)
    return replace(outcome, checks=tuple(checks.values()))


def understood(lab: Lab, event: dict[str, Any]) -> tuple[Checked | None, State]:
    """An event's outcome, None for a passed check, and the state that the check has now."""
    match event["result"]:
        case "passed":
            return None, "passed"
        case "failed":
            return Incorrect(lab.name, event["message"]), "failed"
        case "raised":
            message = f"{event['raised']}: {event['message']}".removesuffix(": ")
            code = f"line {event['line']}: {event['code']}" if event["line"] else ""
            raised = Raised(lab.name, message, code)
            return raised, "raised" if event["during"] else "not reached yet"
        case _:
            return Closed(lab.name, event["message"]), "not reached yet"


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


def unreadable(lab: Lab, file: Path) -> Raised | None:
    """Why Python cannot read the file, without running it; None when it can."""
    try:
        source = file.read_text(encoding="utf-8")
        compile(source, file.name, "exec")
    except SyntaxError as error:
        lines = source.splitlines()
        number = error.lineno or 0
        code = f"line {number}: {lines[number - 1].strip()}" if 0 < number <= len(lines) else ""
        kind = type(error).__name__  # it may be an IndentationError
        return Raised(lab.name, UNREADABLE.format(problem=f"{kind}: {error.msg}"), code)
    except ValueError as error:  # a null character, or not UTF-8
        return Raised(lab.name, UNREADABLE.format(problem=error))
    return None
