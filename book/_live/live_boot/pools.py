"""Thread pools: the same limits as in CPython, with stand-ins for the threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pyodide import webloop

from live_boot import stand_ins
from live_boot.importing import after_import


class DefaultPool:
    """The threads that `asyncio.to_thread` uses: CPython has 4 and one for each core, at most 32.

    Here it is the number of a computer with four cores, the same for every reader.
    """

    _max_workers = 8


_default_pool = DefaultPool()
_places: WeakKeyDictionary[Any, asyncio.Semaphore] = WeakKeyDictionary()


def run_in_executor(
    loop: webloop.WebLoop, executor: Any, function: Callable[..., Any], *args: Any
) -> asyncio.Future[Any]:
    """As `loop.run_in_executor`: wait for one of the executor's places, then run in a stand-in.

    Whoever stops waiting for the result does not stop the function, and its place stays taken.
    """
    pool = executor or _default_pool
    places = _places.setdefault(pool, asyncio.Semaphore(pool._max_workers))

    async def work() -> Any:
        await places.acquire()
        call = stand_ins.call(function, *args)
        call.add_done_callback(lambda done: places.release())
        return await asyncio.shield(call)

    return asyncio.Task(work(), loop=loop)


async def run_sync_in_worker_thread(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> Any:
    """AnyIO's way into a thread, which every `def` route takes: forty at a time by default."""
    from anyio import CancelScope, lowlevel
    from anyio.to_thread import current_default_thread_limiter

    await lowlevel.checkpoint()
    async with limiter or current_default_thread_limiter():
        with CancelScope(shield=not abandon_on_cancel):
            return await asyncio.shield(stand_ins.call(function, *args))


def mend_anyio(module: Any) -> None:
    module.AsyncIOBackend.run_sync_in_worker_thread = staticmethod(run_sync_in_worker_thread)


def install() -> None:
    webloop.WebLoop.run_in_executor = run_in_executor
    after_import("anyio._backends._asyncio", mend_anyio)
