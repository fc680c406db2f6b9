"""What to look at in production: the loop's lag, the pool, the sessions, the queries, the tasks."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import asyncpg

from bench import Gate, Heartbeat, Postgres, claim, until
from bistro.database import prepare

SIZE, ORDERS, BLOCKED = 3, 5, 0.2
SESSIONS = """
    select state, coalesce(wait_event_type || ': ' || wait_event, '') as waits_for, count(*)
    from pg_stat_activity where application_name = 'bistro' group by 1, 2 order by 1"""


async def lag() -> float:
    """The longest silence of a heartbeat while a task blocks the loop for a while."""
    async with Heartbeat() as heart:
        began = time.perf_counter()
        time.sleep(BLOCKED)  # noqa: ASYNC251 -- the mistake that the gauge has to show
        await asyncio.sleep(0)
        return heart.longest_gap(began, time.perf_counter())


async def queries_heard(pool: asyncpg.Pool) -> list[tuple[str, str]]:
    """What a query logger notes of one good and one bad query: text, and the error's name."""
    notes: list[asyncpg.connection.LoggedQuery] = []
    async with pool.acquire() as window:
        with window.query_logger(notes.append):
            await window.fetchval("select $1::int + 1", 1)
            with suppress(asyncpg.DivisionByZeroError):
                await window.execute("select 1 / 0")
            await until(lambda: len(notes) == 2, what="both notes of the logger")
    return sorted((note.query, type(note.exception).__name__) for note in notes)


async def sessions(watcher: asyncpg.Connection) -> list[tuple]:
    """State, reason to wait, and number of the bistro's sessions, once each of them waits."""

    async def settled() -> list[tuple] | None:
        rows = [tuple(row) for row in await watcher.fetch(SESSIONS)]
        return rows if all(waits_for for _, waits_for, _ in rows) else None

    return await until(settled, what="every session to wait for something")


async def order(pool: asyncpg.Pool) -> None:
    await pool.fetchval("select cook(0)")


def stands_at(task: asyncio.Task) -> str:
    """The innermost `async def` function in which a suspended task stands."""
    waits_for = task.get_coro()
    while hasattr(waits_for.cr_await, "cr_await"):
        waits_for = waits_for.cr_await
    return waits_for.cr_code.co_name


async def main() -> None:
    settings = {"application_name": "bistro"}
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        longest = await lag()
        async with (
            Gate(pg.dsn) as gate,
            asyncpg.create_pool(
                pg.dsn, min_size=SIZE, max_size=SIZE, server_settings=settings
            ) as pool,
        ):
            heard = await queries_heard(pool)
            watcher = await asyncpg.connect(pg.dsn)
            careless = await pool.acquire()  # it begins a transaction, and then does nothing
            await careless.execute("begin")
            names = [f"order {number}" for number in range(1, ORDERS + 1)]
            orders = [asyncio.create_task(order(pool), name=name) for name in names]
            await gate.until_waiting(SIZE - 1)
            rows = await sessions(watcher)
            free, taken = pool.get_idle_size(), pool.get_size()
            places = {task.get_name(): stands_at(task) for task in orders}
            await gate.open()
            await careless.execute("rollback")
            await pool.release(careless)
            await asyncio.gather(*orders)
            await watcher.close()
    print(f"the loop was blocked for {BLOCKED} s; the heartbeat's longest silence: {longest:.2f} s")
    print(f"the pool: {taken} connections, {free} of them idle")
    for state, waits_for, count in rows:
        print(f"   {count} of them in the server: {state}, {waits_for}")
    for name, place in places.items():
        print(f"{name} waits in {place}()")
    for query, error in heard:
        print(f"the logger noted: {query!r}, {error}")
    claim(
        "lag-gauge-shows-the-block",
        "While the loop is blocked the heartbeat is silent at least as long.",
        longest >= 0.95 * BLOCKED,
    )
    claim(
        "sessions-tell-what-they-wait-for",
        "pg_stat_activity tells the two that wait for a lock from the one idle in transaction.",
        rows == [("active", "Lock: advisory", 2), ("idle in transaction", "Client: ClientRead", 1)],
    )
    claim(
        "an-empty-pool-can-be-seen",
        "The pool's gauge shows that none of its three connections is idle.",
        (taken, free) == (SIZE, 0),
    )
    claim(
        "tasks-tell-where-they-wait",
        "Each waiting task names its place: two in their query, three in the queue of the pool.",
        sorted(places.values()) == ["_do_execute"] * 2 + ["get"] * 3,
    )
    claim(
        "a-query-logger-hears-errors-too",
        "A query logger hears every query of its connection, and the error of the one that failed.",
        heard == [("select $1::int + 1", "NoneType"), ("select 1 / 0", "DivisionByZeroError")],
    )


if __name__ == "__main__":
    asyncio.run(main())
