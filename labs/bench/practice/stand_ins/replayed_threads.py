"""Helper threads where there are none: a function that must wait is left, and begun again later.

Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from bench.instruments.virtual import VirtualLoop
from bench.practice.stand_ins.kitchen import HOLDS, Line, Thread, Wait, WaitsInAThread, now

T = TypeVar("T")

LONG_SLEEP = 0.1  # seconds; a line that sleeps so long on the loop holds it
THREADS = 32  # of asyncio's own pool, at most


async def in_a_thread(function: Callable[..., T], *args: Any) -> T:
    """Call a plain function as on a helper thread: it may wait, and the loop goes on meanwhile.

    When a driver's call has to wait, the function is left, and it is begun again when the call can
    go on. The calls that had come to their end give the same results again, without effect.
    """
    thread = Thread()
    while True:
        thread.given, now.thread = 0, thread
        try:
            return function(*args)
        except WaitsInAThread as error:
            wait = error.wait
        finally:
            now.thread = None
        await now.kitchen.passes(wait)


def once(call: Callable[[], T]) -> T:
    """The result of a driver's call: on a helper thread that was begun again, the one it had."""
    if (thread := now.thread) is None:
        return call()
    if thread.given == len(thread.results):
        thread.results.append(call())
    thread.given += 1
    return thread.results[thread.given - 1]


def sleep(seconds: float) -> None:
    """`time.sleep`: on a helper thread the clock runs on, and on the loop it holds the loop."""
    if (thread := now.thread) is None:
        if seconds >= LONG_SLEEP and (holds := HOLDS.get(None)):
            holds(None)
        return
    loop = asyncio.get_running_loop()

    def call() -> None:
        if thread.wakes is None:
            thread.wakes = loop.time() + seconds
            loop.call_later(seconds, now.kitchen.changed)
        wakes = thread.wakes
        if loop.time() < wakes:
            raise WaitsInAThread(Wait(Line(), until=lambda: loop.time() >= wakes))
        thread.wakes = None

    once(call)


_places: WeakKeyDictionary[Any, asyncio.Semaphore] = WeakKeyDictionary()


class _DefaultPool:
    _max_workers = THREADS


_default_pool = _DefaultPool()


def run_in_executor(
    loop: VirtualLoop, executor: Any, function: Callable[..., Any], *args: Any
) -> asyncio.Future[Any]:
    pool = executor or _default_pool
    places = _places.setdefault(pool, asyncio.Semaphore(pool._max_workers))

    async def work() -> Any:
        async with places:
            return await in_a_thread(function, *args)

    return loop.create_task(work())


async def run_sync_in_worker_thread(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> Any:
    from anyio.to_thread import current_default_thread_limiter

    async with limiter or current_default_thread_limiter():
        return await in_a_thread(function, *args)
