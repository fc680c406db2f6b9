"""How many `def` routes run side by side? 60 functions block, those that have started are counted.

Without AnyIO it is asyncio's own pool, whose size follows the machine: "another number".
"""

import asyncio
import threading

from starlette.concurrency import run_in_threadpool

release, started = threading.Event(), []


def block() -> None:
    started.append(threading.get_ident())
    release.wait()


async def main() -> None:
    routes = [asyncio.ensure_future(run_in_threadpool(block)) for _ in range(60)]
    seen = -1
    while seen < len(started):  # no event tells that no further one will start
        seen = len(started)
        await asyncio.sleep(0.5)
    release.set()
    await asyncio.gather(*routes)
    print("40" if seen == 40 else "another number")


asyncio.run(main())
