"""The process that ends a notebook's PostgreSQL when the notebook's kernel is gone, for any reason.

`bench.servers.postgres` starts it with a pipe as its standard input and writes one line of JSON,
the job. It answers with one line of JSON, `{"dsn": …}` or `{"error": …}`, and then reads until the
pipe closes. The operating system closes it when the kernel stops, restarts, crashes or is killed,
so no process id and no time-out can be wrong. Then it stops the server and deletes its files.

Two kinds of job:
* `{"bin": …}`: a private server (`private`). Needs the standard library alone (`python -I -S`):
  as root it becomes the user `nobody`, and from then on Python's own files, and ours, may be out
  of its reach. So what it may need is imported at once.
* `{"connect": …}`: a database of our own on somebody's server (`borrowed`).

Windows has branches of its own: `server_files.lock`, `private.settle`, and `Server` in `programs`.
They were written from documentation and have not been run.
"""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A script of its own, started with `-I` or `-P`, finds nothing beside itself.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.servers.borrowed import borrowed_database
from bench.servers.private import private_server


def listen_to_signals(answer: Callable[[int, Any], object] | int) -> None:
    """What a request to end does from now on."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), answer)


def main() -> None:
    """Read the job, do it until the pipe closes, and leave nothing behind."""
    listen_to_signals(lambda *_: sys.exit())  # asked to end: the same as the end of the pipe
    job = json.loads(sys.stdin.readline())
    try:
        with private_server(job) if "bin" in job else borrowed_database(job) as answer:
            try:
                print(json.dumps(answer), flush=True)
                sys.stdin.read()  # until the pipe closes
            finally:
                listen_to_signals(signal.SIG_IGN)  # cleaning up comes to its end
    except Exception as problem:
        with contextlib.suppress(OSError):  # perhaps nobody listens any more
            print(json.dumps({"error": str(problem) or type(problem).__name__}), flush=True)


if __name__ == "__main__":
    main()
