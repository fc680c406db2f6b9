"""One of three fails. `gather` raises and leaves the two others to go on; a `TaskGroup` ends them.

The two others write a row each, once a door opens. The door opens after the failure was seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from bench import Postgres, claim, until

Together = Callable[..., Awaitable[None]]


async def with_gather(*work: Awaitable[None]) -> None:
    await asyncio.gather(*work)


async def with_task_group(*work: Awaitable[None]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)


async def rows_after_a_failure(together: Together, pool: asyncpg.Pool) -> tuple[int, int]:
    """Rows when the failure arrives, and rows when nothing is under way any more."""
    door = asyncio.Event()
    await pool.execute("create table written (number int)")
    older = asyncio.all_tasks()

    async def write(number: int) -> None:
        await door.wait()
        await pool.execute("insert into written values ($1)", number)

    async def fail() -> None:
        raise ValueError("the third query fails")

    async def rows() -> int:
        return await pool.fetchval("select count(*) from written")

    try:
        await together(write(1), write(2), fail())
    except (ValueError, ExceptionGroup):
        at_failure = await rows()
    door.set()
    await until(lambda: asyncio.all_tasks() <= older, what="everybody to be done")
    later = await rows()
    await pool.execute("drop table written")
    return at_failure, later


async def main() -> None:
    async with Postgres() as pg, asyncpg.create_pool(pg.dsn, min_size=3) as pool:
        gather = await rows_after_a_failure(with_gather, pool)
        group = await rows_after_a_failure(with_task_group, pool)
    print("            rows at the failure   rows in the end")
    print(f"gather      {gather[0]:19}   {gather[1]:15}")
    print(f"TaskGroup   {group[0]:19}   {group[1]:15}")
    claim(
        "gather-orphans-write",
        "gather: the error arrives, and afterwards the two others write their rows.",
        gather == (0, 2),
    )
    claim(
        "task-group-leaves-no-orphans",
        "TaskGroup: when the error arrives, the two others have ended. No row is written.",
        group == (0, 0),
    )


if __name__ == "__main__":
    asyncio.run(main())
