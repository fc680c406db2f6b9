"""What asyncio says about slips of a reader, one line each; equal in CPython and in a page."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import warnings


async def fails() -> None:
    raise ValueError("no menu today")


async def awaited_late() -> None:
    """The task has long ended; its exception is not lost."""
    task = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    try:
        await task
    except ValueError as error:
        print("caught:", error)


async def never_awaited() -> None:
    task = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    print("done:", task.done())
    del task
    gc.collect()


async def run_once_more() -> None:
    running = asyncio.get_running_loop()
    other = asyncio.new_event_loop()
    print("the same loop runs:", asyncio.get_running_loop() is running)
    for loop in (running, other):
        work = fails()
        try:
            loop.run_until_complete(work)
        except RuntimeError as error:
            print(error)
        work.close()
    try:
        running.run_forever()
    except RuntimeError as error:
        print(error)


async def main() -> None:
    warnings.simplefilter("ignore")
    for slip in (awaited_late, never_awaited, run_once_more):
        with contextlib.redirect_stderr(io.StringIO()) as told:
            await slip()
        lines = told.getvalue().splitlines()
        print(slip.__name__, [line for line in lines if not line.startswith((" ", "future:"))])


asyncio.run(main())
