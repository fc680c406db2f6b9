"""A task factory makes the tasks of the loop, with their names, as in CPython.

Where there is a factory, Pyodide's own `create_task` calls what Python 3.14 no longer has.
`LoopTrace` is one, and timelines are drawn from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pyodide import webloop


def create_task(
    loop: webloop.WebLoop, work: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    """`loop.create_task`: `options` are those of `asyncio.Task` (name, context, eager_start)."""
    if (factory := loop.get_task_factory()) is not None:
        return factory(loop, work, **options)
    return asyncio.Task(work, loop=loop, **options)


def install() -> None:
    webloop.WebLoop.create_task = create_task
