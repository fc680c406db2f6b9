"""uvicorn in a process of its own, for everything that is measured.

A server that shares the notebook's process also shares its event loop and its GIL. Then a blocked
handler blocks the client too, and the client's work is counted as the server's.

The server holds the read end of a pipe from its parent. When the pipe closes, the server leaves:
after `stop()`, after a normal exit, and also after `kill -9` of the parent.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any

from bench.servers.detached import DETACHED, pipe
from bench.servers.surroundings import forget_files_of_tls, forget_the_proxy, without_uvicorn

if TYPE_CHECKING:
    import uvicorn

READY = "/.well-known/ready"
GRACE = 2.0  # seconds for the requests in flight, once the server is asked to stop
LOG_LINES = 2000  # older lines of the log are forgotten
CHECK = (
    ". Check that this module or file can be imported, "
    "and that the environment variables it needs are set (env=…)"
)


@asynccontextmanager
async def serve(
    app: str, *, env: Mapping[str, str] | None = None, patience: float = 60.0
) -> AsyncIterator[Server]:
    """Serve `app` from a subprocess, on a free port of 127.0.0.1, until the block ends.

    `app` is "module:attribute" or "path/to/file.py:attribute". The subprocess uses this Python,
    this working directory, and this environment plus `env`. One worker; idle connections stay
    open for 120 seconds. The block begins when the server has answered one request
    (GET /.well-known/ready, any status).

    At the end of the block, requests in flight have GRACE seconds. The server is killed if it is
    not gone after three times GRACE. Ctrl+C and Jupyter's interrupt do not reach it. Nothing is
    printed: what the server writes is in `Server.log`.

    Raises ValueError for a malformed `app`. Raises RuntimeError with the end of the server's log
    when it does not start within `patience` seconds, and at the end of the block when it died
    meanwhile. If the block raises an exception itself, that report becomes a note of it.
    """
    server = Server(app, env)
    try:
        await server._until_ready(patience)
    except BaseException:
        server._process.kill()
        await server._stop()
        raise
    try:
        yield server
    except BaseException as error:
        if died := await server._stop():
            error.add_note(died)
        raise
    if died := await server._stop():
        raise RuntimeError(died)


class Server:
    """A server that runs in a subprocess; made by `serve`."""

    url: str
    """Its address, "http://127.0.0.1:<port>", without a slash at the end."""

    def __init__(self, app: str, env: Mapping[str, str] | None) -> None:
        module, _, attribute = app.rpartition(":")
        if not module or not all(name.isidentifier() for name in attribute.split(".")):
            raise ValueError(f"app must be 'module:attribute' or 'file.py:attribute', not {app!r}.")
        forget_the_proxy()
        forget_files_of_tls()
        self.app = app
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-X", "utf8", "-m", "bench.servers.serving", app],
            stdin=subprocess.PIPE,  # its end of file tells the server to leave
            stdout=subprocess.PIPE,  # one line: the port
            stderr=subprocess.PIPE,  # the log
            encoding="utf-8",
            errors="replace",
            env=without_uvicorn({**os.environ}) | dict(env or {}),
            **DETACHED,
        )
        self._lines: deque[str] = deque(maxlen=LOG_LINES)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server and the app have written so far (the last 2000 lines)."""
        return "".join(self._lines.copy())

    def _read_log(self) -> None:
        with pipe(self._process.stderr) as log:
            self._lines.extend(log)

    async def _until_ready(self, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                port = await asyncio.to_thread(pipe(self._process.stdout).readline)
                if port:
                    self.url = f"http://127.0.0.1:{int(port)}"
                    await _answered(int(port))
                    return
        except TimeoutError:
            raise RuntimeError(self._report(f"was not ready after {patience:g} s{CHECK}")) from None
        except ConnectionError:
            pass  # it answered nothing and left: the log says why
        await self._stop()
        code = self._process.returncode
        raise RuntimeError(self._report(f"did not start (exit code {code}){CHECK}"))

    async def _stop(self) -> str | None:
        """Stop the server; return a report if it had died by itself, else None."""
        died = self._process.poll() is not None
        # At once, so that a second cancellation cannot prevent it.
        pipe(self._process.stdin).close()
        killed = await asyncio.to_thread(self._wait_or_kill)
        if died or (self._process.returncode != 0 and not killed):
            return self._report(f"died (exit code {self._process.returncode})")
        return None

    def _wait_or_kill(self) -> bool:
        killed = False
        try:
            self._process.wait(3 * GRACE)
        except subprocess.TimeoutExpired:
            killed = True
            self._process.kill()
            self._process.wait()
        pipe(self._process.stdout).close()
        self._reader.join(GRACE)  # longer only if a child of the app still holds the log
        return killed

    def _report(self, what: str) -> str:
        tail = self.log.splitlines()[-25:] or ["(empty)"]
        return "\n  ".join([f"The server for {self.app!r} {what}. The end of its log:", *tail])


async def _answered(port: int) -> None:
    """Ask for READY and wait for the reply, of any status; of a chunked one, for its head.

    Raises ConnectionError when the server closes the connection before that.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        question = f"GET {READY} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        writer.write(question.encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if length := re.search(rb"\ncontent-length: *(\d+)", head.lower()):
                await reader.readexactly(int(length[1]))
        except asyncio.IncompleteReadError:
            raise ConnectionError(f"no reply to GET {READY}") from None
    finally:
        writer.transport.abort()


# ---- in the subprocess: python -m bench.servers.serving <app> ----


def run(app: str) -> None:
    """Serve `app` here until standard input closes; write the port to standard output."""
    report = os.dup(1)
    os.dup2(2, 1)  # what the app prints belongs to the log

    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            port = self.servers[0].sockets[0].getsockname()[1]
            os.write(report, b"%d\n" % port)
            os.close(report)

    name, _, attribute = app.rpartition(":")
    file = Path(name) if name.endswith(".py") else None
    options: dict[str, Any] = {
        "port": 0,  # the operating system picks a free one: no other program can be faster
        "loop": "asyncio",  # the same on every machine, whatever else is installed there
        "http": "h11",
        "ws": "none",
        "access_log": False,
        "use_colors": False,
        "timeout_keep_alive": 120,  # the usual 5 s close a connection between two slow cells
        "timeout_graceful_shutdown": int(GRACE),  # since uvicorn 0.22; before, we kill in time
    }
    known = inspect.signature(uvicorn.Config).parameters
    config = uvicorn.Config(
        f"{file.stem}:{attribute}" if file else app,
        **{name: value for name, value in options.items() if name in known},
    )
    server = Server(config)
    # Before the app is imported: an import that never ends must not outlive its parent either.
    threading.Thread(target=_leave_with_parent, args=(server,), daemon=True).start()
    if file:
        _import_file(file)
    server.run()


def _leave_with_parent(server: uvicorn.Server) -> None:
    # os.read, not sys.stdin: a daemon thread that holds a buffer's lock aborts a normal exit.
    while os.read(0, 4096):
        pass
    server.should_exit = True
    time.sleep(2 * GRACE)
    os._exit(0)  # something still blocks the loop or a thread, and nobody is left to wait for it


def _import_file(file: Path) -> None:
    """Import a file under its own name, with its folder on the path for what it imports."""
    from importlib.util import module_from_spec, spec_from_file_location

    sys.path.insert(0, str(file.parent.resolve()))
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no file of Python")
    module = module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)


if __name__ == "__main__":
    run(sys.argv[1])
