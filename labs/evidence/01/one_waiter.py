"""One waiter, three guests: who may order while a dish is being cooked?"""

import asyncio
import time

from bench import claim, run_virtual

said = []


async def awaits():
    await asyncio.sleep(0.1)


async def blocks():
    time.sleep(0.1)  # noqa: ASYNC251 -- it blocks


async def guest(name, wait):
    said.append(f"{name} orders")
    await wait()
    said.append(f"{name} eats")


async def evening(wait):
    names = "Ann", "Bo", "Cy"
    await asyncio.gather(*(guest(name, wait) for name in names))


run_virtual(evening(awaits))
print(*said, sep="\n")
claim(
    "one-waiter-takes-every-order-first",
    "While Ann waits for her dish, Bo and Cy order.",
    said[:3] == ["Ann orders", "Bo orders", "Cy orders"],
)
