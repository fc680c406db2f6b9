"""A task is cancelled inside its transaction: in the block, in the commit, and behind a shield.

A gate in the database holds the query, or the commit itself: a deferred trigger runs when the
transaction commits, and this one passes the gate.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter

import asyncpg
import psycopg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

TABLE = """
    create table counter (n int);
    insert into counter values (0);
    create function at_commit() returns trigger language plpgsql as $$
        begin perform cook(0); return null; end $$;
    create constraint trigger at_commit after update on counter
        deferrable initially deferred for each row when (new.n = 2) execute function at_commit();"""


AT_THE_LOCK = """
    select count(*) from pg_stat_activity
    where datname = current_database() and wait_event = 'advisory'"""


async def in_the_block(window: asyncpg.Connection) -> None:
    async with window.transaction():
        await window.execute("update counter set n = 1")
        await window.execute("select cook(0)")  # the gate


async def in_the_commit(window: asyncpg.Connection) -> None:
    async with window.transaction():
        await window.execute("update counter set n = 2")
    # the gate is in the COMMIT that ends the block


async def swallowed(window: asyncpg.Connection) -> None:
    async with window.transaction():
        await window.execute("update counter set n = 3")
        with suppress(asyncio.CancelledError):  # this is the mistake
            await window.execute("select cook(0)")  # the gate


async def shielded(window: asyncpg.Connection) -> None:
    """The transaction is a task of its own; a cancel reaches only the one that waits for it."""
    goes_on.append(asyncio.create_task(in_the_commit(window)))
    await asyncio.shield(goes_on[0])


goes_on: list[asyncio.Task] = []


async def at_the_gate(dsn: str, work) -> tuple[bool, int]:
    """Cancel the task while its transaction waits at the gate: is it cancelled, what is saved?"""
    window, desk = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    await desk.execute("update counter set n = 0")
    async with Gate(dsn) as gate:
        task = asyncio.create_task(work(window))
        await gate.until_waiting(1)
        task.cancel()
        await asyncio.wait([task])

        async def given_up() -> bool:
            return await gate.waiting() == 0

        if not goes_on:
            await until(given_up)
        await gate.open()
    await asyncio.gather(*goes_on)
    n = await desk.fetchval("select n from counter")
    await window.fetchval("select 42")  # the connection works on
    for one in window, desk:
        await one.close()
    return task.cancelled(), n


async def too_late(dsn: str) -> tuple[bool, int]:
    """Cancel when the database has committed, and the loop has not read its answer yet."""
    window = await asyncpg.connect(dsn)
    with psycopg.connect(dsn, autocommit=True) as desk:  # it blocks the loop, here on purpose
        desk.execute("update counter set n = 0")
        desk.execute("select pg_advisory_lock(7)")
        task = asyncio.create_task(in_the_commit(window))
        await until(lambda: desk.execute(AT_THE_LOCK).fetchone()[0] == 1)
        desk.execute("select pg_advisory_unlock(7)")
        deadline = perf_counter() + 30
        while (n := desk.execute("select n from counter").fetchone()[0]) == 0:
            assert perf_counter() < deadline, "the commit does not come to its end"
        task.cancel()
        await asyncio.wait([task])
    await window.close()
    return task.cancelled(), n


async def main() -> None:
    ends = {}
    async with Postgres() as pg:
        await prepare(pg.dsn)
        desk = await asyncpg.connect(pg.dsn)
        await desk.execute(TABLE)
        await desk.close()
        for work in in_the_block, in_the_commit, swallowed:
            ends[work.__name__] = await at_the_gate(pg.dsn, work)
        ends["behind the commit"] = await too_late(pg.dsn)
        ends["shielded"] = await at_the_gate(pg.dsn, shielded)
    for name, (gone, n) in ends.items():
        print(f"{name.replace('_', ' '):18} cancelled: {gone!s:5}  the row says {n}")
    claim(
        "cancel-in-the-block-rolls-back",
        "Cancelled inside the block: the transaction is rolled back, the connection works on.",
        ends["in_the_block"] == (True, 0),
    )
    claim(
        "cancel-in-the-commit-may-roll-back",
        "Cancelled while the commit waits: rolled back.",
        ends["in_the_commit"] == (True, 0),
    )
    claim(
        "cancel-in-the-commit-may-be-too-late",
        "Cancelled before the commit's answer is read: saved, and the task is cancelled as well.",
        ends["behind the commit"] == (True, 2),
    )
    claim(
        "swallowed-cancel-saves-nothing",
        "A task that swallows its cancel ends without an error, and nothing is saved.",
        ends["swallowed"] == (False, 0),
    )
    claim(
        "a-shield-lets-the-commit-finish",
        "Behind a shield the transaction goes on and is saved, though its caller was cancelled.",
        ends["shielded"] == (True, 2),
    )


if __name__ == "__main__":
    asyncio.run(main())
