"""The pytest plugin behind a lab's checks: `pytest -p bench.practice.pytest_plugin labs/01-…`.

It runs `async def test_…` functions, all on one event loop, so that they can share a server. It
gives them the fixture `laboratory`. With LAB_REPORT=1 it writes what happens to standard output,
one JSON object a line: the events of `bench.practice.judgements`. `bench.practice.checking` reads
them.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
from collections.abc import Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

import pytest

from bench.practice.judgements import event_of
from bench.practice.submission import Submission

T = TypeVar("T")


class Laboratory:
    """One event loop for all checks, and what was opened on it."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def enter(self, context: AbstractAsyncContextManager[T]) -> T:
        """Enter an async context; it is left after the last check."""
        return self.run(self._opened.enter_async_context(context))

    def close(self) -> None:
        with self._runner:
            self.run(self._opened.aclose())


_open: list[Laboratory] = []


@pytest.fixture(scope="session")
def laboratory() -> Iterator[Laboratory]:
    _open.append(Laboratory())
    yield _open[0]
    _open.pop().close()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    given = {name: pyfuncitem.funcargs[name] for name in wanted}
    watched = [one for one in given.values() if isinstance(one, Submission)]
    try:
        _open[0].run(pyfuncitem.obj(**given))
    except BaseException:
        for one in watched:  # the check has its own words for what it saw
            one.stood_still.clear()
        raise
    for one in watched:
        one.check_the_loop()
    return True


def title(item: pytest.Item) -> str:
    """The first line of a check's docstring; its name, if somebody has forgotten to write one."""
    told = inspect.getdoc(item.obj) if isinstance(item, pytest.Function) else None
    return told.splitlines()[0] if told else item.name


def tell(**event: object) -> None:
    if os.environ.get("LAB_REPORT"):
        print(json.dumps(event), flush=True)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:  # the checks themselves are broken
        said = str(report.longrepr).strip().splitlines()[-1]
        tell(check=None, result="closed", message=said.removeprefix("E").strip())


def pytest_collection_finish(session: pytest.Session) -> None:
    tell(checks=[[item.name, title(item)] for item in session.items])


def pytest_runtest_makereport(item: pytest.Function, call: pytest.CallInfo[None]) -> None:
    if error := call.excinfo and call.excinfo.value:
        tell(**event_of(item.name, error, during=call.when == "call"))
    elif call.when == "call":
        tell(check=item.name, result="passed")
