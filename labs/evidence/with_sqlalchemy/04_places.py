"""A session takes its place in the pool when it first asks, and commit() gives the place back.

An engine with its defaults lends 5 + 10 places. Nobody else gets in, and each worker has an engine
of its own. `pool_size=0` does not mean "none": it means "no limit".

`pool_pre_ping=True` asks before each lending whether the connection still lives. It heals what the
server has ended. Its price are round trips: three with asyncpg, one with psycopg.

A line gone silent gives the ping no answer, so it waits like a query. `pool_recycle` does not ask:
it replaces what is older than that.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool
from tables import Guest, desk, fill, states

from bench import Gate, Postgres, RoundTrips, claim, until

GUESTS, PLACES = 60, 15
HELD = text("select pg_advisory_xact_lock_shared(7)")
END = """
    select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend'
      and pid <> pg_backend_pid()"""


async def steps(pg: Postgres) -> dict[str, tuple[int, str]]:
    """After each step of one session: how many places are out, and what its backend does."""
    engine, seen = create_async_engine(pg.url("asyncpg")), {}
    async with desk(pg.dsn) as window:

        async def look(step: str) -> None:
            backends = ", ".join(await states(window)) or "no backend"
            seen[step] = engine.pool.checkedout(), backends

        async with AsyncSession(engine) as session:
            await look("opened")
            await session.get(Guest, 1)
            await look("asked")
            await session.commit()
            await look("committed")
            await session.get(Guest, 1)
            await look("asked again")
        await look("closed")
    await engine.dispose()
    return seen


async def inside(pg: Postgres, engines: int = 1, **settings: Any) -> int:
    """How many of sixty guests are at the gate when each of the others was refused a place."""
    lending = [create_async_engine(pg.url("asyncpg"), **settings) for _ in range(engines)]

    async def order(engine: AsyncEngine) -> None:
        async with AsyncSession(engine) as session:
            await session.execute(HELD)

    async with Gate(pg.dsn) as gate:
        orders = [asyncio.create_task(order(lending[n % engines])) for n in range(GUESTS)]

        async def all_known() -> bool:
            refused = sum(one.done() for one in orders)
            return refused + await gate.waiting() == GUESTS

        await until(all_known, what="sixty guests to be at the gate or refused")
        await gate.open()
        endings = await asyncio.gather(*orders, return_exceptions=True)
    for engine in lending:
        await engine.dispose()
    assert all(isinstance(end, PoolTimeout | None) for end in endings), endings
    return endings.count(None)


async def refusal(url: str) -> Exception | None:
    """What the session hears that comes when all fifteen places are out."""
    engine = create_async_engine(url, pool_timeout=0.1)
    try:
        async with AsyncExitStack() as places:
            for _ in range(PLACES):
                await places.enter_async_context(engine.connect())
            async with AsyncSession(engine) as session:
                await session.get(Guest, 1)
    except Exception as error:
        return error
    finally:
        await engine.dispose()


async def trips(pg: Postgres, driver: str, ping: bool) -> int:
    """The round trips of a warm session with one query."""
    async with RoundTrips(pg.dsn) as net:
        url = net.dsn.replace("postgresql:", f"postgresql+{driver}:")
        engine = create_async_engine(url, pool_pre_ping=ping)
        for _ in range(3):
            net.reset()
            async with AsyncSession(engine) as session:
                await session.get(Guest, 1)
        count = net.trips
        await engine.dispose()
    return count


async def failing(pg: Postgres, driver: str, ping: bool) -> int:
    """Of five sessions, one after the other, how many fail when the server has ended their pool."""
    engine, failures = create_async_engine(pg.url(driver), pool_pre_ping=ping), 0
    async with AsyncExitStack() as places:
        for _ in range(5):
            await places.enter_async_context(engine.connect())
    async with desk(pg.dsn) as window:
        await window.execute(END)
    for _ in range(5):
        try:
            async with AsyncSession(engine) as session:
                await session.get(Guest, 1)
        except DBAPIError:
            failures += 1
    await engine.dispose()
    return failures


async def answered(pg: Postgres, patience: float, **settings: Any) -> bool:
    """Whether a session is answered in that time when the line of the pooled connection is silent.

    As behind a firewall that has forgotten it: a new connection would be answered.
    """
    async with RoundTrips(pg.dsn) as net:
        ways = iter((net.dsn, pg.dsn))

        async def connect() -> asyncpg.Connection:
            return await asyncpg.connect(next(ways))

        engine = create_async_engine(pg.url("asyncpg"), async_creator=connect, **settings)

        async def ask() -> None:
            async with AsyncSession(engine) as session:
                await session.get(Guest, 1)

        await ask()
        net.delay = 3600
        done, _ = await asyncio.wait([call := asyncio.create_task(ask())], timeout=patience)
        call.cancel()
        await asyncio.wait([call])
        await engine.dispose()
    return bool(done)


async def ended_inside(pg: Postgres, driver: str) -> str:
    """What a session with pre-ping hears whose connection is ended after its first query."""
    engine = create_async_engine(pg.url(driver), pool_pre_ping=True)
    said = "an answer"
    async with AsyncSession(engine) as session, desk(pg.dsn) as window:
        await session.get(Guest, 1)
        await window.execute(END)
        try:
            await session.get(Guest, 2)
        except DBAPIError as error:
            said = type(error).__name__
    await engine.dispose()
    return said


async def main() -> None:
    async with Postgres() as pg:
        await fill(pg.dsn)
        seen = await steps(pg)
        one = await inside(pg, pool_timeout=0.1)
        two = await inside(pg, engines=2, pool_timeout=0.1)
        zero = await inside(pg, pool_size=0, pool_timeout=0.1)
        without = await inside(pg, poolclass=NullPool)
        error = await refusal(pg.url("asyncpg"))
        kinds = [(driver, ping) for driver in ("asyncpg", "psycopg") for ping in (False, True)]
        price = {kind: await trips(pg, *kind) for kind in kinds}
        failed = {kind: await failing(pg, *kind) for kind in kinds}
        pinged, recycled = await asyncio.gather(
            answered(pg, 0.5, pool_pre_ping=True), answered(pg, 60, pool_recycle=0)
        )
        inside_one = [await ended_inside(pg, driver) for driver in ("asyncpg", "psycopg")]
    print("one session, after each step: places out, backend")
    for step, (out, backend) in seen.items():
        print(f"  {step:12} {out}  {backend}")
    print(f"of {GUESTS} guests at the gate: defaults {one}, two engines {two}")
    print(f"  pool_size=0 {zero}, NullPool {without}")
    print(f"the sixteenth: {type(error).__module__}.{type(error).__name__}")
    print(f"  {error}")
    print("one query: round trips; of 5 sessions after 5 connections were ended, failed")
    for driver, ping in kinds:
        how = "pre-ping" if ping else "-"
        print(f"  {driver}  {how:8}  {price[driver, ping]}  {failed[driver, ping]}")
    print(f"the pooled line is silent: pre-ping answered {pinged}, recycle answered {recycled}")
    print(f"pre-ping, ended after the session's first query: {', '.join(inside_one)}")
    claim(
        "session-has-a-place-until-commit",
        "A session takes its place with the first query, and commit() gives it back.",
        list(seen.values())
        == [
            (0, "no backend"),
            (1, "idle in transaction"),
            (0, "idle"),
            (1, "idle in transaction"),
            (0, "idle"),
        ],
    )
    claim(
        "default-engine-lets-fifteen-in",
        "Sixty guests, an engine with its defaults: 15 queries at once; two engines: 30.",
        (one, two) == (15, 30),
    )
    claim(
        "pool-size-zero-is-no-limit",
        "With pool_size=0 all sixty guests are in the database at once, as with NullPool.",
        (zero, without) == (GUESTS, GUESTS),
    )
    claim(
        "pool-refusal-is-not-pythons-timeout",
        "The sixteenth session hears of a QueuePool limit. It is not Python's TimeoutError.",
        str(error).startswith("QueuePool limit of size 5 overflow 10 reached, connection timed out")
        and not isinstance(error, TimeoutError),
    )
    claim(
        "pre-ping-costs-three-trips-or-one",
        "With pool_pre_ping a query is 6 round trips with asyncpg and 4 with psycopg, not 3.",
        list(price.values()) == [3, 6, 3, 4],
    )
    claim(
        "pre-ping-heals-what-was-ended",
        "Pooled connections were ended: without pre-ping one session fails, with it none.",
        list(failed.values()) == [1, 0, 1, 0],
    )
    claim(
        "recycle-replaces-without-asking",
        "On a line gone silent pool_pre_ping gets no answer; pool_recycle takes a new line.",
        (pinged, recycled) == (False, True),
    )
    claim(
        "pre-ping-asks-once-for-a-session",
        "With pre-ping a session still fails if its connection is ended after its first query.",
        "an answer" not in inside_one,
    )


if __name__ == "__main__":
    asyncio.run(main())
