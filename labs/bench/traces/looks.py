"""How a trace looks: one table for the figure that Python draws and the one that the page draws.

Words, patterns and sizes stand here alone. `python -m bench.traces.looks` writes them into the
page's script, `book/_static/timeline/`; tests/unit/test_looks.py holds script and style against
this table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple, get_args

from bench.course import PAGE_ASSETS
from bench.palette import BLUE, GREEN, PURPLE, VERMILION

StateName = Literal["running", "blocking", "ready", "database", "pool", "thread", "waiting"]
"""What a task or a request does at a moment.

running: holds the event loop. blocking: holds it while it waits for something. ready: could run,
waits for the loop. database, pool, thread: waits for the database, for a connection of the pool,
for a thread. waiting: waits for anything else."""


class Look(NamedTuple):
    """How a state is said and drawn. No two share a pattern: colour is never the only cue."""

    words: str
    color: str | None
    """Of the palette; None is the muted colour of the page's text."""
    tile: str
    """What fills the state: SVG of 8 × 8 pixels, repeated."""


STATES: dict[StateName, Look] = {
    "running": Look("holds the loop", BLUE, '<rect width="8" height="8"/>'),
    "blocking": Look(
        "blocks the loop",
        VERMILION,
        '<rect width="8" height="8" opacity=".3"/><path d="M0 0L8 8M8 0L0 8"/>',
    ),
    "ready": Look("waits for the loop", None, '<rect width="8" height="8" opacity=".2"/>'),
    "database": Look(
        "waits for the database",
        GREEN,
        '<rect width="8" height="8" opacity=".3"/><path d="M-2 2L2-2M0 8L8 0M6 10L10 6"/>',
    ),
    "pool": Look(
        "waits for a connection",
        PURPLE,
        '<rect width="8" height="8" opacity=".3"/><path d="M-2 6L2 10M0 0L8 8M6-2L10 2"/>',
    ),
    "thread": Look("waits for a thread", None, '<path d="M2 0V8M6 0V8"/>'),
    "waiting": Look("waits", None, '<path d="M0 2H8M0 6H8"/>'),
}
"""Every state of the format, in the order in which a reader sees them."""

assert tuple(STATES) == get_args(StateName)

LANE = 16
"""Pixels of one lane."""
TALLEST = 480
"""Pixels of all lanes together, at most."""
AXIS = 24
"""Pixels of the axis below them."""
SIMULATOR_PLOT = 320
"""Pixels of all lanes where the reader changes their number."""
SHORT = 0.05
"""Seconds: an axis below this is labelled in milliseconds."""
LONGEST = 14
"""Letters of a lane's name."""
THINNEST = 0.001
"""Per cent of the width: with its border, a step of a microsecond is still seen."""
CROSS = "✗"
"""Marks the end of a lane that ended with an error."""

ASSETS = PAGE_ASSETS / "timeline"
"""The folder of what a page or a notebook loads."""
STYLE = ASSETS / "lanes.css"
"""What the figure needs, on a page, in a notebook and in print."""
SCRIPTS = (ASSETS / "lanes.js", ASSETS / "clock.js", ASSETS / "timeline.js")
"""What plays it, in the order in which they run."""

_FIRST = "  // Written by `python -m bench.traces.looks`: what Python and this script both draw.\n"
_LAST = "  // End of what is written.\n"


def script() -> str:
    """The table in JavaScript, between its first and its last line."""
    words = "".join(f'    {name}: "{look.words}",\n' for name, look in STATES.items())
    tiles = "".join(f"    {name}: '{look.tile}',\n" for name, look in STATES.items())
    return (
        f"{_FIRST}"
        f"  const STATES = {{\n{words}  }};\n"
        f"  const TILES = {{\n{tiles}  }};\n"
        f"  const LANE = {LANE}; // px, as the next three\n"
        f"  const TALLEST = {TALLEST};\n"
        f"  const AXIS = {AXIS};\n"
        f"  const SIMULATOR_PLOT = {SIMULATOR_PLOT};\n"
        f"  const LONGEST = {LONGEST}; // letters of a name\n"
        f"  const THINNEST = {THINNEST}; // %\n"
        f"  const SHORT = {SHORT}; // s\n"
        f'  const CROSS = "{CROSS}";\n'
        f"{_LAST}"
    )


def written() -> tuple[Path, str]:
    """The script that holds the table, and its text with the table as it is now."""
    for path in sorted(ASSETS.glob("*.js")):
        before, found, rest = path.read_text(encoding="utf-8").partition(_FIRST)
        if found:
            return path, before + script() + rest.partition(_LAST)[2]
    raise LookupError(f"no script in {ASSETS} has the line {_FIRST.strip()!r}")


if __name__ == "__main__":
    path, text = written()
    path.write_text(text, encoding="utf-8")
