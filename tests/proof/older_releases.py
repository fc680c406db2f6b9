"""Since when is it true? The probes of tests/proof/probes, run on older releases from pip.

Each set of requirements gets an environment of its own below .proof/; what the probes print goes to
book/since-when-runs.json, with the date. What this machine cannot run keeps what it said last.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from since_when import RUNS, Row, rows, runs

from bench.course import COURSE

PROBES = COURSE / "tests" / "proof" / "probes"
SECONDS = 60


def say(row: Row, python: str = sys.executable) -> str:
    """The last line that the row's probe prints with that interpreter's packages."""
    command = [python, *row.probe.split()]
    try:
        done = subprocess.run(command, cwd=PROBES, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"no answer in {SECONDS} s"
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[-1] if lines else "nothing"


def other_python(minor: str) -> str | None:
    """The interpreter of that Python ("3.12"), where this machine has it: by pyenv, or on PATH."""
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{minor}.*/bin/python"))
    return str(pyenv[-1]) if pyenv else shutil.which(f"python{minor}")


def environment(requirements: str, below: Path) -> str:
    """The interpreter of an environment with those requirements; made when it is first needed.

    Raises CalledProcessError when pip does not have them any more.
    """
    home = below / re.sub(r"[^\w.]+", "-", f"since-{requirements}")
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for step in [sys.executable, "-m", "venv", str(home)], [*pip, *requirements.split()]:
            subprocess.run(step, check=True, capture_output=True, text=True)
        (home / "ready").touch()
    return str(python)


def python_of(name: str, below: Path) -> str | None:
    """What runs a probe for `name`, one of `others`; None: this machine has no such Python."""
    language, _, minor = name.partition(" ")
    return other_python(minor) if language == "python" else environment(name, below)


def disagreements(below: Path, only: str = "") -> Iterator[str]:
    """Run the probes everywhere and keep what they say; yield what differs from the table.

    `only`: those of the rows with this in their id.
    """
    found = runs()
    for row in rows():
        if not row.probe or only not in row.id:
            continue
        try:
            pythons = {name: python_of(name, below) for name in row.others}
        except subprocess.CalledProcessError as error:
            yield f"{row.id}: {' '.join(error.cmd[-4:])} failed:\n{error.stderr[-1000:]}"
            continue
        missing = [name for name, python in pythons.items() if python is None]
        if missing:
            print(f"  {row.id}: not run, this machine has no {', '.join(missing)}", flush=True)
            continue
        said = {name: say(row, python) for name, python in pythons.items() if python}
        print(f"  {row.id}: {said}", flush=True)
        found[row.id] = {"ran": date.today().isoformat(), "said": said}
        if said != row.others:
            yield f"{row.id}: the table has {row.others}, the probes say {said}"
        RUNS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
