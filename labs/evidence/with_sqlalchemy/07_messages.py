"""A session sends three messages and waits three times: BEGIN, the query, ROLLBACK.

asyncpg's own pool waits twice for the same query, an engine in AUTOCOMMIT once. With
`pool_pre_ping` each checkout asks first, and that question has a transaction of its own.
Every count is of a warm pool, with a statement that the connection knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import asyncpg
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession
from tables import Guest, Order, fill

from bench import Postgres, RoundTrips, Wiretap, claim

Work = Callable[[], Awaitable[object]]
NAME = select(Guest.name).where(Guest.id == 1)
BY_ID = "select name from guest where id = 1"


async def asked(net: RoundTrips, work: Work) -> list[str]:
    """What `work` sends on each round trip, once it has been done twice.

    The first time it opens the connection, and the second time it pings it for the first time.
    """
    await work()
    await work()
    net.reset()
    await work()
    return net.messages


def a_session(engine: AsyncEngine, session_of: type[AsyncSession] = AsyncSession) -> Work:
    async def read() -> None:
        async with session_of(engine) as session:
            await session.scalar(NAME)

    return read


def added_and_refreshed(engine: AsyncEngine) -> Work:
    async def add() -> None:
        async with AsyncSession(engine) as session:
            session.add(guest := Guest(name="Ann"))
            await session.commit()
            await session.refresh(guest)

    return add


def ways(engine: AsyncEngine) -> dict[str, Work]:
    """Six ways to ask one thing."""

    async def nothing() -> None:
        async with AsyncSession(engine):
            pass

    async def commit() -> None:
        async with AsyncSession(engine) as session:
            await session.get(Guest, 1)
            await session.commit()

    async def write() -> None:
        async with AsyncSession(engine) as session:
            await session.execute(insert(Guest).values(name="Ann"))
            await session.commit()

    async def core() -> None:
        async with engine.connect() as connection:
            await connection.scalar(NAME)

    async def sqlmodel() -> None:
        async with SQLModelSession(engine) as session:
            (await session.exec(NAME)).one()

    return {
        "session, nothing asked": nothing,
        "session.scalar()": a_session(engine),
        "session.get(), commit()": commit,
        "session.execute(insert), commit()": write,
        "engine.connect(), scalar()": core,
        "SQLModel: session.exec()": sqlmodel,
    }


async def with_a_new_connection(net: RoundTrips, work: Work) -> int:
    """Round trips of `work` when it has to open a connection."""
    net.reset()
    await work()
    return net.trips


async def half_a_bill(engine: AsyncEngine) -> int:
    """How many of two orders are saved when the second one fails, and rollback() follows."""
    async with AsyncSession(engine) as session:
        await session.execute(insert(Order).values(dish="tart", guest_id=1))
        with suppress(IntegrityError):
            await session.execute(insert(Order).values(dish="tart", guest_id=-1))
        await session.rollback()
    async with AsyncSession(engine) as session:
        return len((await session.scalars(select(Order.id).where(Order.dish == "tart"))).all())


async def transcript(engine: AsyncEngine) -> list[str]:
    """What a session and PostgreSQL say to each other, in order."""
    async with engine.connect() as connection:
        driver = (await connection.get_raw_connection()).driver_connection
    async with Wiretap(driver) as wire:
        await a_session(engine)()
    return wire.transcript().splitlines()


async def main() -> None:
    sent: dict[str, list[str]] = {}
    new: dict[str, int] = {}
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await fill(pg.dsn, guests=1)
        url = net.dsn.replace("postgresql:", "postgresql+asyncpg:")
        psycopg = net.dsn.replace("postgresql:", "postgresql+psycopg:")

        async def raw() -> None:
            connection = await asyncpg.connect(net.dsn)
            await connection.fetchval(BY_ID)
            await connection.close()

        unpooled = create_async_engine(url, poolclass=NullPool)
        new["asyncpg.connect(), fetchval()"] = await with_a_new_connection(net, raw)
        for which in "the first of an engine", "the next, by NullPool":
            new[which] = await with_a_new_connection(net, a_session(unpooled))

        async with asyncpg.create_pool(net.dsn, min_size=1, max_size=1) as pool:
            sent["asyncpg: pool.fetchval()"] = await asked(net, lambda: pool.fetchval(BY_ID))

        engine = create_async_engine(url, pool_size=1, max_overflow=0)
        await asked(net, a_session(engine))
        lines = await transcript(engine)
        for name, work in ways(engine).items():
            sent[name] = await asked(net, work)
        sent["add(), commit(), refresh()"] = await asked(net, added_and_refreshed(engine))
        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        sent["AUTOCOMMIT: session.scalar()"] = await asked(net, a_session(autocommit))
        sent["the next ordinary session"] = await asked(net, a_session(engine))
        saved = await half_a_bill(engine), await half_a_bill(autocommit)
        await engine.dispose()

        for name, address, options in (
            ("pool_pre_ping", url, {}),
            ("pool_pre_ping, psycopg", psycopg, {}),
            ("pool_pre_ping, AUTOCOMMIT", url, {"isolation_level": "AUTOCOMMIT"}),
        ):
            pinged = create_async_engine(address, pool_pre_ping=True, **options)
            sent[f"{name}: session.scalar()"] = await asked(net, a_session(pinged))
            if name == "pool_pre_ping":
                again = added_and_refreshed(pinged)
                sent[f"{name}: add(), commit(), refresh()"] = await asked(net, again)
            await pinged.dispose()
    trips = {name: len(messages) for name, messages in sent.items()}

    print("round trips, and the messages of each (Q query, B bind, E execute, S sync)")
    for name, messages in sent.items():
        print(f"{name:42}{trips[name]:3}  {' '.join(messages)}".rstrip())
    print("\na query that has to open a connection: round trips")
    for name, number in new.items():
        print(f"{name:42}{number:3}")
    print("\none session.scalar(), message by message")
    print(*lines, sep="\n")
    print(f"\ntwo orders, the second fails, rollback(): {saved[0]} saved; AUTOCOMMIT: {saved[1]}")
    questions = [line.split()[-1] for line in lines if line.startswith("→ Q")]
    claim(
        "session-waits-three-times",
        "One query in a session is three round trips: BEGIN, the query, ROLLBACK.",
        trips["session.scalar()"] == 3 and questions == ["BEGIN;", "ROLLBACK;"],
    )
    claim(
        "three-trips-by-every-door",
        "With a commit, by Core or SQLModel: three trips too. A session that asks nothing: none.",
        [trips[name] for name in ways(engine)] == [0, 3, 3, 3, 3, 3],
    )
    claim(
        "autocommit-waits-once",
        "With AUTOCOMMIT the same session is one round trip; the next ordinary one is three.",
        (trips["AUTOCOMMIT: session.scalar()"], trips["the next ordinary session"]) == (1, 3),
    )
    claim(
        "autocommit-keeps-the-first-half",
        "In AUTOCOMMIT what was written before an error stays; rollback() takes nothing back.",
        saved == (0, 1),
    )
    claim(
        "refresh-begins-a-transaction",
        "add, commit and refresh are six round trips, as two sessions; with pool_pre_ping twelve.",
        [trips[f"{ping}add(), commit(), refresh()"] for ping in ("", "pool_pre_ping: ")] == [6, 12],
    )
    claim(
        "a-ping-is-a-transaction",
        "With pool_pre_ping: six round trips by asyncpg, four by psycopg, two in AUTOCOMMIT.",
        [
            trips[f"pool_pre_ping{and_}: session.scalar()"]
            for and_ in ("", ", psycopg", ", AUTOCOMMIT")
        ]
        == [6, 4, 2],
    )
    claim(
        "an-engine-asks-the-server-first",
        "A new connection with its query: 18 round trips, the engine's next 8, asyncpg's own 6.",
        list(new.values()) == [6, 18, 8],
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
