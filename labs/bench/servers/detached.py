"""How a process is started that must not hear the notebook's interrupt: Ctrl+C, Jupyter's stop.

The terminal and Jupyter send it to a whole session, or to a whole process group on Windows.
"""

from __future__ import annotations

import subprocess
import sys
from typing import IO, TypedDict


class Detached(TypedDict, total=False):
    """Arguments of `subprocess.Popen`."""

    start_new_session: bool
    creationflags: int


if sys.platform == "win32":
    DETACHED: Detached = {
        "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    }
else:
    DETACHED: Detached = {"start_new_session": True}


def pipe(stream: IO[str] | None) -> IO[str]:
    """A stream of a process that was started with a pipe there, which its type does not say."""
    if stream is None:
        raise ValueError("the process was started without this pipe")
    return stream
