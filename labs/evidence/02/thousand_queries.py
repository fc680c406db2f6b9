"""A thousand queries of random length on the virtual clock: minutes of waiting in no time.

Lengths are drawn with a fixed seed and in whole milliseconds, so every number is the same anywhere.
"""

from __future__ import annotations

import asyncio
import random

from bench import VirtualDeadlock, claim, run_virtual

COUNT, MEAN = 1000, 0.2


async def in_sequence(lengths: list[float]) -> None:
    for seconds in lengths:
        await asyncio.sleep(seconds)


async def together(lengths: list[float]) -> None:
    await asyncio.gather(*(asyncio.sleep(seconds) for seconds in lengths))


async def never() -> None:
    """Wait for a bell that nobody rings."""
    await asyncio.Event().wait()


def noticed() -> bool:
    try:
        run_virtual(never())
    except VirtualDeadlock:
        return True
    return False


def main() -> None:
    draw = random.Random(1)
    millis = [max(1, round(draw.expovariate(1 / MEAN) * 1000)) for _ in range(COUNT)]
    lengths = [one / 1000 for one in millis]
    sequence = run_virtual(in_sequence(lengths)).seconds
    overlap = run_virtual(together(lengths)).seconds
    print(f"{COUNT} queries, one after the other: {sequence} virtual seconds")
    print(f"{COUNT} queries, started together:     {overlap} virtual seconds")
    claim(
        "thousand-in-sequence-sum",
        "One after the other, a thousand waits take exactly their sum.",
        sequence == sum(millis) / 1000,
    )
    claim(
        "thousand-together-longest",
        "Started together, a thousand waits take exactly as long as the longest.",
        overlap == max(lengths),
    )
    claim(
        "a-wait-for-nothing-is-noticed",
        "A task that waits for what nobody will do is reported, where a real loop would hang.",
        noticed(),
    )


if __name__ == "__main__":
    main()
