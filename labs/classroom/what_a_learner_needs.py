"""What one learner needs of a machine, lesson by lesson: memory and processor time.

    python labs/classroom/what_a_learner_needs.py               every lesson
    python labs/classroom/what_a_learner_needs.py 04 05         these lessons

Each notebook runs once, in a kernel of its own, as it does for a learner who presses "Run all".
Five times a second the memory of its kernel and of all below it is added up: PostgreSQL, web
servers, and what the experiments start. Memory is PSS: what processes share is counted once.
Linux alone tells it. Run it on a machine that does nothing else; the numbers are of one run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from bench.course import COURSE, LABS, lesson_texts

PAUSE = 0.2
MB = 2**20
OPEN = 3  # notebooks that a learner has open, each with its kernel and its PostgreSQL
LEARNERS, CORES, MEMORY = 200, 16, 64  # a class on a hub; cores and GB of one of its machines
KEPT_FREE = 0.1  # of a machine's memory, for its own programs
RUN = """
import resource, sys, refresh
from pathlib import Path
refresh.run(refresh.from_text(Path(sys.argv[1])))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(LABS), str(COURSE / "notebooks")])}


def kind(command: list[str]) -> str:
    words = " ".join(command)
    if "ipykernel" in words:
        return "kernel"
    if command and "postgres" in command[0]:
        return "PostgreSQL"
    return "others"


def memory_of(processes: list[psutil.Process]) -> Counter[str]:
    """Bytes by kind; a process that ends meanwhile is left out."""
    found: Counter[str] = Counter()
    for one in processes:
        try:
            found[kind(one.cmdline())] += one.memory_full_info().pss
        except psutil.Error:
            continue
    return found


def lesson(text: Path) -> tuple[float, float, Counter[str], int]:
    """Seconds, processor seconds, the memory when it was largest, and the most processes."""
    began = time.perf_counter()
    most, processes = Counter[str](), 0
    command = [sys.executable, "-c", RUN, str(text)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as run:
        top = psutil.Process(run.pid)
        while run.poll() is None:
            below = top.children(recursive=True)
            now = memory_of(below)
            most = max(most, now, key=Counter.total)
            processes = max(processes, len(below))
            time.sleep(PAUSE)
        assert run.stdout
        said = run.stdout.read()
    if run.returncode:
        raise SystemExit(f"{text.stem} does not run here, see above.")
    return time.perf_counter() - began, float(said), most, processes


def jupyterlab() -> int:
    """Bytes of JupyterLab's own server without a kernel, once it grows no more."""
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--port=0", "--allow-root"]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=COURSE, stdout=quiet, stderr=quiet) as server:
        try:
            process = psutil.Process(server.pid)
            seen = [0]
            while not process.net_connections(kind="tcp") or seen[-1] > min(seen[-10:]) + MB:
                seen.append(memory_of([process, *process.children(recursive=True)]).total())
                time.sleep(PAUSE)
            return seen[-1]
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="numbers such as 04; all without one")
    chosen = tuple(parser.parse_args().lessons) or ("0",)
    print("lesson   seconds  processor  memory   kernel  PostgreSQL  others  processes")
    processor, sizes = 0.0, [0, 0]
    for text in lesson_texts():
        if not text.name.startswith(chosen):
            continue
        seconds, used, memory, processes = lesson(text)
        kinds = [memory[name] // MB for name in ("kernel", "PostgreSQL", "others")]
        print(
            f"{text.name[:2]:>6} {seconds:8.0f} s {used:8.0f} s {memory.total() // MB:4} MB"
            "  {:4} MB     {:4} MB {:4} MB".format(*kinds)
            + f" {processes:10}",
            flush=True,
        )
        processor = max(processor, used)
        sizes = sorted([*sizes, memory.total()])
    server = jupyterlab()
    each = server + sizes[-1] + (OPEN - 1) * sizes[-2]
    seats = int(MEMORY * 2**30 * (1 - KEPT_FREE)) // each
    together = seats * processor / CORES
    print(f"""
JupyterLab's own server: {server // MB} MB.
One learner with {OPEN} notebooks open, of which one is the largest: {each // MB} MB.

A machine with {CORES} cores and {MEMORY} GB has memory for {seats} such learners.
If they all press Run all at once, its cores are busy for {together:.0f} s.
{LEARNERS} learners need {-(-LEARNERS // seats)} such machines for their memory.""")


if __name__ == "__main__":
    main()
