"""A table of jobs and two workers: each job is done once, even when a worker is killed at work.

The job is written in the transaction of the order that causes it. A worker takes a job with
`for update skip locked`, does it, and deletes it, all in one transaction.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import asyncpg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

JOBS = range(1, 21)
TABLES = """
    create table outbox (id int primary key);
    create table done (job int, worker text)"""
TAKE = "select id from outbox order by id for update skip locked limit 1"


class Worker:
    """Does one job after another until the outbox is empty for it, or its connection is lost."""

    def __init__(self, name: str, slow: bool = False) -> None:
        self.name, self.slow, self.holds = name, slow, None

    async def run(self, dsn: str) -> None:
        self.window = await asyncpg.connect(dsn)
        while await self.one_job():
            pass
        await self.window.close()

    async def one_job(self) -> bool:
        async with self.window.transaction():
            job = await self.window.fetchval(TAKE)
            if job is None:
                return False
            self.holds = job
            if self.slow:
                await self.window.execute("select cook(0)")  # it stands at the gate
            await self.window.execute("insert into done values ($1, $2)", job, self.name)
            await self.window.execute("delete from outbox where id = $1", job)
        return True


async def main() -> None:
    async with Postgres(embedded=True) as pg, Gate(pg.dsn) as gate:
        await prepare(pg.dsn)
        boss = await asyncpg.connect(pg.dsn)
        await boss.execute(TABLES)
        woken = asyncio.Event()
        await boss.add_listener("outbox", lambda *_: woken.set())
        shop = await asyncpg.connect(pg.dsn)
        async with shop.transaction():
            await shop.executemany("insert into outbox values ($1)", [(n,) for n in JOBS])
            await shop.execute("notify outbox")
        await until(woken.is_set, what="the message that there is work")
        slow, quick = Worker("slow", slow=True), Worker("quick")
        doomed = asyncio.create_task(slow.run(pg.dsn))
        await gate.until_waiting(1)  # the slow worker holds a job in its transaction
        await quick.run(pg.dsn)  # and does not keep the other one from its work
        beside = await boss.fetch("select job from done")
        left = await boss.fetch("select id from outbox")
        await boss.execute("select pg_terminate_backend($1)", slow.window.get_server_pid())
        [error] = await asyncio.gather(doomed, return_exceptions=True)
        await until(lambda: boss.fetchval(TAKE), what="the killed worker's job to be free")
        await Worker("second").run(pg.dsn)
        rows = await boss.fetch("select job, worker from done")
        await gate.open()
        for window in boss, shop:
            await window.close()
    times = Counter(row["job"] for row in rows)
    by = Counter(row["worker"] for row in rows)
    print(f"job {slow.holds} is held; beside it {len(beside)} jobs were done, {len(left)} is left")
    print(f"the worker that held it was killed: {type(error).__name__}")
    print(f"done in the end: {len(rows)} jobs by {dict(by)}")
    claim(
        "workers-skip-what-is-held",
        "While one worker holds a job, the other does all the rest and waits for nothing.",
        len(beside) == len(JOBS) - 1 and [row["id"] for row in left] == [slow.holds],
    )
    claim(
        "a-killed-worker-loses-no-job",
        "The job of a killed worker is free again, and each job has been done exactly once.",
        sorted(times) == list(JOBS) and set(times.values()) == {1},
    )


if __name__ == "__main__":
    asyncio.run(main())
