"""Who held the loop? asyncio's debug mode names the task. Nothing else complains.

The same blocking query twice: as a program usually runs, and in debug mode
(`PYTHONASYNCIODEBUG=1`, or `loop.set_debug(True)`).
"""

from __future__ import annotations

import asyncio
import logging
import warnings

import psycopg

from bench import Postgres, claim
from bistro.database import prepare

SECONDS = 0.3
complaints: list[str] = []


class Note(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        complaints.append(record.getMessage())


async def order(dsn: str) -> None:
    """A blocking query inside `async def`."""
    with psycopg.connect(dsn) as window:
        window.execute("select cook(%s)", [SECONDS])


async def complaints_about(dsn: str, *, debug: bool) -> list[str]:
    """What asyncio's log says while a task named `order` blocks the loop."""
    loop = asyncio.get_running_loop()
    complaints.clear()
    loop.set_debug(debug)
    loop.slow_callback_duration = 0.1
    try:
        await asyncio.create_task(order(dsn), name="order")
    finally:
        loop.set_debug(False)
    return [line for line in complaints if "name='order'" in line]


async def main() -> None:
    logging.getLogger("asyncio").addHandler(Note())
    logging.getLogger("asyncio").propagate = False
    async with Postgres() as pg:
        await prepare(pg.dsn)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            usual = await complaints_about(pg.dsn, debug=False)
            debug = await complaints_about(pg.dsn, debug=True)
    print(f"as usual:   lines in the log: {len(usual)}, warnings: {len(warned)}")
    print(f"debug mode: lines in the log: {len(debug)}")
    for line in debug:
        print(f"   {line[:35]} … {line[-18:]}")
    claim(
        "nothing-complains-by-default",
        "A blocking query in async def: no exception, no warning, no line in the log.",
        (usual, warned) == ([], []),
    )
    claim(
        "debug-mode-names-the-task",
        "In debug mode, asyncio's log names the task that held the loop.",
        len(debug) == 1,
    )


if __name__ == "__main__":
    asyncio.run(main())
