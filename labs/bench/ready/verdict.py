"""Look, try, and say it: the command and the cell of a notebook that ask whether all is ready."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.ready import attempts
from bench.ready.attempts import NotReady
from bench.ready.machine import browser, look
from bench.ready.remarks import Remark

GREEN, PLAIN = "\033[32m", "\033[0m"


@dataclass(frozen=True)
class Verdict:
    """What was found, and what worked; `ready` when nothing stops the course."""

    remarks: tuple[Remark, ...]
    worked: tuple[str, ...]
    seconds: float

    @property
    def ready(self) -> bool:
        return not any(remark.stops for remark in self.remarks)

    def lines(self) -> list[str]:
        """Notes, then one line that says "Ready", or one for each thing that stops the course."""
        notes = [f"Note: {remark}" for remark in self.remarks if not remark.stops]
        stops = [f"Not ready: {remark}" for remark in self.remarks if remark.stops]
        green = f"Ready: {', '.join(self.worked)}. All of it took {self.seconds:.0f} s."
        return [*notes, *(stops or [green])]


async def check() -> Verdict:
    """Ask in a notebook's cell, and print the answer. Its kernel is the notebook that runs."""
    verdict = await _tried(look(without=(browser,)), time.perf_counter(), lambda step: None)
    print(*verdict.lines(), sep="\n")
    return verdict


def command() -> int:
    """Ask in a terminal: the answer on standard output, what is going on on standard error.

    Returns 0 when the course works here, 1 when something stops it.
    """
    began = time.perf_counter()

    def say(step: str) -> None:
        print(f"{step} …", file=sys.stderr, flush=True)

    say("Looking at this computer")
    verdict = asyncio.run(_tried(look(), began, say))
    if verdict.ready:
        say("Opening a notebook")
        try:
            worked, remarks = (*verdict.worked, attempts.notebook()), verdict.remarks
        except NotReady as problem:
            worked, remarks = verdict.worked, (*verdict.remarks, problem.remark)
        verdict = Verdict(remarks, worked, time.perf_counter() - began)
    lines = verdict.lines()
    if verdict.ready and _colours():
        lines[-1] = f"{GREEN}{lines[-1]}{PLAIN}"
    print(*lines, sep="\n")
    return 0 if verdict.ready else 1


async def _tried(found: list[Remark], began: float, say: Callable[[str], None]) -> Verdict:
    """Try a server and an experiment, unless the machine is known not to be able to."""
    worked: list[str] = []
    if not any(remark.stops for remark in found):
        try:
            say("Starting PostgreSQL (on Windows the first start can take a minute)")
            worked.append(await attempts.postgres())
            say("Running an experiment")
            worked.append(await asyncio.to_thread(attempts.experiment))
        except NotReady as problem:
            found = [*found, problem.remark]
    return Verdict(tuple(found), tuple(worked), time.perf_counter() - began)


def _colours() -> bool:
    """Whether standard output is a terminal that shows colours."""
    old_console = sys.platform == "win32" and "WT_SESSION" not in os.environ
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and not old_console
