"""Makes Python in a web worker behave as CPython does, as far as this course can tell.

Imported once, before the first cell. Each module takes away one difference:

`sleeping`          `time.sleep` holds the event loop
`stand_ins`         a task that plays a thread: it may wait while others go on
`pools`             `to_thread`, `run_in_executor` and AnyIO's forty places use such tasks
`task_factories`    the instruments may watch every task
`unretrieved`       an exception is lost, and told, when CPython says so
`sqlite_threads`    aiosqlite's thread for each connection is such a task
`impossible`        what cannot work here says so in one sentence
`nested_runs`       a running loop cannot be run once more
`telling`           errors are told in the reader's own lines
`cells`             runs a cell of the page

`tests/browser/probes/` compares nineteen behaviours with CPython.
"""

from __future__ import annotations

from live_boot import (
    cells,
    impossible,
    nested_runs,
    pools,
    sleeping,
    sqlite_threads,
    stand_ins,
    task_factories,
    telling,
    unretrieved,
)
from live_boot.cells import run_cell
from live_boot.stand_ins import CAN_SWITCH_STACKS

__all__ = ["CAN_SWITCH_STACKS", "run_cell"]

for part in (
    *(sleeping, stand_ins, pools, task_factories, unretrieved, sqlite_threads),
    *(impossible, nested_runs, telling, cells),
):
    part.install()
