"""What reading an object of the ORM gives, and what its relations cost in round trips.

After commit() or rollback() an object is expired, its primary key too. Reading it would need a
query, which nobody awaits there: MissingGreenlet; with the session closed, DetachedInstanceError.
`repr` and `model_dump` say nothing: they show an object without values. A relation that was not
loaded is one trip for each object; `selectinload` is one for all, `joinedload` adds none.

`expire_on_commit=False` keeps what was loaded, as it was then. It does not hold for a rollback, nor
for a value that the database has computed in an UPDATE; `eager_defaults` brings `onupdate` along.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Mapped, joinedload, mapped_column, raiseload, selectinload
from sqlalchemy.orm.interfaces import ORMOption
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelSession
from tables import Base, Guest, desk, fill

from bench import Postgres, RoundTrips, claim

GUESTS, EACH = 50, 2
DISHES = "create table dish (id serial primary key, price int, written timestamp default now())"


class Visitor(SQLModel, table=True):
    """The table `guest`, as SQLModel maps it."""

    __tablename__ = "guest"
    id: int | None = Field(default=None, primary_key=True)
    name: str


class Dish(Base):
    """A row that the database stamps when it is written."""

    __tablename__ = "dish"
    id: Mapped[int] = mapped_column(primary_key=True)
    price: Mapped[int]
    written: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class EagerDish(Base):
    """The same table; an UPDATE returns what the database has computed."""

    __table__ = Dish.__table__
    __mapper_args__: ClassVar = {"eager_defaults": True}


def told(read: Callable[[], object]) -> str:
    """The value, or the error's name and its text without an address."""
    try:
        return repr(read())
    except SQLAlchemyError as error:
        text = re.sub(r" at 0x\w+", "", str(error).partition(" (Background")[0])
        return f"{type(error).__name__}: {text}"


async def readings(url: str) -> dict[str, str]:
    """What each way to read gives, by the state of the object."""
    engine = create_async_engine(url)
    said = {}
    async with AsyncSession(engine) as session:
        guest = await session.get(Guest, 1)
        said["a relation not loaded"] = told(lambda: guest.orders)
        said["… in run_sync"] = await session.run_sync(lambda _: told(lambda: len(guest.orders)))
        await session.commit()
        said["after commit: name"] = told(lambda: guest.name)
        said["after commit: id"] = told(lambda: guest.id)
        await session.refresh(guest)
        await session.rollback()
        said["after rollback: name"] = told(lambda: guest.name)
        quiet = await session.get(Guest, 2, options=[raiseload(Guest.orders)])
        said['lazy="raise"'] = told(lambda: quiet.orders)
        await session.commit()
    said["session closed: name"] = told(lambda: guest.name)
    said["session closed: orders"] = told(lambda: guest.orders)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        guest = await session.get(Guest, 1)
        await session.commit()
        said["not expired: name"] = told(lambda: guest.name)
        await session.refresh(guest)
        await session.rollback()
        said["not expired, rollback"] = told(lambda: guest.name)
    async with SQLModelSession(engine) as session:
        visitor = await session.get(Visitor, 1)
        await session.commit()
        said["SQLModel: name"] = told(lambda: visitor.name)
        said["SQLModel: repr"] = repr(visitor)
        said["SQLModel: model_dump"] = repr(visitor.model_dump())
    await engine.dispose()
    return said


async def changes_elsewhere(url: str) -> list[str]:
    """A kept name, after others have changed it: as it stands, selected again, and refreshed."""
    engine = create_async_engine(url)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        guest = await session.get(Guest, 1)
        await session.commit()
        async with engine.begin() as others:
            await others.execute(update(Guest).where(Guest.id == 1).values(name="Bea"))
        names = [guest.name]
        names.append((await session.scalars(select(Guest).where(Guest.id == 1))).one().name)
        await session.refresh(guest)
        names.append(guest.name)
    await engine.dispose()
    return names


async def computed(net: RoundTrips, table: type[Dish | EagerDish]) -> tuple[list[str], int]:
    """A new dish's `written`; after an UPDATE its `written`, and a price counted up by SQL.

    Then the round trips of the whole session.
    """
    engine = create_async_engine(net.dsn.replace("postgresql:", "postgresql+asyncpg:"))
    for _ in range(2):  # the first time connects, and prepares each statement
        net.reset()
        async with AsyncSession(engine, expire_on_commit=False) as session:
            session.add(dish := table(price=8))
            await session.commit()
            read = [told(lambda dish=dish: type(dish.written).__name__)]
            dish.price = table.price + 1
            await session.commit()
            read.append(told(lambda dish=dish: type(dish.written).__name__))
            read.append(told(lambda dish=dish: dish.price))
        trips = net.trips
    await engine.dispose()
    return [text.strip("'").partition(":")[0] for text in read], trips


async def all_of_a_join(url: str) -> str:
    """What `.all()` gives for a list that is joined, without `.unique()`."""
    engine = create_async_engine(url)
    async with AsyncSession(engine) as session:
        guests = await session.scalars(select(Guest).options(joinedload(Guest.orders)))
        said = told(guests.all)
    await engine.dispose()
    return said


async def trips_of(net: RoundTrips, *options: ORMOption) -> tuple[int, int]:
    """Orders read and round trips of a whole session that lists all guests with their orders."""
    engine = create_async_engine(net.dsn.replace("postgresql:", "postgresql+asyncpg:"))
    for _ in range(2):  # the first time connects, and prepares each statement
        net.reset()
        async with AsyncSession(engine) as session:
            query = select(Guest).options(*options)
            guests = (await session.scalars(query)).unique().all()
            orders: list[Any] = []
            for guest in guests:
                orders += guest.orders if options else await guest.awaitable_attrs.orders
        trips = net.trips
    await engine.dispose()
    return len(orders), trips


async def main() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await fill(pg.dsn, GUESTS, EACH)
        said = await readings(pg.url("asyncpg"))
        one_by_one = await trips_of(net)
        selected = await trips_of(net, selectinload(Guest.orders))
        joined = await trips_of(net, joinedload(Guest.orders))
        not_unique = await all_of_a_join(pg.url("asyncpg"))
        async with desk(pg.dsn) as connection:
            await connection.execute(DISHES)
        lazy, eager = await computed(net, Dish), await computed(net, EagerDish)
        names = await changes_elsewhere(pg.url("asyncpg"))
    for what, says in said.items():
        print(f"{what:22}  {says}")
    print(
        f"{GUESTS} guests, {EACH} orders each, in round trips: awaitable_attrs one by one", end=" "
    )
    print(f"{one_by_one[1]}, selectinload {selected[1]}, joinedload {joined[1]}")
    print(f"joinedload, .all(): {not_unique}")
    print(f"kept, changed by others, in turn kept, selected, refreshed: {', '.join(names)}")
    for name, (read, trips) in {"": lazy, ", eager_defaults": eager}.items():
        inserted, stamped, counted = read
        print(f"computed{name}: INSERT {inserted}; UPDATE {stamped}, {counted}; {trips} trips")
    missing = "MissingGreenlet: greenlet_spawn has not been called; "
    claim(
        "an-expired-object-is-missing-greenlet",
        "After commit or rollback reading the name is MissingGreenlet, the primary key too.",
        all(said[what].startswith(missing) for what in said if what.startswith("after")),
    )
    claim(
        "a-closed-session-is-detached",
        "With the session closed an expired object is DetachedInstanceError.",
        all("DetachedInstanceError: " in said[w] for w in said if w.startswith("session closed")),
    )
    claim(
        "run-sync-loads-lazily",
        "In run_sync the same lazy relation is read: 2 orders.",
        (said["a relation not loaded"][:16], said["… in run_sync"]) == ("MissingGreenlet:", "2"),
    )
    claim(
        "lazy-raise-names-the-relation",
        'With lazy="raise" the error names the relation that was not loaded.',
        said['lazy="raise"']
        == "InvalidRequestError: 'Guest.orders' is not available due to lazy='raise'",
    )
    claim(
        "expire-on-commit-false-keeps-values",
        "With expire_on_commit=False the name is there after the commit.",
        said["not expired: name"] == "'guest 1'",
    )
    claim(
        "sqlmodel-shows-nothing-silently",
        "An expired object of SQLModel: repr is Visitor(), model_dump() is {}, no error.",
        (said["SQLModel: repr"], said["SQLModel: model_dump"]) == ("Visitor()", "{}")
        and said["SQLModel: name"].startswith(missing),
    )
    claim(
        "one-by-one-is-a-trip-each",
        "50 guests and their orders: one by one 53 trips.",
        one_by_one == (GUESTS * EACH, 53),
    )
    claim(
        "loading-options-are-three-and-four",
        "With selectinload 4 trips, with joinedload 3.",
        (selected, joined) == ((GUESTS * EACH, 4), (GUESTS * EACH, 3)),
    )
    claim(
        "joinedload-of-a-list-needs-unique",
        "joinedload of a list: .all() without .unique() is InvalidRequestError.",
        not_unique.startswith("InvalidRequestError: The unique() method must be invoked"),
    )
    claim(
        "a-rollback-expires-in-any-case",
        "After a rollback reading the name is MissingGreenlet, with expire_on_commit=False, too.",
        said["not expired, rollback"].startswith(missing),
    )
    claim(
        "kept-values-are-old-values",
        "A kept name that others change: old, also when it is selected again; refresh() reads it.",
        names == ["guest 1", "guest 1", "Bea"],
    )
    claim(
        "an-update-expires-what-it-computes",
        "expire_on_commit=False: values of an INSERT are there, those that an UPDATE computes not.",
        lazy[0] == ["datetime", "MissingGreenlet", "MissingGreenlet"],
    )
    claim(
        "eager-defaults-come-along",
        "eager_defaults: onupdate's value is there, after as many trips; a price + 1 is not.",
        eager == (["datetime", "datetime", "MissingGreenlet"], lazy[1]),
    )


if __name__ == "__main__":
    asyncio.run(main())
