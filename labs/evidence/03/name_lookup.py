"""A host name needs a thread: the operating system's name lookup blocks, so asyncio lends it one.

The loop gets an executor with one thread. Then that thread is kept busy, and asyncpg connects once
by address and once by name.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import asyncpg

from bench import Postgres, claim


def helpers() -> int:
    """Threads of the loop's executor that exist now."""
    return sum(thread.name.startswith("helper") for thread in threading.enumerate())


async def connect(dsn: str) -> None:
    await (await asyncpg.connect(dsn, timeout=60)).close()


async def main() -> None:
    loop, released = asyncio.get_running_loop(), threading.Event()
    async with Postgres(embedded=True) as pg:  # starts in a thread, so the executor comes after it
        loop.set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="helper"))
        by_address, by_name = pg.dsn, pg.dsn.replace("127.0.0.1", "localhost")
        await connect(by_address)
        after_address = helpers()
        await connect(by_name)
        after_name = helpers()

        busy = loop.run_in_executor(None, released.wait)
        address = asyncio.create_task(connect(by_address))
        name = asyncio.create_task(connect(by_name))
        await asyncio.wait([address], timeout=20)  # it answers at once
        await asyncio.wait([name], timeout=0.5)  # it cannot answer
        answered = {"address": address.done(), "name": name.done()}
        released.set()
        await asyncio.gather(address, name, busy)
    print(f"helper threads after connecting by address: {after_address}, by name: {after_name}")
    print(f"answered while the one helper was busy: {answered}")
    claim(
        "address-needs-no-thread",
        "asyncpg connects by address without a thread, also while no helper is free.",
        after_address == 0 and answered["address"],
    )
    claim(
        "name-needs-a-thread",
        "By name it takes a helper thread, and waits while none is free.",
        after_name == 1 and not answered["name"],
    )


if __name__ == "__main__":
    asyncio.run(main())
