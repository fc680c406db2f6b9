"""The visited application as a process of its own, run by its own interpreter."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench.servers.detached import DETACHED, pipe
from bench.servers.surroundings import without_uvicorn

CHILD = Path(__file__).with_name("child.py")
LAST_LINES = 40
GRACE = 5.0  # seconds to stop: a request that hangs would hold it up for ever

Fact = dict[str, Any]
"""What the child tells; `kind` says of what. `child.py` has them all."""

_PASSWORD = re.compile(r"(\w+://[^:@/\s]*:)[^@/\s]+@")


class VisitError(Exception):
    """A visit that cannot go on; the text says why, and what to do."""


class NoReply(VisitError):
    """A request that got no reply, or an error of the application: its log says more."""


def hidden(text: str) -> str:
    """A text in which the passwords of addresses are blotted out."""
    return _PASSWORD.sub(r"\1…@", text)


class Application:
    """A running application. `facts` grows while it runs; it is complete after the block."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.facts: list[Fact] = []
        self.ready = asyncio.Event()
        self._process = process
        self._log: deque[str] = deque(maxlen=LAST_LINES)
        self._loop = asyncio.get_running_loop()
        self._threads = [
            threading.Thread(target=self._listen, daemon=True),
            threading.Thread(target=self._keep_log, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.about['port']}"

    @property
    def about(self) -> Fact:
        """What the child said of itself when it was ready."""
        return next((fact for fact in self.facts if fact["kind"] == "ready"), {})

    @property
    def log(self) -> str:
        """The last lines that the application wrote, without passwords of addresses."""
        return hidden("\n".join(self._log))

    def _listen(self) -> None:
        with pipe(self._process.stdout) as lines:
            for line in lines:
                fact = json.loads(line)
                self.facts.append(fact)
                if fact["kind"] == "ready":
                    self._loop.call_soon_threadsafe(self.ready.set)
        if not self.ready.is_set():
            self._loop.call_soon_threadsafe(self.ready.set)

    def _keep_log(self) -> None:
        with pipe(self._process.stderr) as lines:
            for line in lines:
                self._log.append(line.rstrip())

    def stop(self) -> None:
        """Ask it to leave, wait, and read what it still had to tell."""
        if sys.platform == "win32":  # terminate() would kill it there, with what it has not told
            pipe(self._process.stdin).close()
        else:
            self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        pipe(self._process.stdin).close()
        for thread in self._threads:
            thread.join(GRACE)


@asynccontextmanager
async def running(
    app: str,
    *,
    python: str,
    folder: Path,
    env: Mapping[str, str],
    loop: str = "asyncio",
    instruments: bool = True,
    patience: float = 60.0,
) -> AsyncIterator[Application]:
    """The application, started in `folder` by the interpreter `python`, until the block ends.

    The block begins when it accepts connections. Raises VisitError, with the end of its log, if it
    ends before that or needs longer than `patience` seconds. It listens on 127.0.0.1, on a free
    port, and leaves when this process ends, however that ends.
    """
    command = [python, "-u", str(CHILD), app, loop, "instruments" if instruments else "plain"]
    try:
        process = subprocess.Popen(  # noqa: ASYNC220  (it returns at once, and threads read it)
            command,
            cwd=folder,
            env=without_uvicorn({**os.environ}) | {"PYTHONUTF8": "1"} | dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            **DETACHED,
        )
    except OSError as error:
        raise VisitError(f"{python} cannot be started ({error.strerror}): see --python.") from None
    visited = Application(process)
    try:
        await _until_it_listens(visited, app, patience)
        yield visited
    finally:
        await asyncio.to_thread(visited.stop)


async def _until_it_listens(visited: Application, app: str, patience: float) -> None:
    try:
        async with asyncio.timeout(patience):
            await visited.ready.wait()
            while visited.about:
                try:
                    port = visited.about["port"]
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    if visited._process.poll() is not None:
                        break
                    await asyncio.sleep(
                        0.02
                    )  # uvicorn listens after the lifespan: no event says so
                    continue
                writer.close()
                return
    except TimeoutError:
        what = f"was not ready after {patience:g} s"
    else:
        await asyncio.to_thread(visited.stop)
        what = "did not start"
    raise VisitError(
        f"The application {app} {what}. The end of its log:\n{visited.log or '(empty)'}"
    )
