"""Who notices a stall? Guests who wait for their answer first, or guests who keep coming.

A closed loop sends the next order after the reply, so a stalled server also stalls its guests, and
few of them meet the stall. In an open loop the orders come when they are due. First on a virtual
clock, then with a real server whose loop is held for 0.3 s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from fastapi import FastAPI

from bench import Client, claim, closed_loop, open_loop, run_virtual, serve

RATE, SECONDS = 100, 10  # orders per second on the virtual clock
SERVICE, STALL, STALL_AT = 0.005, 1.0, 5.0
SLOW = 0.05

app = FastAPI()


@app.get("/ping")
async def ping() -> str:
    return "pong"


@app.get("/stall")
async def stall() -> tuple[float, float]:
    """Hold the loop for 0.3 s, as a blocking call in `async def` does; say when."""
    began = time.perf_counter()
    time.sleep(0.3)  # noqa: ASYNC251
    return began, time.perf_counter()


def virtual_kitchen() -> Callable[[], Awaitable[None]]:
    """A kitchen that serves one order at a time and stalls once."""
    window, stalled = asyncio.Lock(), False

    async def handle() -> None:
        nonlocal stalled
        async with window:
            if not stalled and asyncio.get_running_loop().time() >= STALL_AT:
                stalled = True
                await asyncio.sleep(STALL)
            await asyncio.sleep(SERVICE)

    return handle


async def virtual_closed() -> list[float]:
    """Latencies of one guest who orders 100 times a second, but never before the last reply."""
    loop, handle, latencies, due = asyncio.get_running_loop(), virtual_kitchen(), [], 0.0
    while due < SECONDS:
        await asyncio.sleep(max(0.0, due - loop.time()))
        sent = loop.time()
        await handle()
        latencies.append(loop.time() - sent)
        due = max(due + 1 / RATE, loop.time())
    return latencies


async def virtual_open() -> list[float]:
    """Latencies of orders that come 100 times a second, whatever the kitchen does."""
    loop, handle = asyncio.get_running_loop(), virtual_kitchen()

    async def order(due: float) -> float:
        await asyncio.sleep(due)
        await handle()
        return loop.time() - due

    return await asyncio.gather(*(order(i / RATE) for i in range(RATE * SECONDS)))


def late(latencies: list[float]) -> int:
    return sum(latency > SLOW for latency in latencies)


async def around_a_stall(url: str, load: Awaitable[list]) -> tuple[list, float, float]:
    """The replies of a load during which the server stalls, and the stall's beginning and end."""
    async with Client(url) as client:
        running = asyncio.ensure_future(load)
        await asyncio.sleep(0.2)
        began, ended = (await client.get("/stall")).json()
        return await running, began, ended


async def main() -> None:
    closed, opened = run_virtual(virtual_closed()).result, run_virtual(virtual_open()).result
    print("virtual: a stall of 1 s in 10 s of 100 orders a second")
    for name, latencies in {"closed": closed, "open": opened}.items():
        p99 = sorted(latencies)[int(0.99 * len(latencies))]
        print(f"  {name:6} {late(latencies):3} of {len(latencies)} slow, 99 % within {p99:.3f} s")
    async with serve(f"{__file__}:app") as server:
        one = closed_loop(server.url, "/ping", guests=1, orders=2000)
        replies, began, ended = await around_a_stall(server.url, one)
        met_closed = sum(r.sent < ended and r.done >= ended and r.due >= began for r in replies)
        inside = []
        while not inside:  # again, if the machine slept and the stall came after the last order
            many = open_loop(server.url, "/ping", rate=200, seconds=1.0)
            replies, began, ended = await around_a_stall(server.url, many)
            inside = [r for r in replies if began <= r.due <= ended]
    print(f"real: orders that met the stall: {met_closed} closed, {len(inside)} open")
    claim(
        "closed-loop-hides-the-stall",
        "Virtual: the closed loop sees 1 slow order, the open loop 191 of 1000.",
        (late(closed), late(opened), len(opened)) == (1, 191, 1000),
    )
    claim(
        "open-loop-meets-the-stall",
        "Real server: no order that is due during the stall is answered before its end.",
        all(r.done >= ended for r in inside),
    )
    claim(
        "closed-loop-at-most-one",
        "Real server: at most one order of a single closed-loop guest meets the stall.",
        met_closed <= 1,
    )


if __name__ == "__main__":
    asyncio.run(main())
