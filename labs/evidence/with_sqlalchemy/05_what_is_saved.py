"""What a session's commit() saves, and how many round trips it takes.

commit() marks the objects as expired, so `refresh()` begins a second transaction: 6 trips
instead of 3. An error of execute() that is caught leaves nothing, and commit() returns as
always; a savepoint saves the rest for two more trips, `on conflict do nothing` for none.
AUTOCOMMIT for one route is one trip, and no statement of it can be undone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession
from tables import Guest, desk, fill

from bench import Postgres, RoundTrips, claim

ORDER = text("insert into orders (dish, guest_id) values ('pie', 1)")
KNOWN = text("insert into guest (id, name) values (1, 'again')")
UNLESS_KNOWN = text("insert into guest (id, name) values (1, 'again') on conflict do nothing")
PIES = "select count(*) from orders where dish = 'pie'"
WHO = text("select pg_backend_pid()")

Work = Callable[[AsyncSession], Awaitable[object]]


class Visitor(SQLModel, table=True):
    """The table `guest`, as SQLModel maps it."""

    __tablename__ = "guest"
    id: int | None = Field(default=None, primary_key=True)
    name: str


async def plain(session: AsyncSession) -> object:
    await session.execute(ORDER)
    with suppress(IntegrityError):
        await session.execute(KNOWN)  # this guest is known: a duplicate key
    return await session.commit()


async def savepoint(session: AsyncSession) -> object:
    await session.execute(ORDER)
    with suppress(IntegrityError):
        async with session.begin_nested():
            await session.execute(KNOWN)
    return await session.commit()


async def on_conflict(session: AsyncSession) -> object:
    await session.execute(ORDER)
    await session.execute(UNLESS_KNOWN)
    return await session.commit()


async def with_exec(session: SQLModelSession) -> object:
    """SQLModel's own way: its session and `exec`."""
    await session.exec(ORDER)
    with suppress(IntegrityError):
        await session.exec(KNOWN)
    return await session.commit()


async def one_of_two(session: AsyncSession) -> None:
    """Two writes, the second fails, and nobody catches it: the session rolls back."""
    await session.execute(ORDER)
    await session.execute(KNOWN)
    await session.commit()


async def add(session: AsyncSession) -> str:
    """Save a guest and read the name: an expired one must be asked for again."""
    table = Visitor if isinstance(session, SQLModelSession) else Guest
    session.add(guest := table(name="Ann"))
    await session.commit()
    if session.sync_session.expire_on_commit:
        await session.refresh(guest)
    return guest.name


async def ask(session: AsyncSession) -> int:
    return await session.scalar(WHO)


class Bistro:
    """A database behind a counter of round trips, and engines on it."""

    def __init__(self, net: RoundTrips, dsn: str) -> None:
        self.net, self.dsn = net, dsn
        self.engine = create_async_engine(net.dsn.replace("postgresql:", "postgresql+asyncpg:"))
        self.autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    async def trips(
        self, work: Work, engine: AsyncEngine | None = None, kind: type = AsyncSession, **how: bool
    ) -> tuple[object, int]:
        """What the work returns and its trips in a session of its own, once it is known there."""
        for _ in range(2):  # the first time, asyncpg prepares each statement
            self.net.reset()
            async with kind(engine or self.engine, **how) as session:
                result = await work(session)
        return result, self.net.trips

    async def pies(
        self, work: Work, engine: AsyncEngine | None = None, kind: type = AsyncSession
    ) -> int:
        """How many pies a session leaves that orders one. An error at its end is expected."""
        async with desk(self.dsn) as look:
            await look.execute("delete from orders")
            with suppress(IntegrityError):
                async with kind(engine or self.engine) as session:
                    await work(session)
            return await look.fetchval(PIES)


async def main() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await fill(pg.dsn)
        bistro = Bistro(net, pg.dsn)
        saves = {
            work.__name__: (*await bistro.trips(work), await bistro.pies(work))
            for work in (plain, savepoint, on_conflict)
        }
        refreshed = await bistro.trips(add)
        kept = await bistro.trips(add, expire_on_commit=False)
        fast = await bistro.trips(ask, bistro.autocommit)
        ordinary = await bistro.trips(ask)
        half = await bistro.pies(one_of_two, bistro.autocommit)
        whole = await bistro.pies(one_of_two)
        model = await bistro.trips(add, kind=SQLModelSession)
        model_kept = await bistro.trips(add, kind=SQLModelSession, expire_on_commit=False)
        model_pies = await bistro.pies(with_exec, kind=SQLModelSession)
        await bistro.engine.dispose()
    print(f"add, commit, refresh:               {refreshed[1]} trips")
    print(f"the same, expire_on_commit=False:   {kept[1]} trips")
    for name, (said, trips, pies) in saves.items():
        print(f"{name:11} commit() returns {said}, orders saved {pies} of 1, {trips} trips")
    print(f"one query:  AUTOCOMMIT {fast[1]} trip, then ordinary {ordinary[1]} trips,", end=" ")
    print("on the same connection" if fast[0] == ordinary[0] else "on another connection")
    print(f"two writes, the second fails: AUTOCOMMIT keeps {half}, an ordinary session {whole}")
    print(f"SQLModel:   {model[1]} and {model_kept[1]} trips; error caught: {model_pies} of 1")
    claim(
        "refresh-doubles-the-trips",
        "add, commit, refresh: 6 round trips. With expire_on_commit=False: 3.",
        (refreshed, kept) == (("Ann", 6), ("Ann", 3)),
    )
    claim(
        "caught-in-a-session-saves-none",
        "An error of execute() is caught: commit() returns None, and 0 of 1 orders are saved.",
        saves["plain"] == (None, 4, 0),
    )
    claim(
        "begin-nested-saves-the-order",
        "With begin_nested() 1 of 1 is saved, for 6 trips instead of 4.",
        saves["savepoint"] == (None, 6, 1),
    )
    claim(
        "on-conflict-saves-the-order",
        "With on conflict do nothing 1 of 1 is saved, for the same 4 trips.",
        saves["on_conflict"] == (None, 4, 1),
    )
    claim(
        "autocommit-for-one-route-is-one-trip",
        "A session in AUTOCOMMIT: 1 trip. The next ordinary one, same connection: 3.",
        fast[0] == ordinary[0] and (fast[1], ordinary[1]) == (1, 3),
    )
    claim(
        "autocommit-keeps-half-of-the-work",
        "Two writes, the second fails: AUTOCOMMIT keeps the first, an ordinary session none.",
        (half, whole) == (1, 0),
    )
    claim(
        "sqlmodel-commits-as-sqlalchemy",
        "SQLModel's session: 6 and 3 trips; an error caught: 0 of 1 saved.",
        (model[1], model_kept[1], model_pies) == (6, 3, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
