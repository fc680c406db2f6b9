"""What a deadline stops: an awaited wait, but no thread, and no call that blocks the loop.

No number here depends on the speed of the machine: what a thread waits for happens when we say so.
"""

from __future__ import annotations

import asyncio
import threading
import time

import anyio
import anyio.to_thread

from bench import claim, run_virtual, until

DEADLINE = 0.05


async def awaited() -> float:
    """The virtual second at which the deadline raises."""
    try:
        async with asyncio.timeout(0.1):
            await asyncio.sleep(3600)
    except TimeoutError:
        return asyncio.get_running_loop().time()
    return -1


class Cook:
    """A thread's work: it waits until we ring, and says whether it is still there."""

    def __init__(self) -> None:
        self._bell, self.cooking = threading.Event(), False

    def work(self) -> str:
        self.cooking = True
        self._bell.wait()
        self.cooking = False
        return "done"

    def ring(self) -> None:
        self._bell.set()


async def around_to_thread() -> tuple[bool, bool]:
    """Whether the deadline raised, and whether the thread went on all the same."""
    cook, raised = Cook(), False
    try:
        async with asyncio.timeout(3600) as deadline:
            work = asyncio.create_task(asyncio.to_thread(cook.work))
            await until(lambda: cook.cooking, what="the thread to begin")
            deadline.reschedule(asyncio.get_running_loop().time())  # now it has passed
            await work
    except TimeoutError:
        raised = True
    cooking = cook.cooking
    cook.ring()
    return raised, cooking


async def around_anyio_thread() -> tuple[bool, str]:
    """Whether AnyIO's deadline passed, and what the call returned in spite of it."""
    cook = Cook()

    async def let_it_pass(deadline: anyio.CancelScope) -> None:
        await until(lambda: cook.cooking, what="the thread to begin")
        deadline.deadline = anyio.current_time()
        await until(lambda: deadline.cancel_called, what="the deadline to pass")
        cook.ring()

    with anyio.fail_after(3600) as deadline:
        clock = asyncio.create_task(let_it_pass(deadline))
        result = await anyio.to_thread.run_sync(cook.work)
    await clock
    return deadline.cancel_called, result


async def around_a_blocking_call() -> str:
    """A call on the loop's own thread that takes twice as long as its deadline allows."""
    try:
        async with asyncio.timeout(DEADLINE):  # noqa: ASYNC100 -- ruff knows that this is pointless
            time.sleep(2 * DEADLINE)  # noqa: ASYNC251 -- it stands for a blocking driver
    except TimeoutError:
        return "TimeoutError"
    return "no error"


async def main() -> None:
    at = run_virtual(awaited()).seconds
    raised, cooking = await around_to_thread()
    passed, result = await around_anyio_thread()
    blocked = await around_a_blocking_call()
    print(f"asyncio.timeout(0.1) around an await:        raised at {at} virtual seconds")
    print(f"asyncio.timeout around to_thread:            raised, the thread goes on: {cooking}")
    print(f"anyio.fail_after around to_thread.run_sync:  no error, result {result!r}")
    print(f"asyncio.timeout around a blocking call:      {blocked}")
    claim(
        "deadline-ends-an-awaited-wait",
        "A deadline of 0.1 s ends an awaited wait after 0.1 s, exactly.",
        at == 0.1,
    )
    claim(
        "deadline-leaves-the-thread",
        "asyncio.timeout raises, and the thread it waited for goes on.",
        raised and cooking,
    )
    claim(
        "fail-after-waits-for-the-thread",
        "anyio.fail_after around a thread raises nothing: it returns when the thread is done.",
        passed and result == "done",
    )
    claim(
        "deadline-cannot-stop-a-blocker",
        "A deadline around a blocking call raises nothing: the loop never came to look at it.",
        blocked == "no error",
    )


if __name__ == "__main__":
    asyncio.run(main())
