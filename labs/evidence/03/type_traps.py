"""Types that surprise people who come to asyncpg from psycopg, and the cure for each.

asyncpg asks the server for the type of each parameter and takes exactly that; psycopg sends text
and lets the server convert. The clock of this script is five hours behind UTC, whatever yours is.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import asyncpg
import psycopg

from bench import Postgres, claim

os.environ["TZ"] = "EST5"  # POSIX for: UTC minus five hours, no summer time
if hasattr(time, "tzset"):  # not on Windows, which reads TZ by itself
    time.tzset()

TABLE = """
    create table receipts (
        table_number int, note text, paid numeric, details jsonb,
        opened timestamptz, printed timestamp
    )"""
NOON = datetime(2026, 7, 1, 12, 0)


async def refused(window: asyncpg.Connection, sql: str, value: object) -> bool:
    """Whether asyncpg refuses the value before it sends anything; prints what it says."""
    try:
        await window.execute(sql, value)
    except asyncpg.DataError as error:
        print(f"{value!r:36.36} {error}".replace("invalid input for query argument ", ""))
        return True
    return False


async def main() -> None:
    async with Postgres() as pg:
        window = await asyncpg.connect(pg.dsn)
        await window.execute(TABLE)
        insert = "insert into receipts ({}) values ($1)".format

        print("-- refused by asyncpg")
        wrong = [
            await refused(window, insert("table_number"), "5"),
            await refused(window, insert("note"), 5),
            await refused(window, insert("details"), {"tip": 2}),
            await refused(window, insert("opened"), "2026-07-01"),
            await refused(window, insert("printed"), NOON.replace(tzinfo=UTC)),
            await refused(window, "select * from receipts where table_number in ($1)", [5, 6]),
        ]
        with psycopg.connect(pg.dsn) as other:
            other.execute("insert into receipts (table_number) values (%s)", ["5"])
        converted = await window.fetchval("select table_number from receipts")

        await window.execute(insert("details"), json.dumps({"tip": 2}))
        details = await window.fetchval("select details from receipts where details is not null")
        await window.set_type_codec(
            "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
        )
        decoded = await window.fetchval("select details from receipts where details is not null")
        paid = await window.fetchval("select 12.50::numeric")
        listed = await window.fetchval("select 5 = any($1::int[])", [5, 6])

        await window.execute(insert("opened"), NOON)
        opened = await window.fetchval("select opened from receipts where opened is not null")
        await window.close()

    print("-- read back")
    print(f"jsonb:             {details!r}, with a codec {decoded!r}")
    print(f"numeric:           {paid!r}")
    print(f"noon without zone: {opened.isoformat()}")
    claim(
        "asyncpg-checks-argument-types",
        "asyncpg refuses text for int, int for text, a dict for jsonb and a list for IN.",
        wrong == [True] * 6,
    )
    claim(
        "psycopg-lets-the-server-convert",
        "psycopg sends the text 5 for an int column, and PostgreSQL stores the number 5.",
        converted == 5,
    )
    claim(
        "jsonb-comes-back-as-text",
        "asyncpg returns jsonb as text, until a codec is set for the connection.",
        (details, decoded) == ('{"tip": 2}', {"tip": 2}),
    )
    claim(
        "numeric-comes-back-as-decimal",
        "asyncpg returns numeric as Decimal.",
        (type(paid), paid) == (Decimal, Decimal("12.50")),
    )
    claim(
        "any-takes-a-list",
        "A list goes into = any($1), as one parameter.",
        listed is True,
    )
    claim(
        "naive-time-is-local-time",
        "A time without a zone, sent to timestamptz, is taken as the client's local time.",
        opened == (NOON + timedelta(hours=5)).replace(tzinfo=UTC),
    )


if __name__ == "__main__":
    asyncio.run(main())
