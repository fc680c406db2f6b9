"""A process of its own that asks the database what its standard input says, line by line.

    python bill_desk.py URL STATEMENT_CACHE_SIZE

It connects and prints "ready". Then each line is a question, and its answer is printed. A question
after `hold ` keeps its transaction open until the next line comes, which is answered "released".
"""

from __future__ import annotations

import asyncio
import sys

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


def line() -> str:
    return sys.stdin.readline().strip()


async def main(url: str, cache: str) -> None:
    engine = create_async_engine(url, connect_args={"statement_cache_size": int(cache)})
    async with engine.connect():
        print("ready", flush=True)
    while asked := await asyncio.to_thread(line):
        async with engine.connect() as connection:
            answer = await connection.scalar(text(asked.removeprefix("hold ")))
            if asked.startswith("hold "):
                print(answer, flush=True)
                await asyncio.to_thread(line)
                answer = "released"
        print(answer, flush=True)  # by now PgBouncer has the server connection back
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
