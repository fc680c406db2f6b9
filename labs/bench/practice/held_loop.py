"""Watches an event loop from a thread beside it: which line holds it, and waits?

A line holds the loop when the loop's thread stands at it, asleep, for WATCH looks in a row. Looks
are counted and no time is measured. A thread that works or has no processor is not asleep, and one
that starts a helper waits for a processor, too. So a slow machine, or one that was stopped for a
while, makes no line guilty.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PAUSE = 0.01  # seconds between two looks
WATCH = 10  # looks: a tenth of a second, at least
WORK = 0.002  # seconds of processor time in which nobody is asleep
START = threading.Thread.start.__code__


def watch(file: str, tell: Callable[[int], None]) -> None:
    """Watch the thread that calls this, until Python ends.

    `tell` is called, in the watching thread, with each line of `file` that holds the loop: once a
    line.
    """
    thread, task = threading.get_ident(), threading.get_native_id()
    looks = threading.Thread(target=_looks, args=(file, tell, thread, task), daemon=True)
    looks.start()


def _looks(file: str, tell: Callable[[int], None], thread: int, task: int) -> None:
    told: set[int] = set()
    stands: tuple[FrameType, int] | None = None  # the frame itself: another one is another call
    seen, worked = 0, 0.0
    while True:
        time.sleep(PAUSE)
        frame = sys._current_frames().get(thread)
        line, now = _line(file, frame), _processor_time(thread)
        place = (frame, frame.f_lasti) if frame and line else None
        del frame
        if not line or place != stands or now - worked > WORK or not _sleeps(task):
            stands, seen, worked = place, 0, now
            continue
        seen += 1
        if seen >= WATCH and line not in told:
            told.add(line)
            tell(line)


def _line(file: str, frame: FrameType | None) -> int | None:
    """The line of `file` that a stack stands at; None if it is not there, or starts a thread."""
    while frame and frame.f_code.co_filename != file:
        frame = None if frame.f_code is START else frame.f_back
    return frame.f_lineno if frame else None


def _processor_time(thread: int) -> float:
    """What the thread has worked, in seconds; 0 where the system does not tell."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return 0.0
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


def _sleeps(task: int) -> bool:
    """False if the thread could go on and waits for a processor. Linux alone tells."""
    try:
        state = Path(f"/proc/self/task/{task}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state != "R"
