"""`time.sleep` holds the event loop, as in CPython.

Pyodide lets it give way to other tasks where the browser can switch stacks. That would show the
opposite of what lesson 1 is about, and only in some browsers.
"""

from __future__ import annotations

import time

from pyodide import webloop

from live_boot import stand_ins

_hold = webloop._orig_sleep


def sleep(seconds: float) -> None:
    if stand_ins.current() is not None and stand_ins.CAN_SWITCH_STACKS:
        stand_ins.wait(seconds)
    else:
        _hold(seconds)


def install() -> None:
    time.sleep = sleep
