"""Errors that nobody hears of, and how to make each of them loud.

A forgotten `await`, a result that nobody looks at, a task that somebody keeps, and a stream that
fails after it has begun.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from bench import claim, serve, until

FORGOTTEN = """
async def write(): ...

def test_order():
    write()

if __name__ == "__main__":
    test_order()
"""
app = FastAPI()
heard: list[str] = []


@app.get("/menu")
async def menu() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "soup\n"
        raise ValueError("the kitchen burns")

    return StreamingResponse(lines())


async def order(number: int) -> int:
    if number % 3 == 0:
        raise ValueError(f"order {number} is lost")
    return number


def forgotten_await() -> tuple[int, int]:
    """Exit codes of a program with `-W error`, and of pytest with `-W error`."""
    with tempfile.TemporaryDirectory() as folder:
        (program := Path(folder) / "test_order.py").write_text(FORGOTTEN, encoding="utf-8")
        quiet = [sys.executable, "-W", "error", str(program)]
        loud = [sys.executable, "-m", "pytest", "-W", "error", "-p", "no:cacheprovider", folder]
        env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        ran = [subprocess.run(c, capture_output=True, env=env) for c in (quiet, loud)]
        return ran[0].returncode, ran[1].returncode


async def ten_orders() -> tuple[int, list[str]]:
    """Errors among ten results of gather, and what is raised by whoever looks for them."""
    results = await asyncio.gather(*(order(n) for n in range(1, 11)), return_exceptions=True)
    errors = [one for one in results if isinstance(one, Exception)]
    told: list[str] = []
    try:
        if errors:
            raise ExceptionGroup("some orders are lost", errors)
    except* ValueError as group:
        told = [str(error) for error in group.exceptions]
    return len(errors), told


async def kept_task() -> tuple[list[str], list[str]]:
    """What was heard of two failed tasks that are kept: a bare one, one with a callback."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))

    def tell(task: asyncio.Task) -> None:
        if not task.cancelled() and (error := task.exception()):
            heard.append(str(error))

    bare = asyncio.create_task(order(3))
    await asyncio.wait([bare])  # raises nothing
    after_bare = list(heard)
    told = asyncio.create_task(order(6))
    told.add_done_callback(tell)
    await asyncio.wait([told])
    await asyncio.sleep(0)
    after_both = list(heard)
    bare.exception()  # looked at, so that it is not reported later
    return after_bare, after_both


async def broken_stream() -> tuple[int, str, str, bool]:
    """Status, text and end of a stream that fails after its first line; is it in the log?"""
    async with serve(f"{__file__}:app") as server:
        text, end = "", "complete"
        async with (
            httpx.AsyncClient(base_url=server.url, timeout=60) as guest,
            guest.stream("GET", "/menu") as reply,
        ):
            try:
                async for line in reply.aiter_lines():
                    text += line
            except httpx.RemoteProtocolError:
                end = "broken off"
        logged = await until(lambda: "the kitchen burns" in server.log)
    return reply.status_code, text, end, logged


async def main() -> None:
    quiet, loud = forgotten_await()
    errors, raised = await ten_orders()
    after_bare, after_both = await kept_task()
    status, text, end, logged = await broken_stream()
    print(f"a forgotten await, exit code: python -W error {quiet}, pytest -W error {loud}")
    print(f"ten orders in gather(return_exceptions=True): {errors} errors among the results")
    print(f"a failed task that is kept: {after_bare or 'silence'}; with a callback: {after_both}")
    print(f"a stream that fails: status {status}, {text!r}, then {end}")
    claim(
        "forgotten-await-exits-with-zero",
        "A forgotten await: python -W error ends with 0, pytest -W error fails.",
        quiet == 0 and loud == 1,
    )
    claim(
        "gather-hides-three-of-ten",
        "gather(return_exceptions=True) raises nothing for three lost orders of ten.",
        (errors, len(raised)) == (3, 3),
    )
    claim(
        "done-callback-tells-at-once",
        "asyncio.wait raises nothing; a done callback hears the error while the task is kept.",
        (after_bare, after_both) == ([], ["order 6 is lost"]),
    )
    claim(
        "stream-fails-after-its-200",
        "A stream that fails has said 200: the guest sees a broken end, the log the error.",
        (status, text, end, logged) == (200, "soup", "broken off", True),
    )


if __name__ == "__main__":
    asyncio.run(main())
