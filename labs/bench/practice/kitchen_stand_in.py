"""A stand-in for PostgreSQL and its drivers, for the checks of labs in a browser's page.

It knows the statements of labs 1 and 2 and no others, keeps a few numbers, and lets a statement
wait where PostgreSQL would: at the gate, at a locked table, on a line that is silent. What it does
not know ends the checks with UnknownToTheStandIn, so that nobody is judged by a guess.

A statement that is awaited waits as a task. One that blocks waits as its thread would: on a helper
thread the call is begun again when it may go on (`in_a_thread`), and on the event loop it holds the
loop (`HoldsTheLoop`). Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")
Row = tuple[Any, ...]

LONG_SLEEP = 0.1  # seconds; a line that sleeps so long on the loop holds it
TABLES = "bookings", "dishes", "guests", "looks", "orders", "reservations"
COOK = re.compile(r"select cook\((.+)\)")
LOCK = re.compile(r'lock table "?(\w+)"? in access exclusive mode')
READS = {  # a statement of the labs, the number that answers it, and the tables that it reads
    "select coalesce(sum(dishes.price_cents * orders.portions), 0)::int from orders join dishes "
    "on dishes.id = orders.dish_id": ("takings", {"orders", "dishes"}),
    "select sum(portions_left)::int from dishes": ("portions", {"dishes"}),
    "select sum(credit_cents)::int from guests": ("credit", {"guests"}),
}
NAME = re.compile(r"select name from dishes where id = (\$1|\d+)")
DISHES = {1: "Onion soup"}
NOTE = "insert into looks default values"
SETTING = "select source from pg_settings where name = 'statement_timeout'"


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


async def in_a_thread(function: Callable[..., T], *args: Any) -> T:
    """Call a plain function as on a helper thread: it may wait, and the loop goes on meanwhile.

    When a driver's call has to wait, the function is left, and it is begun again when the call can
    go on. The calls that had come to their end give the same results again, without effect.
    """
    thread = Thread()
    while True:
        thread.given, now.thread = 0, thread
        try:
            return function(*args)
        except WaitsInAThread as error:
            wait = error.wait
        finally:
            now.thread = None
        await now.kitchen.passes(wait)


def once(call: Callable[[], T]) -> T:
    """The result of a driver's call: on a helper thread that was begun again, the one it had."""
    if (thread := now.thread) is None:
        return call()
    if thread.given == len(thread.results):
        thread.results.append(call())
    thread.given += 1
    return thread.results[thread.given - 1]


def sleep(seconds: float) -> None:
    """`time.sleep`: on a helper thread the clock runs on, and on the loop it holds the loop."""
    if (thread := now.thread) is None:
        if seconds >= LONG_SLEEP and (holds := HOLDS.get(None)):
            holds(None)
        return
    loop = asyncio.get_running_loop()

    def call() -> None:
        if thread.wakes is None:
            thread.wakes = loop.time() + seconds
            loop.call_later(seconds, now.kitchen.changed)
        wakes = thread.wakes
        if loop.time() < wakes:
            raise WaitsInAThread(Wait(Line(), until=lambda: loop.time() >= wakes))
        thread.wakes = None

    once(call)


# -- what a statement does -------------------------------------------------------------------------


def plain(sql: str) -> str:
    return " ".join(sql.lower().split()).rstrip(";")


def wait_of(sql: str, line: Line) -> Wait:
    """What the statement waits for. Raises UnknownToTheStandIn."""
    sql = plain(sql)
    if COOK.fullmatch(sql):
        return Wait(line, gate=True)
    if sql in READS:
        return Wait(line, frozenset(READS[sql][1]))
    if NAME.fullmatch(sql):
        return Wait(line, frozenset({"dishes"}))
    if sql == NOTE:
        return Wait(line, frozenset({"looks"}))
    if sql in ("select 1", SETTING):
        return Wait(line)
    raise UnknownToTheStandIn(f"the statement `{sql}`")


def rows_of(sql: str, args: Sequence[object], connection: Connection) -> list[Row]:
    """The rows that answer the statement, which can go on."""
    sql, kitchen = plain(sql), now.kitchen
    if sql == NOTE:
        if kitchen.full:
            raise connection.refusal("new row violates a check constraint")
        connection.notes += 1
        return []
    if sql in READS:
        return [(getattr(kitchen, READS[sql][0]),)]
    if name := NAME.fullmatch(sql):
        number = args[0] if name[1] == "$1" else int(name[1])
        return [(DISHES[number],)] if number in DISHES else []
    if sql == SETTING:
        return [("client",)]
    return [(1,)]


class Connection:
    """What the connections of both drivers share: notes that are not committed yet."""

    refusal: type[Exception]

    def __init__(self, dsn: str) -> None:
        self.line = now.kitchen.line(dsn)
        self.notes = 0
        self.asks: object = None  # whoever asks at the moment

    def commit_notes(self) -> None:
        now.kitchen.looks += self.notes
        self.notes = 0

    async def answer(self, sql: str, args: Sequence[object] = ()) -> list[Row]:
        wait = wait_of(sql, self.line)
        self.line.trips += 1
        await now.kitchen.passes(wait)
        if cook := COOK.fullmatch(plain(sql)):
            await asyncio.sleep(seconds_of(cook[1]))
        return rows_of(sql, args, self)

    def answer_blocking(self, sql: str) -> list[Row]:
        def call() -> list[Row]:
            me = now.thread or self
            wait = wait_of(sql, self.line)
            wait.until = lambda: self.asks in (None, me)
            self.line.trips += 1
            if not now.kitchen.free(wait):
                if wait.until():
                    self.asks = me
                now.kitchen.passes_or_blocks(wait)
            if self.asks:
                self.asks = None
                now.kitchen.changed()
            return rows_of(sql, (), self)

        return once(call)


def seconds_of(argument: str) -> float:
    """The seconds that `cook` is told; a parameter counts as a tenth."""
    try:
        return float(argument)
    except ValueError:
        return 0.1
