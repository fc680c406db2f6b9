"""The course on the other Pythons that it promises to run on."""

from __future__ import annotations

import os

from bench.course import COURSE
from memory import HOME, Memory, fingerprint
from older_releases import other_python
from running import THE_INSTRUMENTS, pytest, run


def pythons(memory: Memory) -> list[str]:
    """a fresh environment, the notebooks and the instrument tests on Python 3.12 and 3.13"""
    problems = []
    for minor in "3.12", "3.13":
        if not (python := other_python(minor)):
            continue
        print_ = fingerprint(minor, (COURSE / "constraints.txt").read_text())
        if memory.has(f"python {minor}", print_):
            print(f"  {minor} known")
            continue
        home = HOME / f"venv-{minor}"
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "-q"]
        steps = [
            [python, "-m", "venv", str(home)],
            [*pip, "-r", "requirements-proof.txt", "-c", "constraints.txt"],
            [
                str(home / "bin" / "python"),
                *pytest("--nbval", *THE_INSTRUMENTS, "notebooks")[1:],
            ],
        ]
        for step in steps:
            ok, output = run(step, PATH=f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
            if not ok:
                problems.append(f"Python {minor}: {' '.join(step[:6])} …\n{output[-3000:]}")
                print(f"  {minor} RED", flush=True)
                break
        else:
            memory.add(f"python {minor}", print_)
            print(f"  {minor} green", flush=True)
    return problems
