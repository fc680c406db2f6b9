"""Work for the processor: on the loop, in pieces, in threads, in a process.

Another task counts its turns. Threads let it in. But Python's global lock lets one thread at a time
run Python: while one is inside a single call that keeps the lock, no other runs a line. A process
computes elsewhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import multiprocessing
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from threading import Event, Thread
from time import perf_counter, sleep, thread_time

from bench import claim

SECONDS, PIECES = 0.1, 20
ONE_CALL = 5_000_000


def burn(seconds: float) -> int:
    """Compute in Python for so many processor seconds of this thread; return the process id."""
    start, total = thread_time(), 0
    while thread_time() - start < seconds:
        total += sum(range(200))
    return os.getpid()


def hash_a_password() -> bytes:
    return hashlib.pbkdf2_hmac("sha256", b"secret", b"salt", 100_000)


def one_call() -> float:
    """The seconds that one call took: it adds up five million numbers, and keeps the lock."""
    began = perf_counter()
    sum(range(ONE_CALL))
    return perf_counter() - began


def longest_silence(work: Callable[[], float]) -> tuple[float, float]:
    """What `work` returns, and the longest time without a note of a thread that notes each 1 ms."""
    notes, begun, done = [], Event(), Event()

    def note() -> None:
        while not done.is_set():
            notes.append(perf_counter())
            begun.set()
            sleep(0.001)

    noting = Thread(target=note)
    noting.start()
    begun.wait()
    try:
        return work(), max(later - one for one, later in pairwise([*notes, perf_counter()]))
    finally:
        done.set()
        noting.join()


async def turns_during(work: Callable[[], Awaitable[object]]) -> tuple[int, float]:
    """Turns of another task while `work` is awaited, and the seconds it took."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(count())
    await asyncio.sleep(0)
    before, start = turns, perf_counter()
    await work()
    seen = turns - before, perf_counter() - start
    other.cancel()
    return seen


async def on_the_loop() -> None:
    burn(SECONDS)


async def hash_on_the_loop() -> None:
    hash_a_password()


async def in_pieces() -> None:
    for _ in range(PIECES):
        burn(SECONDS / PIECES)
        await asyncio.sleep(0)


async def in_a_thread() -> None:
    await asyncio.to_thread(burn, SECONDS)


async def in_two_threads() -> None:
    await asyncio.gather(*(asyncio.to_thread(burn, SECONDS) for _ in range(2)))


async def main() -> None:
    ways = on_the_loop, hash_on_the_loop, in_pieces, in_a_thread, in_two_threads
    seen = {way.__name__: await turns_during(way) for way in ways}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as cooks:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(cooks, burn, 0)  # it starts now
        where: list[int] = []

        async def in_a_process() -> None:
            where.append(await loop.run_in_executor(cooks, burn, SECONDS))

        seen["in_a_process"] = await turns_during(in_a_process)
        beside = longest_silence(lambda: one_call())
        elsewhere = longest_silence(lambda: cooks.submit(one_call).result())
    print("                     turns of another task   seconds")
    for way, (turns, seconds) in seen.items():
        print(f"  {way.replace('_', ' '):18} {turns:22} {seconds:9.2f}")
    for where_it_ran, (took, silence) in {"thread": beside, "process": elsewhere}.items():
        print(f"one call of {took:.2f} s in another {where_it_ran}: silent for {silence:.2f} s")
    turns = {way: count for way, (count, _) in seen.items()}
    claim(
        "hashing-stops-the-loop-too",
        "Python that computes on the loop, or hashes a password there, lets nobody in.",
        turns["on_the_loop"] == turns["hash_on_the_loop"] == 0,
    )
    claim(
        "computing-in-pieces",
        "In 20 pieces with a pause after each, another task has 20 turns.",
        turns["in_pieces"] == PIECES,
    )
    claim(
        "threads-share-one-lock",
        "While one thread is inside one call, another thread runs no line of Python.",
        beside[1] >= 0.9 * beside[0],
    )
    claim(
        "a-process-computes-elsewhere",
        "A process computes under another process id, and other tasks have their turns.",
        where != [os.getpid()] and turns["in_a_process"] > 0,
    )


if __name__ == "__main__":
    asyncio.run(main())
