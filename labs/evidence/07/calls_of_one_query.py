"""What one query asks of the event loop: futures, timers, looks at the sockets, and who decodes.

The loop below is asyncio's own; it only counts what it is asked for.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections import Counter

import asyncpg
import psycopg

from bench import Postgres, claim, until
from bistro.database import prepare

QUERIES, GUESTS = 100, 10
AT_THE_GATE = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


class CountingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self.asked, self.limits = Counter(), []
        look = self._selector.select

        def select(timeout: float | None = None) -> list:
            self.asked["looks at the sockets"] += 1
            self.limits.append(timeout)
            return look(timeout)

        self._selector.select = select

    def create_future(self) -> asyncio.Future:
        self.asked["futures"] += 1
        return super().create_future()

    def call_at(self, *args, **kwargs) -> asyncio.TimerHandle:
        self.asked["timers"] += 1
        return super().call_at(*args, **kwargs)


async def count(window: asyncpg.Connection, patience: float | None) -> Counter:
    loop = asyncio.get_running_loop()
    loop.asked.clear()
    loop.limits.clear()
    for number in range(QUERIES):
        await window.fetchval("select $1::int", number, timeout=patience)
    return Counter(loop.asked)


async def who_decodes(window: asyncpg.Connection) -> tuple[object, bool, bool]:
    """The task and the thread in which a value is decoded, and if the asking task has moved."""
    seen = []

    def decode(text: str) -> int:
        seen.append((asyncio.current_task(), threading.get_ident(), order.done()))
        return int(text)

    await window.set_type_codec("int4", schema="pg_catalog", encoder=str, decoder=decode)
    order = asyncio.create_task(window.fetchval("select 42"))
    await order
    task, thread, done = seen[-1]
    return task, thread == threading.get_ident(), done


async def sockets_of_guests(dsn: str) -> list[int]:
    """What the selector watches for each socket, while ten queries wait at a gate."""
    with psycopg.connect(dsn, autocommit=True) as boss:  # it blocks, and uses no loop
        boss.execute("select pg_advisory_lock(7)")
        windows = [await asyncpg.connect(dsn) for _ in range(GUESTS)]
        orders = [asyncio.create_task(window.fetchval("select cook(0)")) for window in windows]
        await until(lambda: boss.execute(AT_THE_GATE).fetchone() == (GUESTS,))
        watched = [key.events for key in asyncio.get_running_loop()._selector.get_map().values()]
        boss.execute("select pg_advisory_unlock(7)")
        await asyncio.gather(*orders)
    for window in windows:
        await window.close()
    return watched


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        at_rest = len(asyncio.get_running_loop()._selector.get_map())  # the loop's alarm bell
        watched = await sockets_of_guests(pg.dsn)
        window = await asyncpg.connect(pg.dsn)
        await window.fetchval("select $1::int", 0)  # prepared from here on
        plain, limits = await count(window, None), [*asyncio.get_running_loop().limits]
        timed = await count(window, 30)
        task, here, done = await who_decodes(window)
        await window.close()
    print(f"{QUERIES} queries one after the other      no timeout   timeout=30")
    for name in "futures", "timers", "looks at the sockets":
        print(f"{name:34}{plain[name]:15}{timed[name]:13}")
    print(f"sockets in the selector at rest: {at_rest}; {GUESTS} queries wait: {len(watched)}")
    print(f"decoded in task {task}, on the loop's thread: {here}, the asking task is done: {done}")
    claim(
        "one-future-for-a-query",
        "A query makes one future, and a timer only if it was given a timeout.",
        (plain["futures"], plain["timers"], timed["timers"]) == (QUERIES, 0, QUERIES),
    )
    claim(
        "two-looks-for-a-query",
        "A query in a row costs at least two calls of select: one finds the reply, one resumes.",
        plain["looks at the sockets"] >= 2 * QUERIES,
    )
    claim(
        "loop-waits-in-the-system",
        "With no task ready, the loop stops inside select until a socket or a timer wakes it.",
        sum(limit is None or limit > 0 for limit in limits) >= QUERIES,
    )
    claim(
        "selector-holds-a-socket-each",
        "While ten queries wait, the selector holds ten sockets more, all to be read.",
        len(watched) - at_rest == GUESTS and set(watched) == {selectors.EVENT_READ},
    )
    claim(
        "decoded-before-the-task-goes-on",
        "Values are decoded on the loop's thread in no task, while the asking task waits.",
        (task, here, done) == (None, True, False),
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(main())
