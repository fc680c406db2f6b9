"""What Python says when an `await` is missing, when there is one too many, and without a loop.

Each line is a mistake of one word, and the message for it. The words are those of Python itself, so
they are the same for every library. The last ones are pytest's, for async tests.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from bench import claim

TESTS = """
import pytest

@pytest.fixture
async def client():
    return "client"

async def test_menu():
    pass

@pytest.mark.asyncio
async def test_order(client):
    assert client == "client"
"""
PYTEST = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-p", "pytest_asyncio.plugin"]
SETTINGS = ["-p", "no:cacheprovider", "-o", "asyncio_default_fixture_loop_scope=function"]


async def fetch() -> list[int]:
    return [1]


async def get_db() -> AsyncIterator[str]:
    yield "session"


async def awaits(thing: Awaitable[object]) -> object:
    return await thing


async def enters(manager) -> None:
    async with manager:
        pass


async def awaits_twice() -> None:
    answer = fetch()
    await answer
    await answer


async def message(call: Callable[[], object]) -> str:
    """Class and words of what a call raises, or its awaitable."""
    try:
        answer = call()
        if asyncio.iscoroutine(answer):
            await answer
    except (AttributeError, RuntimeError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


async def unread_future() -> list[str]:
    """What the loop says of a future whose error nobody has read."""
    loop, heard = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    loop.create_future().set_exception(ValueError("nobody reads this"))
    gc.collect()
    return heard


def pytest_says(mode: str) -> list[str]:
    """What pytest says of two async tests, with pytest-asyncio in this mode."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_bistro.py").write_text(TESTS, encoding="utf-8")
        done = subprocess.run(
            [*PYTEST, *SETTINGS, "-o", f"asyncio_mode={mode}", "test_bistro.py"],
            cwd=folder,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
        )
    told = ("async def functions", "'test_order' requested", "2 passed")
    lines = [line.partition(" in ")[0] for line in done.stdout.splitlines()]
    return sorted(line for line in lines if line.startswith(told))


async def main() -> None:
    warnings.simplefilter("ignore")  # of the coroutines that nobody awaits here
    loop = asyncio.get_running_loop()
    missing = [
        ("fetch().all()", lambda: fetch().all()),
        ("fetch()[0]", lambda: fetch()[0]),
        ("list(fetch())", lambda: list(fetch())),
        ("async with fetch()", lambda: enters(fetch())),
    ]
    needless = [
        ("await [1]", lambda: awaits([1])),
        ("await None", lambda: awaits(None)),
        ("the same coroutine twice", awaits_twice),
    ]
    generator = [
        ("get_db().execute", lambda: get_db().execute),
        ("list(get_db())", lambda: list(get_db())),
        ("await get_db()", lambda: awaits(get_db())),
        ("async with get_db()", lambda: enters(get_db())),
    ]
    loops = [
        ("create_task() in a thread", lambda: asyncio.to_thread(asyncio.create_task, fetch())),
        ("get_event_loop() there", lambda: asyncio.to_thread(asyncio.get_event_loop)),
        ("run_until_complete() here", lambda: loop.run_until_complete(fetch())),
        ("… of another loop", lambda: asyncio.new_event_loop().run_until_complete(fetch())),
    ]
    said = {}
    for mistakes in (missing, needless, generator, loops):
        for name, call in mistakes:
            said[name] = await message(call)
            print(f"{name:25} {said[name]}")
    unread = await unread_future()
    print(f"{'a future with an error':25} {', '.join(unread)}")
    tests = {mode: pytest_says(mode) for mode in ("strict", "auto")}
    for mode, lines in tests.items():
        for line in lines:
            print(f"{'pytest, ' + mode:25} {line}")
    claim(
        "a-missing-await-is-a-coroutine",
        "A forgotten await: a 'coroutine' object has no attribute, no item, and is not iterable.",
        [said[name] for name, _ in missing[:3]]
        == [
            "AttributeError: 'coroutine' object has no attribute 'all'",
            "TypeError: 'coroutine' object is not subscriptable",
            "TypeError: 'coroutine' object is not iterable",
        ]
        and "'coroutine' object does not support" in said["async with fetch()"],
    )
    claim(
        "an-await-too-many",
        "An await too many: the object can't be awaited; a coroutine cannot be awaited twice.",
        "list" in said["await [1]"]
        and "NoneType" in said["await None"]
        and all("await" in said[name] for name, _ in needless[:2])
        and said["the same coroutine twice"].endswith("cannot reuse already awaited coroutine"),
    )
    claim(
        "a-dependency-called-by-hand",
        "A yield dependency that is called by hand is an 'async_generator' object, no session.",
        all("async_generator" in said[name] for name, _ in generator),
    )
    claim(
        "a-thread-has-no-loop",
        "In a thread: no running event loop. A loop that is running cannot be run again.",
        [said[name].partition(" in thread")[0] for name, _ in loops]
        == [
            "RuntimeError: no running event loop",
            "RuntimeError: There is no current event loop",
            "RuntimeError: This event loop is already running",
            "RuntimeError: Cannot run the event loop while another loop is running",
        ],
    )
    claim(
        "an-unread-future-is-told",
        "A future with an error that nobody reads: Future exception was never retrieved.",
        unread == ["Future exception was never retrieved"],
    )
    claim(
        "strict-pytest-runs-what-is-marked",
        "pytest refuses an async test, and in strict mode an async fixture; in auto mode, none.",
        [line.partition(" 'client', ")[0] for line in tests["strict"]]
        == [
            "'test_order' requested an async fixture",
            "async def functions are not natively supported.",
        ]
        and tests["auto"] == ["2 passed"],
    )


if __name__ == "__main__":
    asyncio.run(main())
