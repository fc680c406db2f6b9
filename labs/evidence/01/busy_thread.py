"""Work that keeps a core busy: on the loop's thread, and on a thread beside it.

A helper thread frees the loop from *waiting*. It does not free the loop from Python that computes:
one thread at a time runs Python code, and the others get a turn every 5 ms.
"""

from __future__ import annotations

import asyncio
import time

from bench import Heartbeat, claim

BUSY = 0.3


def burn(seconds: float) -> None:
    """Use this much processor time of the calling thread, however slow the machine is."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def on_the_loop() -> None:
    burn(BUSY)


async def on_a_thread() -> None:
    await asyncio.to_thread(burn, BUSY)


async def while_waiting() -> None:
    await asyncio.to_thread(time.sleep, BUSY)


async def beats_during(work) -> int:
    async with Heartbeat() as heart:
        began = time.perf_counter()
        await work()
        return heart.inside(began, time.perf_counter())


async def main() -> None:
    computing = await beats_during(on_the_loop)
    print(f"heartbeats, one every 5 ms, during {BUSY} s of")
    print(f"computing on the loop's thread:    {computing:3}")
    print(f"computing on a thread beside it:   {await beats_during(on_a_thread):3}")
    print(f"waiting on a thread beside it:     {await beats_during(while_waiting):3}")
    claim(
        "computing-stops-the-heartbeat",
        "Python that computes on the loop's thread stops the heartbeat, without any query.",
        computing == 0,
    )


if __name__ == "__main__":
    asyncio.run(main())
