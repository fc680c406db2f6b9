"""An exception that nobody takes out of its task is told when the task goes away, as in CPython.

Pyodide tells it as soon as the task ends, even when the next line awaits the task.
"""

from __future__ import annotations

import asyncio
from typing import Any

from pyodide import webloop


def count_down(loop: webloop.WebLoop, *ended: Any) -> None:
    """Without a look at the exception: a look would count as taking it."""
    loop._in_progress -= 1
    if loop._no_in_progress_handler and loop._in_progress == 0:
        loop._no_in_progress_handler()


def install() -> None:
    webloop.WebLoop._decrement_in_progress = count_down
    for kind, name in ((webloop.PyodideTask, "Task"), (webloop.PyodideFuture, "Future")):
        kind.__name__ = kind.__qualname__ = name  # what is told begins with it
    told = asyncio.BaseEventLoop.default_exception_handler
    webloop.WebLoop.default_exception_handler = told
