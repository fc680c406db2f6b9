"""A stand-in for a thread: a task with a stack of its own, which may wait in the middle of a call.

WebAssembly has no threads here. Where the browser can switch stacks (JSPI), a plain function that
runs in such a task may wait, and the event loop goes on meanwhile. Without JSPI it holds the loop.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pyodide.ffi import can_run_sync, run_sync

T = TypeVar("T")

CAN_SWITCH_STACKS = can_run_sync()
"""Whether this browser has JSPI."""

_numbers = itertools.count(2)
_threads: weakref.WeakKeyDictionary[asyncio.Task[Any], int] = weakref.WeakKeyDictionary()
_the_only_one = threading.get_ident()


def current() -> asyncio.Task[Any] | None:
    """The stand-in that runs now; None on the event loop's own thread."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return None
    return task if task in _threads else None


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Let `work` run as a thread would: beside the loop, unseen by the loop's task factory."""
    task = asyncio.Task(work, loop=asyncio.get_running_loop())
    _threads[task] = next(_numbers)
    return task


def call(function: Callable[..., T], *args: Any) -> asyncio.Task[T]:
    """Call a plain function in a stand-in of its own."""

    async def work() -> T:
        return function(*args)

    return start(work())


def wait(seconds: float) -> None:
    """Wait inside the stand-in that runs now. Only with CAN_SWITCH_STACKS.

    On a future, since a coroutine would become a task, which the loop's task factory would see.
    """
    loop = asyncio.get_running_loop()
    woken = loop.create_future()
    loop.call_later(seconds, woken.set_result, None)
    run_sync(woken)


def get_ident() -> int:
    """As `threading.get_ident`: another number in each stand-in."""
    task = current()
    return _the_only_one if task is None else _threads[task]


def install() -> None:
    threading.get_ident = get_ident
