"""Arrivals each second × hold time is what is in use on average. It is no size for a pool.

A hundred guests come each second, at random moments, and each holds a connection for 0.1 s. A pool
is a semaphore on a virtual clock, so every number follows from the seed of the dice alone.
"""

from __future__ import annotations

import asyncio
import random
from typing import NamedTuple

from bench import claim, run_virtual

RATE, HOLD, DEADLINE = 100, 0.1, 0.25
SEEDS, GUESTS = range(4), 4000
LENGTHS = 400, 1600, 6400


class Day(NamedTuple):
    """What one day brought: the waits of those who were served, in order, and what was in use."""

    waits: list[float]
    refused: int
    in_use: float
    """Connections in use, averaged over the day."""

    @property
    def mean_wait(self) -> float:
        return sum(self.waits) / len(self.waits)

    @property
    def p99(self) -> float:
        return sorted(self.waits)[len(self.waits) * 99 // 100]


async def day(
    size: int, guests: int, seed: int, *, rate: float = RATE, deadline: float | None = None
) -> Day:
    dice, pool, now = random.Random(seed), asyncio.Semaphore(size), asyncio.get_running_loop().time
    waits, refused, held = [], 0, 0.0

    async def guest() -> None:
        nonlocal refused, held
        asked = now()
        try:
            async with asyncio.timeout(deadline):
                await pool.acquire()
        except TimeoutError:
            refused += 1
            return
        got = now()
        waits.append(got - asked)
        await asyncio.sleep(HOLD)
        held += now() - got
        pool.release()

    async with asyncio.TaskGroup() as group:
        for _ in range(guests):
            group.create_task(guest())
            await asyncio.sleep(round(dice.expovariate(rate), 6))
    return Day(waits, refused, held / now())


def days(size: int, guests: int = 1600, **how: float) -> list[Day]:
    """One day for each seed."""
    return [run_virtual(day(size, guests, seed, **how)).result for seed in SEEDS]


def mean(numbers: list[float]) -> float:
    return sum(numbers) / len(numbers)


def main() -> None:
    print("pool   load   mean wait   99 of 100 wait less   refused after 0.25 s")
    for size in (10, 11, 12, 14):
        patient = run_virtual(day(size, GUESTS, 7)).result
        strict = run_virtual(day(size, GUESTS, 7, deadline=DEADLINE)).result
        print(
            f"{size:4} {RATE * HOLD / size:6.0%} {patient.mean_wait:9.3f} s"
            f" {patient.p99:19.2f} s {strict.refused / GUESTS:22.2%}"
        )
    used = {rate: mean([one.in_use for one in days(40, rate=rate)]) for rate in (50, 100, 200)}
    for rate, in_use in used.items():
        print(f"{rate:3} guests a second × {HOLD} s: {in_use:.1f} of 40 connections in use")
    full = {guests: mean([d.mean_wait for d in days(10, guests)]) for guests in LENGTHS}
    print("pool of 10:", ", ".join(f"{n} guests wait {wait:.2f} s" for n, wait in full.items()))
    roomy = {guests: mean([d.mean_wait for d in days(12, guests)]) for guests in LENGTHS}
    print("pool of 12:", ", ".join(f"{n} guests wait {wait:.3f} s" for n, wait in roomy.items()))
    refused = {size: sum(d.refused for d in days(size, deadline=DEADLINE)) for size in (10, 12)}
    claim(
        "littles-law-counted",
        "Connections in use on average = arrivals each second × hold time, within a tenth.",
        all(abs(in_use - rate * HOLD) < 0.1 * rate * HOLD for rate, in_use in used.items()),
    )
    claim(
        "pool-of-the-mean-has-no-end-of-queue",
        "A pool of exactly that size: four times as many guests, and the mean wait grows.",
        full[400] < full[1600] < full[6400] and full[6400] > 2 * full[400],
    )
    claim(
        "a-fifth-more-ends-the-queue",
        "A fifth more connections: the mean wait stays below half the hold time, all day.",
        max(roomy.values()) < HOLD / 2,
    )
    claim(
        "pool-of-the-mean-refuses",
        "With a deadline of 0.25 s, a pool of the mean refuses guests, a fifth more nearly none.",
        refused[10] > 20 * refused[12],
    )


if __name__ == "__main__":
    main()
