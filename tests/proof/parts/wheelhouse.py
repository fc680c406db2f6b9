"""The course installed without a network, from a folder of wheels, as the README says."""

from __future__ import annotations

import sys

from bench.course import COURSE
from memory import HOME, Memory, fingerprint
from running import complaints_of

WHAT = "-r", "requirements.txt", "-c", "constraints.txt"


def wheelhouse(memory: Memory) -> list[str]:
    """the README's two lines: a folder of wheels, then an environment from it with no index"""
    asked = [(COURSE / name).read_text() for name in WHAT[1::2]]
    print_ = fingerprint(*asked, folders=("labs",))
    if memory.has("wheelhouse", print_):
        print("  known")
        return []
    wheels, home = HOME / "wheelhouse", HOME / "venv-wheelhouse"
    python = str(home / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    steps = (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [*pip, "wheel", *WHAT, "-w", str(wheels)],
        [*pip, "install", "--no-index", "--find-links", str(wheels), *WHAT],
        [python, "labs/evidence/05/cached_plan.py"],
    )
    for step in steps:
        problems = complaints_of("wheelhouse", step, PYTHONPATH="")
        if problems:
            return problems
    memory.add("wheelhouse", print_)
    return []
