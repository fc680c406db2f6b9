"""Thread pools: the same limits as in CPython, with stand-ins for the threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from pyodide import webloop

from live_boot import stand_ins
from live_boot.importing import after_import

_default = object()
_places: WeakKeyDictionary[Any, asyncio.Semaphore] = WeakKeyDictionary()


class _DefaultPool:
    """What `asyncio.to_thread` uses: as many threads as CPython would start here."""

    _max_workers = min(32, (os.process_cpu_count() or 1) + 4)


_default_pool = _DefaultPool()


def run_in_executor(
    loop: webloop.WebLoop, executor: Any, function: Callable[..., Any], *args: Any
) -> asyncio.Future[Any]:
    """`loop.run_in_executor`: waits for one of the executor's places, then runs in a stand-in."""
    pool = executor or _default_pool
    places = _places.setdefault(pool, asyncio.Semaphore(pool._max_workers))

    async def work() -> Any:
        async with places:
            return await stand_ins.call(function, *args)

    return asyncio.Task(work(), loop=loop)


async def run_sync_in_worker_thread(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> Any:
    """AnyIO's way into a thread, used for every `def` route: forty at a time by default."""
    from anyio.to_thread import current_default_thread_limiter

    async with limiter or current_default_thread_limiter():
        return await stand_ins.call(function, *args)


def mend_anyio(module: Any) -> None:
    module.AsyncIOBackend.run_sync_in_worker_thread = staticmethod(run_sync_in_worker_thread)


def install() -> None:
    webloop.WebLoop.run_in_executor = run_in_executor
    after_import("anyio._backends._asyncio", mend_anyio)
