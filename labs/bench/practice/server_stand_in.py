"""Runs the checks of a lab on a stand-in for PostgreSQL and for the server, on a virtual clock.

The checks are the functions of `test_lab.py` as they are. They meet stand-ins under the names that
they import: `Gate`, `served`, the silent line, a socket that somebody knocks at. The submitted app
is called by ASGI, on the checks' own event loop; when a call of it blocks, its app gives no answer
any more, as a server whose loop is held.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn, Self
from weakref import WeakKeyDictionary

import bench
from bench.instruments.http_client import Reply
from bench.instruments.virtual import VirtualLoop
from bench.practice.drivers_stand_in import connect, drivers
from bench.practice.kitchen_stand_in import (
    DSN,
    HOLDS,
    HoldsTheLoop,
    Kitchen,
    Line,
    UnknownToTheStandIn,
    Wait,
    in_a_thread,
    now,
    sleep,
)
from bench.practice.raised_code import CodeRaised

HOME = "postgresql://bistro@127.0.0.1:5432/bistro"
THREADS = 32  # of asyncio's own pool, at most
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
        frame = sys._getframe()
        while frame and frame.f_code.co_filename != str(self.file):
            frame = frame.f_back  # type: ignore[assignment]
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


class Gate:
    """`bench.Gate` in front of the stand-in."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    async def __aenter__(self) -> Self:
        now.kitchen.gate = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.open()

    async def waiting(self) -> int:
        return now.kitchen.at_the_gate()

    async def open(self) -> None:
        now.kitchen.gate = False
        now.kitchen.changed()


class SilentLine:
    """`bench.RoundTrips` in front of the stand-in, for a line that falls silent."""

    def __init__(self, dsn: str) -> None:
        self.dsn = f"{dsn}-silent-{len(now.kitchen.lines)}"
        self.line: Line = now.kitchen.line(self.dsn)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.line.silent = False
        now.kitchen.changed()

    @property
    def trips(self) -> int:
        return self.line.trips

    @property
    def delay(self) -> float:
        return 3600.0 * self.line.silent

    @delay.setter
    def delay(self, seconds: float) -> None:
        self.line.silent = seconds > 0


class Door:
    """A socket that nobody listens at, and later one that lets everybody in and says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.silent = False
        now.kitchen.changed()

    def bind(self, address: tuple[str, int]) -> None:
        self.line = now.kitchen.line("postgresql://nobody:nothing@127.0.0.1:1/nowhere")
        self.line.refuses = True

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    def listen(self) -> None:
        self.line.refuses, self.line.silent, self.line.knocks = False, True, 0

    def setblocking(self, flag: bool) -> None:
        """It never does."""

    def accept(self) -> tuple[Door, None]:
        if not self.line.knocks:
            raise BlockingIOError
        return self, None

    def close(self) -> None:
        """Nothing is to be closed."""


# -- the checks ------------------------------------------------------------------------------------

IMPORTED_AFRESH = (
    "bistro",
    *(f"bench.practice.{name}" for name in ("beats", "pytest_plugin", "served_file", "submission")),
)
"""What mentions a driver, and so must meet the stand-in for it."""


class Stage:
    """The checks of one file among the stand-ins. Made by `stage`."""

    def __init__(self, checks: ModuleType, file: Path) -> None:
        self.checks, self.file = checks, file

    async def app(self, stack: AsyncExitStack) -> Any:
        """The submitted app as the checks see it, until `stack` is closed. Raises CodeRaised."""
        return await stack.enter_async_context(self.served(HOME, BISTRO_DSN=HOME))

    async def run(self, name: str, app: Any) -> None:
        """Run one check as the pytest plugin does."""
        clock = asyncio.get_running_loop().time
        for module in self.checks, sys.modules["bench.practice.submission"]:
            vars(module)["perf_counter"] = lambda: clock() + time.perf_counter()
        try:
            await getattr(self.checks, name)(app)
        except BaseException:
            app.stood_still.clear()
            raise
        app.check_the_loop()

    @asynccontextmanager
    async def served(self, dsn: str, **env: str) -> AsyncIterator[Any]:
        """`bench.practice.submission.served`, in this process."""
        submission = sys.modules["bench.practice.submission"]
        with tempfile.TemporaryDirectory() as folder:
            diary = Path(folder) / "diary"
            diary.touch()
            os.environ |= {"LAB_FILE": str(self.file), "LAB_DIARY": str(diary)}
            address = os.environ["BISTRO_DSN"] = env.get("BISTRO_DSN", dsn)
            DSN.set(address)
            try:
                module = imported_afresh("bench.practice.served_file")
                hall = Hall(module, self.file, address)
                async with started(module.app):
                    submission._open.append(diary)
                    try:
                        yield submission.Submission(dsn, await connect(HOME), hall, diary)
                    finally:
                        submission._open.remove(diary)
                        submission.remember_held(diary)
                        for task in hall.tasks:
                            task.cancel()
            except (AssertionError, CodeRaised):
                raise
            except BaseException as error:
                if entry := submission.last_error(diary):
                    raise CodeRaised(entry) from error
                raise


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


def imported_afresh(name: str) -> ModuleType:
    sys.modules.pop(name, None)
    module = importlib.import_module(name)
    if hasattr(module, "watch"):
        vars(module)["watch"] = lambda *_: None  # whoever holds the loop here says so himself
    return module


@contextmanager
def stage(checks: Path, file: Path) -> Iterator[Stage]:
    """Until the block ends, drivers, threads, `time.sleep` and servers are stand-ins."""
    with ExitStack() as stack:

        def put(owner: Any, **names: Any) -> None:
            before = {name: vars(owner)[name] for name in names if name in vars(owner)}
            for name, value in names.items():
                setattr(owner, name, value)
                if name in before:
                    stack.callback(setattr, owner, name, before[name])
                else:
                    stack.callback(delattr, owner, name)

        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")  # of a coroutine that nobody runs, the outcome speaks
        loaded = dict(sys.modules)
        stack.callback(_restore, loaded)
        for name in loaded:
            if name.startswith(IMPORTED_AFRESH):
                del sys.modules[name]
        sys.modules |= drivers()
        sys.modules.setdefault("pytest", _pytest())
        now.kitchen, now.thread, now.unknown = Kitchen(), None, ""
        put(bench, Gate=Gate, Postgres=None)
        put(time, sleep=sleep)
        put(threading.Thread, start=refused("a thread of your own"))
        put(ThreadPoolExecutor, submit=refused("`ThreadPoolExecutor.submit`"))
        put(VirtualLoop, run_in_executor=run_in_executor)
        anyio = importlib.import_module("anyio._backends._asyncio")
        put(anyio.AsyncIOBackend, run_sync_in_worker_thread=staticmethod(run_sync_in_worker_thread))
        vars(importlib.import_module("bistro.database"))["dsn"] = DSN.get
        spec = importlib.util.spec_from_file_location("test_lab", checks)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        made = Stage(module, file)
        vars(module)["served"] = made.served
        if hasattr(module, "socket"):
            vars(module)["socket"] = SimpleNamespace(socket=Door)
        beats: Any = sys.modules["bench.practice.beats"]
        beats.served, beats.RoundTrips = made.served, SilentLine
        yield made


def refused(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise UnknownToTheStandIn(what)

    return refuse


def _restore(loaded: dict[str, ModuleType]) -> None:
    """The modules are those of before; new ones that met no stand-in may stay."""
    for name in set(sys.modules) - set(loaded):
        if name.startswith((*IMPORTED_AFRESH, *drivers(), "pytest")):
            del sys.modules[name]
    sys.modules.update(loaded)


def _pytest() -> ModuleType:
    """What the checks and their plugin say to pytest while they are imported."""
    module = ModuleType("pytest")
    same = lambda *_, **__: lambda function: function  # noqa: E731
    module.fixture = module.hookimpl = same  # type: ignore[attr-defined]
    return module


# -- helper threads --------------------------------------------------------------------------------

_places: WeakKeyDictionary[Any, asyncio.Semaphore] = WeakKeyDictionary()


class _DefaultPool:
    _max_workers = THREADS


_default_pool = _DefaultPool()


def run_in_executor(
    loop: VirtualLoop, executor: Any, function: Callable[..., Any], *args: Any
) -> asyncio.Future[Any]:
    pool = executor or _default_pool
    places = _places.setdefault(pool, asyncio.Semaphore(pool._max_workers))

    async def work() -> Any:
        async with places:
            return await in_a_thread(function, *args)

    return loop.create_task(work())


async def run_sync_in_worker_thread(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: Any = None,
) -> Any:
    from anyio.to_thread import current_default_thread_limiter

    async with limiter or current_default_thread_limiter():
        return await in_a_thread(function, *args)
