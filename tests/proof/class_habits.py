"""The six things that a class does to a notebook, done to each lesson in a real kernel.

A habit plays one lesson and returns its complaints: red claims, and errors that the habit did not
ask for. An interrupted cell may end in KeyboardInterrupt, and in nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError

import refresh
from bench.course import lesson_texts
from lesson_sections import Section, sections

ASLEEP = 20  # seconds for which a laptop is shut
CELL_SECONDS = refresh.CELL_SECONDS + ASLEEP
TOO_QUICK = 0.2
"""Seconds: nobody can interrupt such a cell. The signal may reach the kernel between two cells."""
MARK = "BENCH_HABITS_MARK"
"""An environment variable: every process below a kernel inherits it, servers too."""


@dataclass
class Desk:
    """One learner's kernel, and what was seen in it."""

    client: NotebookClient
    log: Path
    mark: str
    complaints: list[str] = field(default_factory=list)
    _read: int = 0

    async def run(self, cell: nbformat.NotebookNode, place: str) -> str:
        """Run one cell to its end, note what is red, and return the class of its error, or ''."""
        self.client.nb.cells = [cell]
        await self.client.async_execute_cell(cell, 0)
        rows = self.log.read_text("utf-8").splitlines() if self.log.exists() else []
        red = [row["id"] for row in map(json.loads, rows[self._read :]) if not row["ok"]]
        self._read = len(rows)
        self.complaints += [f"{place}: red claim {name}" for name in red]
        return next((out.ename for out in cell.outputs if out.output_type == "error"), "")

    async def run_all(self, section: Section, place: str) -> None:
        """Run the cells of a section, none of which may end in an error."""
        for cell in section.cells:
            error = await self.run(cell, place)
            if error:
                self.complaints.append(f"{place}: {error} in\n{cell.source}")

    async def restart(self) -> None:
        await self.client.km.restart_kernel(now=True)
        await self.client.kc.wait_for_ready(timeout=60)


@contextlib.asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """A fresh kernel in the place of a learner; gone afterwards, with the servers it started."""
    log, mark = folder / "claims.jsonl", uuid4().hex
    client = NotebookClient(
        nbformat.v4.new_notebook(metadata=nbformat.from_dict({"kernelspec": refresh.KERNEL})),
        timeout=CELL_SECONDS,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        kernel_manager_class=refresh.KernelOfARefresh,
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(refresh.HERE)}},
    )
    environment = {"BENCH_CLAIMS_LOG": str(log), "PYTHONPATH": str(refresh.ROOT / "labs")}
    async with client.async_setup_kernel(env=os.environ | environment | {MARK: mark}):
        yield Desk(client, log, mark)


def processes(mark: str) -> set[int]:
    """The kernel with that mark and every process that it started, however far below."""
    found = set()
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes():
                found.add(int(entry.name))
    return found


@contextlib.contextmanager
def stopped(mark: str) -> Iterator[None]:
    """Every process of a desk stands still; also those that were started while it was stopped."""
    still: set[int] = set()
    while fresh := processes(mark) - still:
        for pid in fresh:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        still |= fresh
    try:
        yield
    finally:
        for pid in still:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


Event = Callable[[], Awaitable[None]]


async def in_the_middle(
    table: Desk, section: Section, seconds: dict[str, float], event: Event, place: str
) -> tuple[int, str]:
    """Run a section up to its longest cell, and let `event` happen in the middle of that one.

    Nothing happens where that cell is too quick for anybody. Returns the number of the cell, and
    the class of the error in which it ended, or ''.
    """
    longest = max(range(len(section.cells)), key=lambda n: seconds[section.cells[n].source])
    await table.run_all(Section(section.heading, section.cells[:longest]), place)
    cell = section.cells[longest]
    running = asyncio.create_task(table.run(cell, place))
    await asyncio.wait([running], timeout=seconds[cell.source] / 2)
    if seconds[cell.source] > TOO_QUICK and not running.done():
        await event()
    return longest, await running


async def timed(table: Desk, setup: Section, experiments: list[Section]) -> dict[str, float]:
    """Run a lesson once; how long each cell takes on this machine, in seconds."""
    now, seconds = asyncio.get_running_loop().time, {}
    for section in setup, *experiments:
        for cell in section.cells:
            began = now()
            await table.run_all(Section(section.heading, [cell]), f"{section.heading}, first run")
            seconds[cell.source] = now() - began
    return seconds


async def run_twice(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """every cell, and in the same kernel every cell again"""
    for time in "first", "second":
        for section in setup, *experiments:
            await table.run_all(section, f"{section.heading}, {time} run")


async def out_of_order(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """the set-up, then the experiments from the last to the first"""
    await table.run_all(setup, setup.heading)
    for section in reversed(experiments):
        for one in *section.needs, section:
            await table.run_all(one, section.heading)


async def interrupted(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """each experiment is interrupted, goes on from there, and is run again"""
    seconds = await timed(table, setup, experiments)
    for section in experiments:
        place = f"{section.heading}, interrupted"
        number, error = await in_the_middle(
            table, section, seconds, table.client.km.interrupt_kernel, place
        )
        if error not in ("", "KeyboardInterrupt", "CancelledError"):
            table.complaints.append(f"{place}: {error} instead of an interruption")
        await table.run_all(Section(section.heading, section.cells[number:]), f"{place}, going on")
        await table.run_all(section, f"{place}, run again")


async def restarted(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """the kernel is restarted in mid-experiment; what that experiment needs is run, and it again"""
    seconds = await timed(table, setup, experiments)
    for section in experiments:
        place = f"{section.heading}, restarted"
        before = processes(table.mark)
        longest = max(section.cells, key=lambda cell: seconds[cell.source])
        for cell in section.cells[: section.cells.index(longest)]:
            await table.run(cell, place)
        table.client.kc.execute(longest.source)
        await asyncio.sleep(seconds[longest.source] / 2)  # the middle of the cell is a time
        await table.restart()
        for one in setup, *section.needs, section:
            await table.run_all(one, place)
        if left := before & processes(table.mark) - {await kernel_of(table)}:
            table.complaints.append(f"{place}: {len(left)} processes of the old kernel are left")


async def kernel_of(table: Desk) -> int:
    return int(table.client.km.provisioner.process.pid)


async def asleep(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """in each experiment the laptop is shut for twenty seconds: every process stands still"""

    async def shut() -> None:
        with stopped(table.mark):
            await asyncio.sleep(ASLEEP)

    await unnoticed(table, setup, experiments, shut, "asleep")


async def paused(table: Desk, setup: Section, experiments: list[Section]) -> None:
    """in each experiment the kernel alone stands still for twenty seconds, and its servers go on"""

    async def pause() -> None:
        pid = await kernel_of(table)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(ASLEEP)
        finally:
            os.kill(pid, signal.SIGCONT)

    await unnoticed(table, setup, experiments, pause, "paused")


async def unnoticed(
    table: Desk, setup: Section, experiments: list[Section], event: Event, what: str
) -> None:
    """Each experiment goes on after `event` as if nothing had been."""
    seconds = await timed(table, setup, experiments)
    for section in experiments:
        place = f"{section.heading}, {what}"
        number, error = await in_the_middle(table, section, seconds, event, place)
        if error:
            table.complaints.append(f"{place}: {error} in\n{section.cells[number].source}")
        await table.run_all(Section(section.heading, section.cells[number + 1 :]), place)


HABITS = {
    habit.__name__: habit
    for habit in (run_twice, out_of_order, interrupted, restarted, asleep, paused)
}


@dataclass(frozen=True)
class Habit:
    """One habit on one lesson."""

    lesson: Path
    habit: str

    @property
    def name(self) -> str:
        return f"{self.lesson.name[:2]} {self.habit}"

    def complaint(self) -> str:
        """What a class would see that it should not; '' if nothing."""
        return asyncio.run(self._play())

    async def _play(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            async with desk(Path(folder)) as table:
                try:
                    await HABITS[self.habit](table, *sections(self.lesson))
                except CellTimeoutError as hang:
                    table.complaints.append(f"a cell never ends: {hang}")
        return "\n".join(table.complaints)


def load() -> list[Habit]:
    """Every habit on every lesson."""
    return [Habit(lesson, habit) for lesson in lesson_texts() for habit in HABITS]
