"""An ALTER TABLE that waits stops everybody who comes later; `lock_timeout` lets them go on.

A reader's open transaction holds a lock that lets other readers in, but no ALTER TABLE. The ALTER
queues, and all later readers queue behind it, although the first reader would not disturb them.
"""

from __future__ import annotations

import asyncio

import asyncpg
from tables import desk, fill

from bench import Postgres, claim, until

READERS = 10
ASK = "select count(*) from guest"
WIDER = "alter table guest add column if not exists full_name text"
WAITING = "select count(*) from pg_locks where relation = 'guest'::regclass and not granted"


async def try_to_widen(dsn: str, patience: str) -> str:
    """ "done", or the SQLSTATE of giving up after `patience`; "0" waits for ever."""
    async with desk(dsn) as migrator:
        try:
            async with migrator.transaction():
                await migrator.execute(f"set local lock_timeout = '{patience}'")
                await migrator.execute(WIDER)
        except asyncpg.LockNotAvailableError as error:
            return error.sqlstate
        return "done"


async def ask(dsn: str) -> int:
    async with desk(dsn) as guest:
        return await guest.fetchval(ASK)


async def without_a_limit(dsn: str) -> tuple[int, int, str]:
    """Who waits, and how many readers have an answer, while a reader's transaction is open."""
    async with desk(dsn) as reader, desk(dsn) as watcher:
        long = reader.transaction()
        await long.start()
        await reader.fetchval(ASK)
        alter = asyncio.create_task(try_to_widen(dsn, "0"))
        await until(lambda: watcher.fetchval(WAITING), what="the ALTER to wait")
        readers = [asyncio.create_task(ask(dsn)) for _ in range(READERS)]

        async def all_wait() -> bool:
            return await watcher.fetchval(WAITING) == 1 + READERS

        await until(all_wait, what="the readers to queue behind the ALTER")
        answered = sum(task.done() for task in readers)
        waiting = await watcher.fetchval(WAITING)
        await long.rollback()
        await asyncio.gather(*readers)
        return waiting, answered, await alter


async def with_a_limit(dsn: str) -> tuple[list[str], list[int]]:
    """How two tries to ALTER end, and what readers are answered between them."""
    async with desk(dsn) as reader:
        long = reader.transaction()
        await long.start()
        await reader.fetchval(ASK)
        tries = [await try_to_widen(dsn, "50ms")]
        answers = await asyncio.gather(*(ask(dsn) for _ in range(READERS)))
        await long.rollback()
    tries.append(await try_to_widen(dsn, "5s"))
    return tries, answers


async def main() -> None:
    async with Postgres() as pg:
        await fill(pg.dsn)
        waiting, answered, done = await without_a_limit(pg.dsn)
        await fill(pg.dsn)
        tries, answers = await with_a_limit(pg.dsn)
    print(f"no limit:            {waiting} wait, {answered} of {READERS} readers answered; {done}")
    print(f"lock_timeout = 50ms: {tries[0]}, {len(answers)} of {READERS} readers answered")
    print(f"tried again, when the reader has gone: {tries[1]}")
    claim(
        "an-alter-that-waits-stops-all-readers",
        "The ALTER waits for one reader, and ten later readers wait behind it: eleven in all.",
        (waiting, answered) == (1 + READERS, 0),
    )
    claim(
        "lock-timeout-lets-readers-go-on",
        "With lock_timeout it gives up with 55P03, and all ten readers are answered meanwhile.",
        tries[0] == "55P03" and answers == [50] * READERS,
    )
    claim(
        "the-alter-is-tried-again",
        "The next try succeeds, once the reader has gone.",
        tries[1] == "done",
    )


if __name__ == "__main__":
    asyncio.run(main())
