"""Pool sizes from 1 to 128 on a virtual clock: every single wait equals the model.

A pool is a semaphore here. Sums of times are compared with a tolerance of a nanosecond, because
they are added in another order.
"""

from __future__ import annotations

import asyncio
import math
import random

from bench import claim, run_virtual

GUESTS, HOLD = 128, 0.02
SIZES = 1, 2, 4, 8, 16, 32, 64, 128
SEEDS = range(10)


def now() -> float:
    return asyncio.get_running_loop().time()


async def burst(size: int) -> list[float]:
    """How long each guest waits for a connection when all come at once, sorted."""
    pool, waits = asyncio.Semaphore(size), []

    async def guest() -> None:
        async with pool:
            waits.append(now())
            await asyncio.sleep(HOLD)

    await asyncio.gather(*(guest() for _ in range(GUESTS)))
    return sorted(waits)


def customers(seed: int) -> tuple[list[float], list[float]]:
    """Gaps between arrivals and hold times, random, in whole nanoseconds: load 80 %."""
    dice = random.Random(seed)
    gaps = [round(dice.expovariate(0.8 / HOLD), 9) for _ in range(500)]
    return gaps, [round(dice.expovariate(1 / HOLD), 9) for _ in range(500)]


async def stream(gaps: list[float], holds: list[float]) -> list[float]:
    """The wait of each guest at a single connection, in the order of arrival."""
    window, waits = asyncio.Lock(), [0.0] * len(gaps)

    async def guest(number: int) -> None:
        asked = now()
        async with window:
            waits[number] = now() - asked
            await asyncio.sleep(holds[number])

    async with asyncio.TaskGroup() as group:
        for number, gap in enumerate(gaps):
            await asyncio.sleep(gap)
            group.create_task(guest(number))
    return waits


def lindley(gaps: list[float], holds: list[float]) -> list[float]:
    """The same waits by D. V. Lindley's recursion (1952): next = max(0, wait + hold - gap)."""
    waits = [0.0]
    for hold, gap in zip(holds, gaps[1:], strict=False):
        waits.append(max(0.0, waits[-1] + hold - gap))
    return waits


def close(measured: list[float], model: list[float]) -> bool:
    pairs = zip(measured, model, strict=True)
    return all(math.isclose(a, b, abs_tol=1e-7) for a, b in pairs)


def main() -> None:
    sweep = {size: run_virtual(burst(size)) for size in SIZES}
    print("pool   last guest served   mean wait")
    for size, (waits, seconds) in sweep.items():
        print(f"{size:4}   {seconds:15.2f} s   {sum(waits) / GUESTS:7.4f} s")
    random_waits = [run_virtual(stream(*customers(seed))).result for seed in SEEDS]
    means = [sum(waits) / len(waits) for waits in random_waits]
    print(f"random guests, load 80 %, ten runs: mean waits {min(means):.3f} to {max(means):.3f} s")
    claim(
        "virtual-sweep-every-wait",
        "For every size from 1 to 128, guest k waits exactly k // size times the hold time.",
        all(
            close(waits, [k // size * HOLD for k in range(GUESTS)])
            for size, (waits, _) in sweep.items()
        ),
    )
    claim(
        "virtual-queue-is-lindleys",
        "Random guests at one connection wait what Lindley's recursion says, one by one.",
        all(
            close(waits, lindley(*customers(seed)))
            for seed, waits in zip(SEEDS, random_waits, strict=True)
        ),
    )


if __name__ == "__main__":
    main()
