"""The stage on which a lab's checks run without PostgreSQL: everything they meet is a stand-in.

The checks are the functions of `test_lab.py` as they are. They meet stand-ins under the names that
they import: the drivers, `Gate`, `served`, the silent line, a socket that somebody knocks at.
"""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import itertools
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
from time import perf_counter as real_time
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import bench
from bench.instruments.virtual import VirtualLoop
from bench.practice.raised_code import CodeRaised
from bench.practice.stand_ins.asyncpg_stand_in import asyncpg_module, connect
from bench.practice.stand_ins.called_app import Hall, started
from bench.practice.stand_ins.instruments_of_checks import Door, Gate, SilentLine
from bench.practice.stand_ins.kitchen import DSN, Kitchen, UnknownToTheStandIn, now
from bench.practice.stand_ins.psycopg_stand_in import psycopg_module
from bench.practice.stand_ins.replayed_threads import (
    run_in_executor,
    run_sync_in_worker_thread,
    sleep,
)

LOOK = 1e-6  # seconds; so whoever looks again and again until a moment comes to an end
HOME = "postgresql://bistro@127.0.0.1:5432/bistro"
IMPORTED_AFRESH = (
    "bistro",
    *(f"bench.practice.{name}" for name in ("beats", "pytest_plugin", "served_file", "submission")),
)
"""What mentions a driver, and so must meet the stand-in for it."""

PLAYED_MODULES = {
    *("__future__", "abc", "collections", "contextlib", "contextvars", "dataclasses", "datetime"),
    *("enum", "functools", "inspect", "itertools", "json", "logging", "math", "operator", "os"),
    *("random", "re", "sys", "time", "types", "typing", "typing_extensions", "warnings"),
    *("asyncio", "anyio", "concurrent", "asyncpg", "psycopg", "fastapi", "starlette", "pydantic"),
    *("bench", "bistro"),
}
"""A file that imports these alone waits nowhere but where a stand-in sees it."""


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
            vars(module)["perf_counter"] = lambda: clock() + real_time()
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
        sys.modules |= {"asyncpg": asyncpg_module(), "psycopg": psycopg_module()}
        sys.modules.setdefault("pytest", _pytest())
        now.kitchen, now.thread, now.unknown = Kitchen(), None, ""
        put(bench, Gate=Gate, Postgres=None)
        clocks = ("monotonic", "perf_counter", "time")
        put(time, sleep=sleep, **{name: on_the_loop(getattr(time, name)) for name in clocks})
        put(threading.Thread, start=refused("a thread of your own"))
        put(ThreadPoolExecutor, submit=refused("`ThreadPoolExecutor.submit`"))
        from_thread = importlib.import_module("anyio.from_thread")
        put(
            from_thread,
            run=refused("`from_thread.run`"),
            run_sync=refused("`from_thread.run_sync`"),
        )
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


def on_the_loop(own: Callable[[], float]) -> Callable[[], float]:
    """A clock of `time` that moves with the virtual loop, and with each look at it."""
    began, looks = own(), itertools.count()

    def now_on_the_loop() -> float:
        loop = asyncio._get_running_loop()
        if not isinstance(loop, VirtualLoop):
            return own()
        return began + loop.time() + next(looks) * LOOK

    return now_on_the_loop


def foreign_modules(source: str) -> list[str]:
    """What the file imports and nobody plays here: it might wait where no stand-in sees it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(node.module or "")
    return [name for name in found if name.partition(".")[0] not in PLAYED_MODULES]


def refused(what: str) -> Callable[..., NoReturn]:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise UnknownToTheStandIn(what)

    return refuse


def _restore(loaded: dict[str, ModuleType]) -> None:
    """The modules are those of before; new ones that met no stand-in may stay."""
    for name in set(sys.modules) - set(loaded):
        if name.startswith((*IMPORTED_AFRESH, "asyncpg", "psycopg", "pytest")):
            del sys.modules[name]
    sys.modules.update(loaded)


def _pytest() -> ModuleType:
    """What the checks and their plugin say to pytest while they are imported."""
    module = ModuleType("pytest")
    same = lambda *_, **__: lambda function: function  # noqa: E731
    vars(module).update(fixture=same, hookimpl=same)
    return module
