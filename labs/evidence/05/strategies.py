"""Ten tasks add one to the same row: six ways to do it, and what each design gives.

Where tasks read before they write, a barrier lets all ten read before the first one writes. That
is the worst case, and it is the same on every machine. With a lock nobody else can read, so
there the first task waits until nine are seen waiting for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import partial

import asyncpg

from bench import Postgres, claim, until

TEN = 10
READ = "select n from counter"
WRITE = "update counter set n = $1"
WAITING = (
    "select count(*) from pg_locks where not granted and locktype in ('transactionid', 'tuple')"
)


async def read_then_write(pool: asyncpg.Pool, all_read: asyncio.Barrier, isolation: str) -> str:
    async with pool.acquire() as window, window.transaction(isolation=isolation):
        n = await window.fetchval(READ)
        await all_read.wait()
        await window.execute(WRITE, n + 1)
    return "ok"


async def with_retries(pool: asyncpg.Pool, all_read: asyncio.Barrier) -> str:
    """SERIALIZABLE, repeated from the read until it is accepted. Only the first try is held."""
    tries = 0
    while True:
        tries += 1
        try:
            async with pool.acquire() as window, window.transaction(isolation="serializable"):
                n = await window.fetchval(READ)
                if tries == 1:
                    await all_read.wait()
                await window.execute(WRITE, n + 1)
            return f"ok after {'the first try' if tries == 1 else 'more tries'}"
        except asyncpg.SerializationError:
            await asyncio.sleep(0)


async def lock_then_write(pool: asyncpg.Pool, all_read: asyncio.Barrier) -> str:
    async with pool.acquire() as window, window.transaction():
        n = await window.fetchval(READ + " for update")
        if n == 0:  # the first: everybody else is at the row before it goes on
            await until(partial(others_wait, window))
        await window.execute(WRITE, n + 1)
    return f"read {n}"


async def others_wait(window: asyncpg.Connection) -> bool:
    return await window.fetchval(WAITING) >= TEN - 1


async def one_update(pool: asyncpg.Pool, all_read: asyncio.Barrier) -> str:
    await pool.execute("update counter set n = n + 1")
    return "ok"


async def compare_and_set(pool: asyncpg.Pool, all_read: asyncio.Barrier) -> str:
    """Write only if the row still says what was read; the command tag tells whether it did."""
    async with pool.acquire() as window:
        n = await window.fetchval(READ)
        await all_read.wait()
        return await window.execute("update counter set n = $1 where n = $2", n + 1, n)


async def race(dsn: str, work, size: int = TEN) -> tuple[int, Counter]:
    """What the row says after ten tasks on a pool of `size`, and what became of the tasks."""
    async with asyncpg.create_pool(dsn, min_size=size, max_size=size) as pool:
        await pool.execute("drop table if exists counter")
        await pool.execute("create table counter as select 0 as n")
        all_read = asyncio.Barrier(size)
        tasks = [work(pool, all_read) for _ in range(TEN)]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        return await pool.fetchval(READ), Counter(getattr(end, "sqlstate", end) for end in ends)


async def main() -> None:
    read_write = {
        level: partial(read_then_write, isolation=level.lower().replace(" ", "_"))
        for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
    }
    async with Postgres() as pg:
        ends = {level: await race(pg.dsn, work) for level, work in read_write.items()}
        ends["two waves of five"] = await race(pg.dsn, read_write["READ COMMITTED"], size=5)
        ends["SERIALIZABLE, retried"] = await race(pg.dsn, with_retries)
        ends["FOR UPDATE"] = await race(pg.dsn, lock_then_write)
        ends["one UPDATE"] = await race(pg.dsn, one_update)
        ends["compare and set"] = await race(pg.dsn, compare_and_set)
    for name, (n, outcomes) in ends.items():
        kinds = [f"{count} x {kind}" for kind, count in sorted(outcomes.items())]
        said = ", ".join(kinds if len(kinds) < TEN else [kinds[0], "…", kinds[-1]])
        print(f"{name:22} ends at {n:2}   {said}")
    claim(
        "read-committed-loses-nine",
        "READ COMMITTED, all read first: the row ends at 1, and nobody gets an error.",
        ends["READ COMMITTED"] == (1, {"ok": TEN}),
    )
    claim(
        "two-waves-end-at-two",
        "The same ten tasks on a pool of five read in two waves: the row ends at 2.",
        ends["two waves of five"] == (2, {"ok": TEN}),
    )
    claim(
        "stricter-levels-refuse-nine",
        "REPEATABLE READ and SERIALIZABLE end at 1 too, and refuse nine with SQLSTATE 40001.",
        ends["REPEATABLE READ"] == ends["SERIALIZABLE"] == (1, {"ok": 1, "40001": 9}),
    )
    claim(
        "refused-and-retried-ends-at-ten",
        "SERIALIZABLE with retries ends at 10; nine tasks need more than one try.",
        ends["SERIALIZABLE, retried"]
        == (TEN, {"ok after the first try": 1, "ok after more tries": 9}),
    )
    claim(
        "for-update-reads-in-turn",
        "FOR UPDATE ends at 10: each task waits, and reads what the one before has written.",
        ends["FOR UPDATE"] == (TEN, {f"read {n}": 1 for n in range(TEN)}),
    )
    claim(
        "one-update-ends-at-ten",
        "One UPDATE that reads and writes in the database ends at 10.",
        ends["one UPDATE"] == (TEN, {"ok": TEN}),
    )
    claim(
        "compare-and-set-notices",
        "Compare and set ends at 1, and nine tasks see that they have changed no row.",
        ends["compare and set"] == (1, {"UPDATE 1": 1, "UPDATE 0": 9}),
    )


if __name__ == "__main__":
    asyncio.run(main())
