"""What the experiments with SQLAlchemy share: two tables, rows in them, and a look at the backends.

A guest has orders. `Guest` and `Order` are those tables for the ORM; a script that speaks of
SQLModel maps the same tables with its own classes. Connections that look or hold something are
named `desk`, so that they are not counted among those of an application.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import AsyncAttrs
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

TABLES = """
    drop table if exists orders, guest;
    create table guest (id serial primary key, name text not null);
    create table orders (
        id serial primary key, dish text not null, guest_id int not null references guest);"""
DESK = {"application_name": "desk"}


class Base(AsyncAttrs, DeclarativeBase):
    pass


class Guest(Base):
    __tablename__ = "guest"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    orders: Mapped[list[Order]] = relationship(back_populates="guest")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    dish: Mapped[str]
    guest_id: Mapped[int] = mapped_column(ForeignKey("guest.id"))
    guest: Mapped[Guest] = relationship(back_populates="orders")


@asynccontextmanager
async def desk(dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection of the experiment itself; `dsn` is `Postgres.dsn`."""
    connection = await asyncpg.connect(dsn, server_settings=DESK)
    try:
        yield connection
    finally:
        await connection.close()


async def fill(dsn: str, guests: int = 50, each: int = 2) -> None:
    """Make both tables anew, with that many guests and orders for each of them."""
    async with desk(dsn) as connection:
        await connection.execute(TABLES)
        await connection.execute(
            "insert into guest (name) select 'guest ' || n from generate_series(1, $1) n", guests
        )
        await connection.execute(
            """insert into orders (dish, guest_id)
               select 'soup', g from generate_series(1, $1) g, generate_series(1, $2)""",
            guests,
            each,
        )


async def states(connection: asyncpg.Connection) -> Counter[str]:
    """How many of this database's backends are in which state, seen from a desk.

    Neither desks are counted nor the holders of a `Gate`.
    """
    rows = await connection.fetch(
        """select state from pg_stat_activity
           where datname = current_database() and backend_type = 'client backend'
             and application_name <> 'desk' and application_name not like 'gate:%'"""
    )
    return Counter(row["state"] for row in rows)
