"""One query without an event loop that helps: we take the coroutine's steps by hand.

`coroutine.send(None)` is what a task does with it. The coroutine runs until it yields a future; no
more is meant by "pausing". When the future is done, one more `send` runs it to its end.
"""

from __future__ import annotations

import asyncio

import asyncpg
import psycopg

from bench import Postgres, claim
from bistro.database import prepare

AT_THE_GATE = "select count(*) from pg_locks where locktype = 'advisory' and not granted"


class CountingLoop(asyncio.SelectorEventLoop):
    turns = 0

    def _run_once(self) -> None:
        self.turns += 1
        super()._run_once()


async def main() -> None:
    loop = asyncio.get_running_loop()
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        window = await asyncpg.connect(pg.dsn)
        await window.fetchval("select cook(0.0)")  # prepared from here on
        with psycopg.connect(pg.dsn, autocommit=True) as boss:  # it blocks, and that is meant
            boss.execute("select pg_advisory_lock(7)")
            before = loop.turns
            query = window.fetchval("select cook(0.0)")
            future = query.send(None)  # the first step: it builds the query, sends it, yields
            while boss.execute(AT_THE_GATE).fetchone() != (1,):
                pass  # the query needs no more of us; it is on its way to the gate
            turns = loop.turns - before
            waiting = not future.done()
            boss.execute("select pg_advisory_unlock(7)")
        future._asyncio_future_blocking = False  # a task does this, too: the yield has been seen
        await asyncio.wait([future])  # now the loop turns, and the driver reads the reply
        suspended = query.cr_frame is not None and query.cr_await is not None
        try:
            query.send(None)  # the last step
            result = None
        except StopIteration as end:
            result = end.value
        await window.close()
    print(f"the first step yields a {type(future).__name__}, and it is not done: {waiting}")
    print(f"turns of the loop until the query was in the database: {turns}")
    print(f"the reply is read, and the coroutine still stands at its await: {suspended}")
    print(f"the last step ends it with {result!r}")
    claim(
        "await-yields-a-future",
        "The coroutine suspends itself: its first step ends by yielding an unfinished future.",
        isinstance(future, asyncio.Future) and waiting,
    )
    claim(
        "query-leaves-without-the-loop",
        "The query reached the database before the loop had another turn.",
        turns == 0,
    )
    claim(
        "reply-resumes-nobody-by-itself",
        "When the reply has been read the coroutine still waits; the next step ends it.",
        suspended and result == 0.0,
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(main())
