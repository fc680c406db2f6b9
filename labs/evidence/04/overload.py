"""More guests than the pool can serve, with and without a deadline: exact, on a virtual clock.

A pool of five that each query holds for 0.02 s serves 250 guests a second. 375 come, for three
seconds. Nobody leaves by himself.
"""

from __future__ import annotations

import asyncio

from bench import claim, run_virtual

SIZE, HOLD = 5, 0.02
RATE, SECONDS = 375, 3
DEADLINE = 0.2


async def overload(deadline: float | None) -> tuple[list[float], int]:
    """Seconds from arrival to answer of those who were served, and how many were refused."""
    loop, pool = asyncio.get_running_loop(), asyncio.Semaphore(SIZE)
    served: list[float] = []
    refused = 0

    async def guest(due: float) -> None:
        nonlocal refused
        await asyncio.sleep(due)
        try:
            async with asyncio.timeout(deadline):
                await pool.acquire()
        except TimeoutError:
            refused += 1
            return
        await asyncio.sleep(HOLD)
        pool.release()
        served.append(loop.time() - due)

    await asyncio.gather(*(guest(i / RATE) for i in range(RATE * SECONDS)))
    return sorted(served), refused


def main() -> None:
    rows = {deadline: run_virtual(overload(deadline)).result for deadline in (None, DEADLINE)}
    print("deadline   served   refused   half within   99 % within   all within")
    for deadline, (served, refused) in rows.items():
        half, most = served[len(served) // 2], served[int(0.99 * len(served))]
        name = "none" if deadline is None else f"{deadline} s"
        print(f"{name:8}   {len(served):6}   {refused:7}", end="")
        print(f"   {half:9.2f} s   {most:9.2f} s   {served[-1]:8.2f} s")
    (patient, nobody), (in_time, refused) = rows[None], rows[DEADLINE]
    claim(
        "overload-without-deadline-piles-up",
        "Without a deadline all 1125 guests are served, the last one after 1.5 s, and it grows.",
        (len(patient), nobody) == (RATE * SECONDS, 0) and 1.45 < patient[-1] < 1.55,
    )
    claim(
        "overload-with-deadline-stays-short",
        "With a deadline of 0.2 s nobody who is served waits longer than 0.22 s.",
        refused > 0 and in_time[-1] <= DEADLINE + HOLD + 1e-6,
    )


if __name__ == "__main__":
    main()
