"""The hunt for flakes: the same tests again and again on a machine that is busy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from memory import Memory
from running import THE_INSTRUMENTS, pytest, run

RUNS = 5


@contextmanager
def hogs(count: int) -> Iterator[None]:
    """`count` processes that burn one core each, as a busy laptop would."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def flakes(memory: Memory) -> list[str]:
    """notebooks, evidence and instrument tests five times, with two CPU hogs beside them"""
    together = "-n", "2", "--dist", "loadfile", "--nbval", "--nbval-cell-timeout=120"
    problems = []
    with hogs(2):
        for number in range(1, RUNS + 1):
            began = time.perf_counter()
            ok, output = run(pytest(*together, *THE_INSTRUMENTS, "notebooks"))
            seconds = time.perf_counter() - began
            print(f"  run {number}: {'green' if ok else 'RED'}, {seconds:.0f} s", flush=True)
            if not ok:
                print(output[-6000:], flush=True)
                problems.append(f"flake run {number}:\n{output[-3000:]}")
    return problems
