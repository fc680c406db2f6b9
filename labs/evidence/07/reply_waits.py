"""A reply that has arrived interrupts nothing: it waits until the running task lets go.

The task `guest` waits for a query that is held at a gate. This program then holds the loop: without
one `await` it opens the gate, waits for the reply, and looks into the socket's buffer.
"""

from __future__ import annotations

import asyncio
import select
import socket

import asyncpg
import psycopg

from bench import Postgres, claim, until
from bistro.database import prepare

AT_THE_GATE = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
story: list[str] = []
turns = 0  # how often another task has run


async def guest(window: asyncpg.Connection) -> int:
    """Ask, go on with the reply, and compute for a while; return the turns of others meanwhile."""
    story.append("guest: sends the query")
    await window.fetchval("select cook(0)")
    story.append("guest: goes on below the await")
    before = turns
    sum(range(100_000))
    return turns - before


async def another_task() -> None:
    global turns
    while True:
        turns += 1
        await asyncio.sleep(0)


def bytes_waiting(connection: asyncpg.Connection, patience: float) -> int:
    """Wait, blocking, until there is a reply; return the size of what nobody has read yet."""
    ours = connection._transport.get_extra_info("socket")
    readable, _, _ = select.select([ours.fileno()], [], [], patience)
    with socket.fromfd(ours.fileno(), ours.family, ours.type) as twin:
        return len(twin.recv(65536, socket.MSG_PEEK)) if readable else 0


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        window = await asyncpg.connect(pg.dsn)
        await window.fetchval("select cook(0)")  # prepared from here on
        with psycopg.connect(pg.dsn, autocommit=True) as boss:  # it blocks, and that is meant
            boss.execute("select pg_advisory_lock(7)")
            order = asyncio.create_task(guest(window))
            other = asyncio.create_task(another_task())
            await until(lambda: boss.execute(AT_THE_GATE).fetchone() == (1,))
            meanwhile, held = turns, turns
            early = bytes_waiting(window, patience=0.05)  # held, and the query is not done
            boss.execute("select pg_advisory_unlock(7)")
            size = bytes_waiting(window, patience=30)
            story.append("holder: the reply is here")
            moved = order.done() or turns != held
            story.append("holder: lets go")
            beside = await order
        other.cancel()
        await window.close()
    print(*story, sep="\n")
    print(f"bytes that waited while the loop was held and the query was not done: {early}")
    print(f"bytes of the reply that waited in the socket's buffer: {size}")
    print(f"turns of another task while the query was in the database: {meanwhile}")
    print(f"turns of another task while the resumed task computed: {beside}")
    claim(
        "reply-waits-in-the-kernel",
        "The reply is in the socket's buffer, and no task moves while another holds the loop.",
        size > 0 and not moved,
    )
    claim(
        "a-hold-before-the-reply-delays-nothing",
        "While the query is in the database nothing waits for the loop: a hold delays no byte.",
        early == 0,
    )
    claim(
        "reply-is-handled-when-the-holder-lets-go",
        "Only after the holder lets go does the guest continue, at the line below its await.",
        story[-2:] == ["holder: lets go", "guest: goes on below the await"],
    )
    claim(
        "others-run-while-the-query-runs",
        "Another task had turns during the query, and none while the resumed task computed.",
        meanwhile > 0 and beside == 0,
    )


if __name__ == "__main__":
    asyncio.run(main())
