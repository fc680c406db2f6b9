"""`loop.create_task` with a task factory, as in CPython 3.14: the instruments install one.

Pyodide's own still looks for a function that asyncio no longer has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from pyodide import webloop

_without_factory = webloop.WebLoop.create_task


def create_task(
    loop: webloop.WebLoop, work: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    factory = loop.get_task_factory()
    if factory is None:
        return _without_factory(loop, work, **options)
    return factory(loop, work, **options)


def install() -> None:
    webloop.WebLoop.create_task = create_task
