"""Connections that are lost: while idle, in the middle of a commit, and without a sign.

Ended idle: the pool hears of it. Ended during COMMIT: the same error, and two possible truths. And
a network that swallows everything, as a firewall does that has forgotten a connection.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Gate, Postgres, RoundTrips, claim
from bistro.database import prepare

PID, END = "select pg_backend_pid()", "select pg_terminate_backend($1)"
COUNT = "select count(*) from looks"
SLOW_COMMIT = """
    create function at_commit() returns trigger language plpgsql as
    $$ begin perform cook(0); return null; end $$;
    create constraint trigger slow_commit after insert on looks
    deferrable initially deferred for each row execute function at_commit()"""


async def ended_idle(dsn: str, boss: asyncpg.Connection) -> tuple[bool, bool]:
    """Whether the next call is answered, and by another backend."""
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as window:
            before = await window.fetchval(PID)
            lost = asyncio.Event()
            window.add_termination_listener(lambda _: lost.set())
            await boss.execute(END, before)
            await lost.wait()
        after = await pool.fetchval(PID)
    return after > 0, after != before


async def ended_in_commit(dsn: str, boss: asyncpg.Connection, backend: bool) -> tuple[str, int]:
    """What the client sees when the backend, or else the network, ends during COMMIT; the rows."""
    before = await boss.fetchval(COUNT)
    async with Gate(dsn) as gate, RoundTrips(dsn) as net:
        window = await asyncpg.connect(net.dsn)
        pid = await window.fetchval(PID)
        await window.execute("begin; insert into looks default values")
        commit = asyncio.create_task(window.execute("commit"))
        await gate.until_waiting(1)
        if backend:
            await boss.execute(END, pid)
        else:
            await net.__aexit__()
        [error] = await asyncio.gather(commit, return_exceptions=True)
    async with Gate(dsn):  # entered when a commit that was at the gate is through
        return type(error).__name__, await boss.fetchval(COUNT) - before


async def swallowed(dsn: str) -> tuple[bool, int]:
    """A network that swallows all, and a query with a timeout: does the call end? Idle then?"""
    async with RoundTrips(dsn) as net:
        pool = await asyncpg.create_pool(net.dsn, min_size=1, max_size=1)
        net.delay = 3600
        call = asyncio.create_task(pool.fetchval("select 1", timeout=0.05))
        await asyncio.wait([call], timeout=0.5)
        ended = call.done()
        call.cancel()
        await asyncio.wait([call])
        idle = pool.get_idle_size()
        pool.terminate()
    return ended, idle


async def swallowed_with_a_deadline(dsn: str) -> tuple[str, int]:
    """The same with a deadline for giving back; then the network is well again."""
    async with RoundTrips(dsn) as net:
        pool = await asyncpg.create_pool(net.dsn, min_size=1, max_size=1)
        window = await pool.acquire()
        net.delay = 3600
        try:
            try:
                await window.fetchval("select 1", timeout=0.05)
            finally:
                await pool.release(window, timeout=0.05)
        except TimeoutError as error:
            said = type(error).__name__
        net.delay = 0
        answer = await pool.fetchval("select 1")
        pool.terminate()
    return said, answer


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(SLOW_COMMIT)
        answered, replaced = await ended_idle(pg.dsn, boss)
        by_backend = await ended_in_commit(pg.dsn, boss, backend=True)
        by_network = await ended_in_commit(pg.dsn, boss, backend=False)
        ended, idle = await swallowed(pg.dsn)
        said, answer = await swallowed_with_a_deadline(pg.dsn)
        await boss.close()
    print(f"ended while idle: next call answered {answered}, by another backend {replaced}")
    print(f"backend ended during COMMIT: {by_backend[0]}, rows: {by_backend[1]}")
    print(f"network ended during COMMIT: {by_network[0]}, rows: {by_network[1]}")
    print(f"all is swallowed, fetchval(timeout=0.05): ended {ended}, idle connections {idle}")
    print(f"  and release(timeout=0.05): {said}, the next call has {answer}")
    claim(
        "pool-replaces-what-ended-idle",
        "A backend is ended while idle: the pool hears of it, and the next call has another.",
        answered and replaced,
    )
    claim(
        "a-lost-commit-has-two-truths",
        "Lost during COMMIT: the same error, whether the row is saved or not.",
        (by_backend, by_network) == (("ConnectionDoesNotExistError", 0), (by_backend[0], 1)),
    )
    claim(
        "timeout-does-not-bound-the-release",
        "On a silent network pool.fetchval(timeout=0.05) does not end: giving back has no limit.",
        (ended, idle) == (False, 0),
    )
    claim(
        "release-needs-a-deadline",
        "With a deadline for the release too, the connection is thrown away, and the pool goes on.",
        (said, answer) == ("TimeoutError", 1),
    )


if __name__ == "__main__":
    asyncio.run(main())
