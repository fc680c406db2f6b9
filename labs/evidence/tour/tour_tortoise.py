"""The tour: Tortoise ORM, models in the manner of Django, asynchronous from the start.

asyncpg does the talking below. Tortoise always sends parameters; raw SQL takes them as `$1`.
"""

from __future__ import annotations

import asyncio

import asyncpg
from tortoise import Model, fields
from tortoise.context import TortoiseContext

import tour
from bench import Postgres, claim


class Tab(Model):
    id = fields.IntField(primary_key=True)
    guest = fields.TextField()
    total = fields.DecimalField(max_digits=8, decimal_places=2)
    opened = fields.DatetimeField()
    wishes = fields.JSONField()

    class Meta:
        table = "tabs"


async def main() -> None:
    async with Postgres() as pg:
        window = await asyncpg.connect(pg.dsn)
        await window.execute(tour.POSTGRESQL)
        await window.close()
        before = tour.threads()
        async with TortoiseContext() as context:
            await context.init(
                db_url=pg.dsn.replace("postgresql://", "asyncpg://"),
                modules={"models": ["__main__"]},
            )

            tab = await Tab.create(
                guest=tour.GUEST, total=tour.TOTAL, opened=tour.OPENED, wishes=tour.WISHES
            )
            found = await Tab.filter(guest=tour.GUEST).values_list("id", flat=True)
            await Tab.filter(id=tab.id).update(total=tour.NEW_TOTAL)
            row = await Tab.get(id=tab.id)

            tour.show("tortoise-orm", tour.threads() - before, row)
            added = len(tour.threads() - before)
    claim(
        "tour-tortoise",
        "Tortoise ORM: created, found, updated; no new thread; jsonb as a dict.",
        (found, added) == ([tab.id], 0)
        and (row.guest, row.total, row.opened, row.wishes)
        == (tour.GUEST, tour.NEW_TOTAL, tour.OPENED, tour.WISHES),
    )


if __name__ == "__main__":
    asyncio.run(main())
