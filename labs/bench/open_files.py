"""How many files and sockets a process may have open: macOS allows a shell 256, which is too few.

Needs the standard library alone.
"""

from __future__ import annotations

import sys


def allow_open_files(needed: int) -> None:
    """Let this process, and those that it starts from now on, have `needed` files open at once.

    Raises the soft limit when it is lower; nothing is ever lowered. Raises OSError, with what to
    do, when the system allows fewer. Windows and the browser have no such limit.
    """
    if sys.platform in ("win32", "emscripten"):
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise OSError(
            f"This needs {needed} open files and sockets at once, and the system allows {hard}. "
            f"Run `ulimit -n {needed}` as an administrator, or ask for a higher limit."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
