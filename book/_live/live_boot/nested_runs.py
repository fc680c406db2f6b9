"""A loop that runs cannot be run once more, as in CPython.

Pyodide's own lets `run_until_complete` wait, or does nothing. A reader would learn the opposite.
"""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn

from pyodide import webloop

from live_boot import stand_ins
from live_boot.impossible import IN_JUPYTERLAB, NO_THREADS, NotInTheBrowser, sentence


def run_once_more(loop: webloop.WebLoop, *args: Any) -> NoReturn:
    """`run_until_complete` and `run_forever`: the page's loop runs whenever Python runs."""
    if asyncio.get_running_loop() is loop:
        raise RuntimeError("This event loop is already running")
    raise RuntimeError("Cannot run the event loop while another loop is running")


def new_event_loop() -> webloop.WebLoop:
    """Another loop, which does not take the place of the one that runs."""
    running = asyncio.get_running_loop()
    made = webloop.WebLoop()
    asyncio._set_running_loop(running)
    return made


def run(main: Any, **options: Any) -> Any:
    """Refuses inside a running loop, as in Jupyter; in a thread the page has to say why."""
    if stand_ins.current() is not None:
        raise NotInTheBrowser(sentence("asyncio.run in a thread", f"{NO_THREADS}. {IN_JUPYTERLAB}"))
    return webloop._orig_run(main, **options)


def install() -> None:
    webloop.WebLoop.run_until_complete = webloop.WebLoop.run_forever = run_once_more
    asyncio.new_event_loop = asyncio.events.new_event_loop = new_event_loop
    asyncio.run = run
