"""Since when is it true? The probes of tests/proof/probes, run on older releases from pip.

Each set of requirements gets an environment of its own below .proof/; what the probes print goes to
book/since-when-runs.json, with the date.
"""

from __future__ import annotations

import json
import re
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
    script, *arguments = row.probe.split()
    done = subprocess.run(
        [python, script, *arguments], cwd=PROBES, capture_output=True, text=True, timeout=SECONDS
    )
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[-1] if lines else "nothing"


def environment(requirements: str, below: Path) -> str:
    """The interpreter of an environment with those requirements; made when it is first needed.

    Raises CalledProcessError when pip does not have them any more.
    """
    home = below / re.sub(r"[^\w.]+", "-", f"since-{requirements}")
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        for step in [sys.executable, "-m", "venv", str(home)], [*pip, *requirements.split()]:
            subprocess.run(step, check=True, capture_output=True)
        (home / "ready").touch()
    return str(python)


def disagreements(below: Path) -> Iterator[str]:
    """Run every probe everywhere and keep what it says; yield what differs from the table."""
    found = runs()
    for row in rows():
        if not row.probe:
            continue
        said = {name: say(row, environment(name, below)) for name in row.others}
        print(f"  {row.id}: {said}", flush=True)
        found[row.id] = {"ran": date.today().isoformat(), "said": said}
        if said != row.others:
            yield f"{row.id}: the table has {row.others}, the probes say {said}"
        RUNS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
