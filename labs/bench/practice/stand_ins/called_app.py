"""The submitted app without a server: called by ASGI, on the event loop of the checks.

When a call of the app blocks, the app gives no answer any more, as a server whose loop is held.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from bench.instruments.http_client import NO_LENGTH, Reply
from bench.practice.stand_ins.kitchen import DSN, HOLDS, HoldsTheLoop, Wait, now

Event = dict[str, Any]


class Hall:
    """The submitted app, as a server would run it, with the database at `dsn`."""

    def __init__(self, served_file: ModuleType, file: Path, dsn: str) -> None:
        self.module, self.file, self.dsn = served_file, file, dsn
        self.held_by: list[Wait] = []
        self.url = dsn
        self.tasks: set[asyncio.Task[None]] = set()

    @property
    def held(self) -> bool:
        """Whether a call that blocks waits on the app's loop, so that nobody gets an answer."""
        self.held_by = [wait for wait in self.held_by if not now.kitchen.free(wait)]
        return bool(self.held_by)

    def holds(self, wait: Wait | None) -> None:
        """A call blocks on this app's loop: until it may go on, or for a time."""
        if wait:
            self.held_by.append(wait)
        self.note_line()

    async def lets_go(self) -> None:
        """Wait until no call holds this app's loop."""
        while self.held:  # noqa: ASYNC110 -- it is a number of calls, and each ends in its own way
            await asyncio.sleep(0.05)

    def note_line(self) -> None:
        """Note the line of the submitted file at which its loop's thread stands."""
        frame: FrameType | None = sys._getframe()
        while frame and frame.f_code.co_filename != str(self.file):
            frame = frame.f_back
        if frame:
            self.module.note_held(frame.f_lineno)

    async def get(self, target: str) -> Reply:
        """The reply to GET `target`. When the caller is cancelled, the guest has left."""
        left = asyncio.Event()
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        DSN.set(self.dsn)
        HOLDS.set(self.holds)
        task = asyncio.create_task(self._serve(target, left, reply))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        try:
            return await reply
        finally:
            left.set()

    async def _serve(self, target: str, left: asyncio.Event, reply: asyncio.Future[Reply]) -> None:
        path, _, query = target.partition("?")
        asked: list[Event] = [{"type": "http.request", "body": b"", "more_body": False}]
        status, body = 0, b""

        async def receive() -> Event:
            if asked:
                return asked.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Event) -> None:
            nonlocal status, body
            await self.lets_go()
            if message["type"] == "http.response.start":
                status = message["status"]
                told = any(name.lower() == b"content-length" for name, _ in message["headers"])
                if not (told or status in (204, 304) or reply.done()):
                    said = NO_LENGTH.format(what=f"GET {target}", status=status)
                    reply.set_exception(ValueError(said))
                return
            body += message.get("body", b"")
            if not message.get("more_body") and not reply.done():
                reply.set_result(Reply(0.0, 0.0, 0.0, status, body))

        scope = {
            **{"type": "http", "method": "GET", "path": path, "raw_path": path.encode()},
            **{"query_string": query.encode(), "headers": [], "scheme": "http", "root_path": ""},
            **{"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1), "http_version": "1.1"},
            "asgi": {"version": "3.0"},
        }
        await self.lets_go()
        try:
            await self.module.app(scope, receive, send)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            if not one_of(error, HoldsTheLoop):  # else it stands there, and the reply never comes
                if not isinstance(error, Exception):
                    fail(reply, error)
                elif not reply.done():
                    reply.set_result(Reply(0.0, 0.0, 0.0, 500, b"Internal Server Error"))


def fail(reply: asyncio.Future[Reply], error: BaseException) -> None:
    """Let the checks end with what no stand-in can judge."""
    while isinstance(error, BaseExceptionGroup):
        error = next(one for one in error.exceptions if not isinstance(one, Exception))
    if not reply.done():
        reply.set_exception(error)


def one_of(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether it is one, or a group with one in it."""
    if isinstance(error, BaseExceptionGroup):
        return any(one_of(inside, kind) for inside in error.exceptions)
    return isinstance(error, kind)


@asynccontextmanager
async def started(app: Callable[..., Any]) -> AsyncIterator[None]:
    """The app between its start and its end, as a server sees them. Raises what stops the start."""
    events: asyncio.Queue[Event] = asyncio.Queue()
    said: asyncio.Queue[Event] = asyncio.Queue()
    events.put_nowait({"type": "lifespan.startup"})
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, events.get, said.put))
    first = asyncio.create_task(said.get())
    await asyncio.wait([task, first], return_when=asyncio.FIRST_COMPLETED)
    first.cancel()
    if task.done() and (error := task.exception()):
        raise error
    try:
        yield
    finally:
        events.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait([task], timeout=5)
        task.cancel()
