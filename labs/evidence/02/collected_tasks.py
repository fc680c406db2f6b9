"""A task that nobody keeps may vanish: the event loop holds it by a weak reference only.

It vanishes if nothing else refers to what it waits for. A timer and an open socket do refer to it.
"""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable

import asyncpg

from bench import Gate, Postgres, claim
from bistro.database import prepare

heard: list[str] = []


async def forgotten(wait: Callable[[], Awaitable[object]]) -> asyncio.Task | None:
    """Start a task, keep no reference to it, collect garbage: the task, or None if it is gone."""

    async def work() -> None:
        await wait()

    task = weakref.ref(asyncio.create_task(work()))
    await asyncio.sleep(0)
    gc.collect()
    return task()


async def a_lost_reply() -> None:
    """Wait for a future that nobody else knows."""
    await asyncio.get_running_loop().create_future()


async def a_timer() -> None:
    await asyncio.sleep(3600)


async def ended(task: asyncio.Task | None) -> bool:
    """End a task that is still there; say whether it was."""
    if task is None:
        return False
    task.cancel()
    await asyncio.wait([task])
    return True


async def at_the_gate(dsn: str) -> bool:
    """Whether a task survives whose query is inside the database."""
    window = await asyncpg.connect(dsn)
    try:
        async with Gate(dsn) as gate:
            task = weakref.ref(asyncio.create_task(window.execute("select cook(0)")))
            await gate.until_waiting(1)
            gc.collect()
            return await ended(task())
    finally:
        await window.close()


async def kept() -> bool:
    """The cure: a set that holds the task until it is done."""
    tasks: set[asyncio.Task] = set()

    def start(wait: Callable[[], Awaitable[object]]) -> weakref.ref[asyncio.Task]:
        task = asyncio.create_task(wait())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return weakref.ref(task)

    task = start(a_lost_reply)
    await asyncio.sleep(0)
    gc.collect()
    return await ended(task())


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    lost = await ended(await forgotten(a_lost_reply))
    words = list(heard)
    timer = await ended(await forgotten(a_timer))
    held = await kept()
    async with Postgres() as pg:
        await prepare(pg.dsn)
        query = await at_the_gate(pg.dsn)
    for text, there in {
        "nobody keeps it, it waits for a future that nobody knows": lost,
        "nobody keeps it, it waits for a timer": timer,
        "nobody keeps it, its query is inside the database": query,
        "a set keeps it, it waits for a future that nobody knows": held,
    }.items():
        print(f"{text:58} {'still there' if there else 'gone'}")
    claim(
        "unkept-task-is-collected",
        "A task that nobody keeps, and whose future nobody knows, is gone after a collection.",
        not lost and words == ["Task was destroyed but it is pending!"],
    )
    claim(
        "timer-and-socket-keep-a-task",
        "A task that waits for a timer or for its query survives, although nobody keeps it.",
        timer and query,
    )
    claim(
        "a-set-keeps-a-task",
        "A set that holds the task keeps it in every case.",
        held,
    )


if __name__ == "__main__":
    asyncio.run(main())
