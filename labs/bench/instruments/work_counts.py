"""Count Python functions: a measure of a program's work that is the same on every machine."""

from __future__ import annotations

import sys
import threading
from collections.abc import Awaitable, Callable
from types import FrameType


async def python_calls(work: Callable[[], Awaitable[object]], times: int = 100) -> float:
    """Python functions called for one `work()`: the mean of so many, one after the other.

    Counted are calls on the running loop's thread, without those of asyncio itself. Compiled code,
    which asyncpg and psycopg's C part are, is not counted. What else the loop runs meanwhile is.
    """
    count, thread = 0, threading.get_ident()

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        ours = threading.get_ident() == thread
        if event == "call" and ours and "asyncio" not in frame.f_globals.get("__name__", ""):
            count += 1

    sys.setprofile(note)
    try:
        for _ in range(times):
            await work()
    finally:
        sys.setprofile(None)
    return count / times
