"""A stand-in for PostgreSQL: a few numbers, a gate, locks, lines, and who waits for them.

A statement that is awaited waits as a task. One that blocks waits as its thread would: on a helper
thread the call is begun again when it may go on (`replayed_threads`), and on the event loop it
holds the loop. What the stand-ins do not know ends the checks with UnknownToTheStandIn, so that
nobody is judged by a guess. Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


class UnknownToTheStandIn(BaseException):
    """The text says what was asked. A BaseException: no `except Exception` may hide it.

    Wherever it ends, `now.unknown` remembers it.
    """

    def __init__(self, what: str) -> None:
        super().__init__(what)
        now.unknown = now.unknown or what


class HoldsTheLoop(BaseException):
    """A call that blocks waits on the event loop. Nothing goes on there until it may go on."""


class WaitsInAThread(BaseException):
    """A call that blocks waits on a helper thread."""

    def __init__(self, wait: Wait) -> None:
        super().__init__()
        self.wait = wait


@dataclass(eq=False)
class Line:
    """The way to the database that one address leads to."""

    silent: bool = False
    refuses: bool = False
    trips: int = 0
    knocks: int = 0


@dataclass(eq=False)
class Wait:
    """What a statement needs before it can go on."""

    line: Line
    tables: frozenset[str] = frozenset()
    gate: bool = False
    until: Callable[[], bool] = lambda: True


@dataclass
class Kitchen:
    """The database: its numbers, its gate, its locks, and who waits."""

    takings: int = 0
    portions: int = 188
    credit: int = 600_000
    looks: int = 0
    full: bool = False  # the table `looks` takes no row
    gate: bool = False  # closed
    locks: list[str] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    _turns: list[asyncio.Future[None]] = field(default_factory=list)

    def free(self, wait: Wait) -> bool:
        locked = wait.tables & set(self.locks)
        return not (wait.line.silent or locked or (wait.gate and self.gate)) and wait.until()

    def changed(self) -> None:
        """Let everybody look again who waits."""
        self.waits = [wait for wait in self.waits if not self.free(wait)]
        turns, self._turns = self._turns, []
        for turn in turns:
            if not turn.done():
                turn.set_result(None)

    async def passes(self, wait: Wait) -> None:
        """Wait as a task until the statement can go on."""
        while not self.free(wait):
            if wait not in self.waits:
                self.waits.append(wait)
            turn = asyncio.get_running_loop().create_future()
            self._turns.append(turn)
            try:
                await turn
            except BaseException:
                self.waits = [one for one in self.waits if one is not wait]
                raise

    def passes_or_blocks(self, wait: Wait) -> None:
        """Wait as a call that blocks. Raises HoldsTheLoop or WaitsInAThread where it must wait."""
        if self.free(wait):
            return
        if now.thread is not None:
            raise WaitsInAThread(wait)
        self.waits.append(wait)
        HOLDS.get()(wait)
        raise HoldsTheLoop

    def at_the_gate(self) -> int:
        return sum(wait.gate and self.gate and wait.until() for wait in self.waits)

    def at_the_table(self, name: str) -> int:
        return sum(name in wait.tables and name in self.locks for wait in self.waits)

    def line(self, dsn: str) -> Line:
        return self.lines.setdefault(dsn, Line())


DSN: ContextVar[str] = ContextVar("DSN", default="")
"""The address that the app of this task was started with."""
HOLDS: ContextVar[Callable[[Wait | None], None]] = ContextVar("HOLDS")
"""Is told of a call that blocks on the app's event loop, and what it waits for, if not for time."""


@dataclass(eq=False)
class Thread:
    """A helper thread at work: what its calls of a driver have given so far."""

    results: list[Any] = field(default_factory=list)
    given: int = 0  # so many of them again, since it was begun anew
    wakes: float | None = None  # when its sleep is over


@dataclass
class Now:
    """One page checks one file at a time, and nothing runs beside it."""

    kitchen: Kitchen = field(default_factory=Kitchen)
    thread: Thread | None = None
    unknown: str = ""


now = Now()
