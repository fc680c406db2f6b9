"""How a session awaits inside blocking code: a greenlet hands the awaitable out to a coroutine.

Blocking code cannot `await`. In a greenlet of its own it can stop in the middle of a call, hand
an awaitable to the coroutine that started it, and go on with the result. `spawn` and `hand_out`
are that in a few lines; SQLAlchemy's are `greenlet_spawn` and `await_`. No thread and no task is
added. Where nobody has called `spawn`, nobody is there who awaits: that is MissingGreenlet.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from greenlet import getcurrent, greenlet, settrace
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from tables import desk

from bench import Gate, Postgres, claim

COOK = "select pg_advisory_xact_lock_shared(7)"


def hand_out(awaitable: Awaitable[Any]) -> Any:
    """For blocking code: the awaitable's result. The code stops here, and goes on here."""
    if not (starter := getcurrent().parent):
        raise RuntimeError("spawn has not been called: nobody awaits this")
    return starter.switch(awaitable)


async def spawn(blocking: Callable[..., Any], *arguments: Any) -> Any:
    """Run blocking code in a greenlet, and await what it hands out."""
    inner = greenlet(blocking)
    result = inner.switch(*arguments)
    while not inner.dead:
        result = inner.switch(await result)
    return result


def where() -> tuple[int, asyncio.Task[Any] | None]:
    return threading.get_ident(), asyncio.current_task()


class Switches:
    """Counts the switches of greenlets in the block, and notes where each one happens."""

    def __enter__(self) -> Switches:
        self.count, self.places = 0, set()
        settrace(self.seen)
        return self

    def __exit__(self, *error: object) -> None:
        settrace(None)

    def seen(self, event: str, which: tuple[greenlet, greenlet]) -> None:
        self.count += 1
        self.places.add(where())


def three_queries(connection: asyncpg.Connection) -> int:
    """Blocking code: no `async`, no `await`, and three queries."""
    return sum(hand_out(connection.fetchval("select $1::int", n)) for n in (1, 2, 3))


def cooked(connection: asyncpg.Connection) -> None:
    hand_out(connection.execute(COOK))


def without_spawn() -> str:
    """What blocking code gets that hands out an awaitable with nobody around it."""
    answer = asyncio.get_running_loop().create_future()
    answer.set_result("an answer")
    try:
        return hand_out(answer)
    except RuntimeError as error:
        return str(error)


async def together(dsn: str) -> tuple[int, int]:
    """How many blocking calls wait in the database at once, and how many threads there are then."""
    async with desk(dsn) as a, desk(dsn) as b, Gate(dsn) as gate, asyncio.TaskGroup() as group:
        before = threading.active_count()
        for connection in (a, b):
            group.create_task(spawn(cooked, connection))
        waiting = await gate.until_waiting(2)
        threads = threading.active_count() - before
        await gate.open()
    return waiting, threads


async def main() -> None:
    async with Postgres() as pg:
        async with desk(pg.dsn) as connection:
            with Switches() as ours:
                total = await spawn(three_queries, connection)
        engine = create_async_engine(pg.url("asyncpg"))
        async with AsyncSession(engine) as session:
            await session.execute(text("select 1"))  # opens the connection
            with Switches() as theirs:
                await session.execute(text("select 1"))
        await engine.dispose()
        waiting, threads = await together(pg.dsn)
        nobody = without_spawn()
    print(f"ours, three queries in blocking code: {total}, {ours.count} switches")
    print(f"SQLAlchemy, one query: {theirs.count} switches")
    elsewhere = (ours.places | theirs.places) - {where()}
    print(f"other threads or tasks in which they switched: {len(elsewhere)}")
    print(f"blocking calls in the database at once: {waiting}, new threads {threads}")
    print(f"outside: {nobody}")
    claim(
        "a-greenlet-hands-out-each-await",
        "Three queries in blocking code: in, three times out and back, and out: 8 switches.",
        (total, ours.count) == (6, 8),
    )
    claim(
        "a-session-s-query-is-four-switches",
        "One query of an open session: in, out with the query, back, and out: 4 switches.",
        theirs.count == 4,
    )
    claim(
        "greenlets-stay-in-thread-and-task",
        "Every switch happens in the thread and in the task that awaits.",
        not elsewhere,
    )
    claim(
        "blocking-calls-wait-together",
        "Two blocking calls wait in the database at once, and there is no new thread.",
        (waiting, threads) == (2, 0),
    )
    claim(
        "nobody-awaits-outside",
        "The same blocking call outside of spawn has nobody who awaits: an error says so.",
        nobody == "spawn has not been called: nobody awaits this",
    )


if __name__ == "__main__":
    asyncio.run(main())
