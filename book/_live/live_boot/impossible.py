"""What a browser cannot do says so, in one sentence that names what does work."""

from __future__ import annotations

import concurrent.futures
import threading
from typing import Any, NoReturn


class NotInTheBrowser(RuntimeError):
    """This needs a thread or a network socket, and Python in a web page has neither."""


def _refuse(what: str, instead: str) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotInTheBrowser(f"{what} does not work in your browser: {instead}")

    return refuse


NO_THREADS = "a web page has no threads. "


def install() -> None:
    threading.Thread.start = _refuse(
        "threading.Thread", NO_THREADS + "Use `await asyncio.to_thread(function)` instead."
    )
    concurrent.futures.ThreadPoolExecutor.submit = _refuse(
        "ThreadPoolExecutor.submit",
        NO_THREADS + "Use `await loop.run_in_executor(pool, function)` instead.",
    )
