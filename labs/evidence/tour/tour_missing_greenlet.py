"""The tour: what surprises people who bring SQLAlchemy's ORM to async: MissingGreenlet.

Reading an attribute may need a query. In blocking code the ORM sends it; here there is nobody to
await it. The cure is to say before what will be read.
"""

from __future__ import annotations

import asyncio

from sqlalchemy import ForeignKey, select
from sqlalchemy.exc import MissingGreenlet
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

from bench import Postgres, claim


class Base(DeclarativeBase):
    pass


class Tab(Base):
    __tablename__ = "tabs"
    id: Mapped[int] = mapped_column(primary_key=True)
    guest: Mapped[str]
    lines: Mapped[list[Line]] = relationship()


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    tab_id: Mapped[int] = mapped_column(ForeignKey("tabs.id"))
    dish: Mapped[str]


def reading(read) -> str:
    """What comes of reading an attribute outside `await`."""
    try:
        return repr(read())
    except MissingGreenlet as error:
        return f"MissingGreenlet: {str(error).partition(';')[0]}"


async def main() -> None:
    read = {}
    async with Postgres() as pg:
        engine = create_async_engine(pg.url("asyncpg"))
        async with engine.begin() as window:
            await window.run_sync(Base.metadata.create_all)
        async with AsyncSession(engine) as session:
            tab = Tab(guest="Bo", lines=[Line(dish="Onion soup")])
            session.add(tab)
            await session.commit()
            read["after commit"] = reading(lambda: tab.guest)
        async with AsyncSession(engine) as session:
            tab = await session.scalar(select(Tab))
            read["lazily"] = reading(lambda: tab.lines[0].dish)
        async with AsyncSession(engine, expire_on_commit=False) as session:
            tab = await session.scalar(select(Tab).options(selectinload(Tab.lines)))
            await session.commit()
            read["loaded before"] = reading(lambda: (tab.guest, tab.lines[0].dish))
        await engine.dispose()
    for when, what in read.items():
        print(f"{when:14} {what}")
    claim(
        "lazy-reading-is-missing-greenlet",
        "Reading a relation lazily, or any attribute after a commit, is MissingGreenlet.",
        all(read[when].startswith("MissingGreenlet") for when in ("after commit", "lazily")),
    )
    claim(
        "loading-before-is-the-cure",
        "With selectinload and expire_on_commit=False, both can be read.",
        read["loaded before"] == "('Bo', 'Onion soup')",
    )


if __name__ == "__main__":
    asyncio.run(main())
