"""What cancelling a task does: it raises at the `await`, and asyncpg tells the database."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare


async def cancelled_at_its_wait() -> list[str]:
    said: list[str] = []

    async def order() -> None:
        try:
            said.append("waits")
            await asyncio.sleep(3600)
            said.append("eats")
        except Exception:
            said.append("caught as Exception")
        finally:
            said.append("leaves")

    task = asyncio.create_task(order())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    said.append("cancelled" if task.cancelled() else "not cancelled")
    return said


async def cancelled_before_its_first_line() -> list[str]:
    said: list[str] = []

    async def order() -> None:
        said.append("begins")

    task = asyncio.create_task(order())
    task.cancel()
    await asyncio.wait([task])
    return said


async def refuses_to_be_cancelled() -> bool:
    async def order() -> str:
        with suppress(asyncio.CancelledError):  # this is the mistake
            await asyncio.sleep(3600)
        return "goes on as if nothing had happened"

    task = asyncio.create_task(order())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()


async def cancelled_query(dsn: str) -> tuple[int, int, int]:
    """Queries at the closed gate before and after the cancel, and what the connection says next."""
    window = await asyncpg.connect(dsn)
    try:
        async with Gate(dsn) as gate:
            query = asyncio.create_task(window.execute("select cook(0)"))
            before = await gate.until_waiting(1)
            query.cancel()
            await asyncio.wait([query])

            async def nobody() -> bool:
                return await gate.waiting() == 0

            await until(nobody, what="the database to give up the query")
            after = await gate.waiting()
        return before, after, await window.fetchval("select 42")
    finally:
        await window.close()


async def main() -> None:
    said = await cancelled_at_its_wait()
    print("a cancelled task:", ", ".join(said))
    claim(
        "cancel-raises-at-the-await",
        "Cancelling ends a task at its await: no later line runs, but its `finally` does.",
        said == ["waits", "leaves", "cancelled"],
    )
    claim(
        "cancelled-before-it-began",
        "A task that is cancelled before its first turn never runs a line.",
        await cancelled_before_its_first_line() == [],
    )
    claim(
        "cancel-is-a-request",
        "A task that swallows CancelledError is not cancelled: a cancel is a request.",
        not await refuses_to_be_cancelled(),
    )
    async with Postgres() as pg:
        await prepare(pg.dsn)
        before, after, answer = await cancelled_query(pg.dsn)
    print(f"queries inside the database: {before} before the cancel, {after} after it")
    claim(
        "cancelled-query-ends-in-the-database",
        "asyncpg ends a cancelled query in the database too, and the connection stays usable.",
        (before, after, answer) == (1, 0, 42),
    )


if __name__ == "__main__":
    asyncio.run(main())
