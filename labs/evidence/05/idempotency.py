"""The reply to an order is lost, and the guest orders again. Once, or twice?

The database commits and then ends the session, so the client gets an error for an order that is
saved. With a key of the guest's own, the second order finds the first one and returns its answer.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

TABLE = """
    create table sold (id int generated always as identity primary key, dish int not null);
    create table answers (key text primary key, dish int not null, sold int references sold);"""
SELL = "insert into sold (dish) values ($1) returning id"
BLOCKED = """
    select count(*) from pg_stat_activity
    where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0"""


class SameKeyOtherOrder(Exception):
    """The key belongs to another order: a mistake of the client, 422."""


async def lost_reply(dsn: str, sql: str) -> str:
    """Commit `sql` and lose the answer; return the class of the error that the client gets."""
    window = await asyncpg.connect(dsn)
    try:
        await window.execute(f"begin; {sql}; commit; select pg_terminate_backend(pg_backend_pid())")
        return "none"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
        return "an error"
    finally:
        window.terminate()


async def order(pool: asyncpg.Pool, key: str, dish: int, seconds: float | None = None) -> int:
    """Sell one `dish` for this key, in the same transaction as the key itself.

    Whoever comes with the same key waits until the first transaction has ended, and then gets its
    answer. Raises SameKeyOtherOrder.
    """
    async with pool.acquire() as window, window.transaction():
        mine = await window.fetchval(
            "insert into answers (key, dish) values ($1, $2) on conflict do nothing returning key",
            key,
            dish,
        )
        if mine is None:
            first = await window.fetchrow("select dish, sold from answers where key = $1", key)
            if first["dish"] != dish:
                raise SameKeyOtherOrder(key)
            return first["sold"]
        if seconds is not None:
            await window.execute("select cook($1)", seconds)
        number = await window.fetchval(SELL, dish)
        await window.execute("update answers set sold = $2 where key = $1", key, number)
        return number


async def at_the_same_time(dsn: str, pool: asyncpg.Pool) -> tuple[int, int]:
    """The answers to two orders with one key; the second comes before the first is done."""

    async def second_waits() -> bool:  # the gate blocks the first, and the first blocks the second
        return await pool.fetchval(BLOCKED) >= 2

    async with Gate(dsn) as gate, asyncio.TaskGroup() as group:
        slow = group.create_task(order(pool, "b2", 3, seconds=0))
        await gate.until_waiting(1)
        impatient = group.create_task(order(pool, "b2", 3))
        await until(second_waits)
        await gate.open()
    return slow.result(), impatient.result()


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with asyncpg.create_pool(pg.dsn, min_size=4, max_size=4) as pool:
            await pool.execute(TABLE)

            async def sold() -> int:
                return await pool.fetchval("select count(*) from sold")

            told = await lost_reply(pg.dsn, "insert into sold (dish) values (1)")
            saved = await sold()
            await pool.execute(SELL, 1)  # the guest, or a careful library, tries again
            without = await sold()

            before = await sold()
            first = await order(pool, "a1", 2)  # the reply to this one is lost
            again = await order(pool, "a1", 2)
            with_key = await sold() - before

            before = await sold()
            both = await at_the_same_time(pg.dsn, pool)
            at_once = await sold() - before
            try:
                await order(pool, "b2", 4)
                other = "accepted"
            except SameKeyOtherOrder:
                other = "refused"
    print(f"commit, then a lost reply: the client gets {told}, saved: {saved}; again: {without}")
    print(f"with a key, twice: {with_key} sold, same answer: {first == again}")
    print(f"with a key, at the same time: {at_once} sold, same answer: {both[0] == both[1]}")
    print(f"the same key for another dish: {other}")
    claim(
        "an-error-may-be-a-success",
        "The commit is done, its answer is lost: the client gets an error for a saved order.",
        (told, saved) == ("an error", 1),
    )
    claim(
        "repeating-without-a-key-sells-twice",
        "Without a key the repeated order is a second one.",
        without == 2,
    )
    claim(
        "a-key-sells-once",
        "With a key the repeated order returns the first one's number; one is sold.",
        (with_key, again) == (1, first),
    )
    claim(
        "a-key-waits-for-its-twin",
        "Two orders with one key at the same time: the second waits; one is sold.",
        (at_once, both[0]) == (1, both[1]),
    )
    claim(
        "a-key-belongs-to-one-order",
        "The same key with another order is refused.",
        other == "refused",
    )


if __name__ == "__main__":
    asyncio.run(main())
