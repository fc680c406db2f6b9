"""The tour: SQLAlchemy 2.1, asynchronous. First the Core, which builds SQL; then the ORM, on top.

Both send parameters without being asked: a comparison such as `tabs.c.guest == name` makes one.
asyncpg does the talking below, through a greenlet that lets ordinary code wait for `await`.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from importlib.metadata import requires
from typing import Any

import asyncpg
from sqlalchemy import Numeric, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import tour
from bench import Postgres, claim


class Base(DeclarativeBase):
    type_annotation_map = {  # noqa: RUF012 -- SQLAlchemy's own form
        datetime: TIMESTAMP(timezone=True),
        Decimal: Numeric(8, 2),
        dict[str, Any]: JSONB,
    }


class Tab(Base):
    __tablename__ = "tabs"
    id: Mapped[int] = mapped_column(primary_key=True)
    guest: Mapped[str]
    total: Mapped[Decimal]
    opened: Mapped[datetime]
    wishes: Mapped[dict[str, Any]]


VALUES = {
    "guest": tour.GUEST,
    "total": tour.TOTAL,
    "opened": tour.OPENED,
    "wishes": tour.WISHES,
}
EXPECTED = (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, tour.WISHES)


async def with_core(engine: AsyncEngine) -> bool:
    tabs = Tab.__table__
    before = tour.threads()
    async with engine.begin() as window:
        tab = await window.scalar(insert(tabs).values(**VALUES).returning(tabs.c.id))
        found = list(await window.scalars(select(tabs.c.id).where(tabs.c.guest == tour.GUEST)))
        await window.execute(update(tabs).where(tabs.c.id == tab).values(total=tour.NEW_TOTAL))
        row = (await window.execute(select(tabs).where(tabs.c.id == tab))).one()
        print("the Core:")
        tour.show("sqlalchemy", tour.threads() - before, row)
    return found == [tab] and tuple(row)[1:] == EXPECTED


async def with_orm(engine: AsyncEngine) -> bool:
    before = tour.threads()
    async with AsyncSession(engine) as session:
        tab = Tab(**VALUES | {"guest": tour.GUEST + "!"})
        session.add(tab)
        await session.commit()

        wanted = select(Tab).where(Tab.guest == tour.GUEST + "!")
        found = (await session.scalars(wanted)).all()
        found[0].total = tour.NEW_TOTAL  # the session notices, and sends an update
        await session.commit()
        await session.refresh(tab)
        print("the ORM:")
        tour.show("sqlalchemy", tour.threads() - before, tab)
    return found == [tab] and (tab.total, tab.opened, tab.wishes) == EXPECTED[1:]


async def main() -> None:
    async with Postgres() as pg:
        window = await asyncpg.connect(pg.dsn)
        await window.execute(tour.POSTGRESQL)
        await window.close()
        before = tour.threads()
        engine = create_async_engine(pg.url("asyncpg"))
        core, orm = await with_core(engine), await with_orm(engine)
        async with engine.connect() as connection:
            bound = await connection.scalar(text("select :name"), {"name": tour.GUEST})
        added = len(tour.threads() - before)
        await engine.dispose()
    claim(
        "tour-sqlalchemy-core",
        "SQLAlchemy Core: created, found, updated; jsonb as a dict, the rest as it was.",
        core and bound == tour.GUEST,
    )
    claim(
        "tour-sqlalchemy-orm",
        "SQLAlchemy ORM: created, found, updated by setting an attribute; no new thread.",
        orm and added == 0,
    )
    claim(
        "greenlet-is-an-extra",
        "SQLAlchemy 2.1 asks for greenlet only with the extra [asyncio].",
        [line.partition("; ")[2] for line in requires("sqlalchemy") if line.startswith("greenlet")]
        == ['extra == "asyncio"'],
    )


if __name__ == "__main__":
    asyncio.run(main())
