"""The question of every lesson: sixty guests, 0.1 s each; a pool of ten, a deadline of 0.25 s.

First exactly: the bistro's own lease with a pool on a virtual clock. Then the real pool, held at
the gate. At last the real pool by the clock, where a busy machine may serve fewer or more.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from fastapi import HTTPException

from bench import Client, Gate, Postgres, claim, closed_loop, run_virtual, serve, until
from bistro.database import prepare
from bistro.lease import lease

GUESTS, SIZE, SECONDS, DEADLINE = 60, 10, 0.1, 0.25


class VirtualPool:
    """A pool of ten windows, as the lease sees one: it can wait on any loop's clock."""

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(SIZE)

    async def acquire(self, timeout: float) -> VirtualPool:  # noqa: ASYNC109
        async with asyncio.timeout(timeout):
            await self.free.acquire()
        return self

    async def release(self, window: VirtualPool, timeout: float) -> None:  # noqa: ASYNC109
        self.free.release()


async def by_the_virtual_clock() -> Counter[int]:
    pool = VirtualPool()

    async def guest() -> int:
        try:
            async with lease(pool, DEADLINE):
                await asyncio.sleep(SECONDS)
        except HTTPException as refusal:
            return refusal.status_code
        return 200

    return Counter(await asyncio.gather(*(guest() for _ in range(GUESTS))))


async def at_the_gate(dsn: str, url: str) -> tuple[int, Counter[int]]:
    """Orders inside when everybody else has been refused, and all statuses in the end."""
    async with Gate(dsn) as gate, Client(url, connections=GUESTS) as client:
        orders = [asyncio.create_task(client.get("/leased?seconds=0")) for _ in range(GUESTS)]

        async def settled() -> bool:
            return sum(one.done() for one in orders) + await gate.waiting() == GUESTS

        await until(settled, what="everybody to be inside or refused")
        inside = await gate.waiting()
        await gate.open()
        replies = await asyncio.gather(*orders)
    return inside, Counter(reply.status for reply in replies)


async def main() -> None:
    exactly = run_virtual(by_the_virtual_clock()).result
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve("bistro.app:app", env={"BISTRO_DSN": pg.dsn}) as server:
            inside, gated = await at_the_gate(pg.dsn, server.url)
            timed = await closed_loop(server.url, f"/leased?seconds={SECONDS}", guests=GUESTS)
    by_clock = Counter(reply.status for reply in timed)
    print(f"on a virtual clock:     {exactly[200]} served, {exactly[503]} times 503")
    print(f"held at the gate:       {inside} inside, {gated[503]} times 503")
    print(f"by the clock, this run: {by_clock[200]} served, {by_clock[503]} times 503")
    claim(
        "sixty-with-a-deadline-half-served",
        "Sixty guests, a pool of ten, a deadline of 0.25 s: 30 are served, 30 times 503.",
        exactly == {200: 30, 503: 30},
    )
    claim(
        "sixty-at-the-gate-ten-inside",
        "Held at the gate, ten are inside and fifty are refused; none waits without an end.",
        (inside, gated) == (SIZE, {200: SIZE, 503: GUESTS - SIZE}),
    )
    claim(
        "sixty-by-the-clock-all-answered",
        "By the clock each of the sixty has an answer: 200 or 503.",
        by_clock[200] + by_clock[503] == GUESTS,
    )


if __name__ == "__main__":
    asyncio.run(main())
