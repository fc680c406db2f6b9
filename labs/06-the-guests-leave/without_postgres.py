"""The parts of lab 6's checks that call `within` itself, on a virtual clock. No call takes time.

What no request can show is seen here: a work that never ends, a tidy-up that waits for our word, an
error that is this very object. They need no PostgreSQL, so the page in a browser runs them, too.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from fastapi import HTTPException, Request

from bench import VirtualDeadlock, run_virtual

HOUR = 3600.0  # a deadline that does not pass
LATER = 30.0  # virtual seconds in which all that can happen has happened


def results_come_back() -> None:
    """Whatever the work returns is returned, also what counts as false."""
    for value in ["cooked"], "", None:

        async def work(value: object = value) -> object:
            await asyncio.sleep(1)
            return value

        result = called(work())
        assert result is value, (
            f"A work returns {value!r} after a second, long before the deadline, and from `within` "
            f"comes {told(result)}. Return what the work returns, whatever it is."
        )


def errors_come_out() -> None:
    """Whatever the work raises is raised: this very object."""
    for error in KeyError("sold out"), TimeoutError("the oven"), HTTPException(503, "All busy."):

        async def work(error: Exception = error) -> None:
            await asyncio.sleep(1)
            raise error

        result = called(work())
        assert result is error, (
            f"A work raises {told(error)} by itself after a second, long before the deadline, and "
            f"from `within` comes {told(result)}. Only the deadline of `within` is a 504; an error "
            "of the work must come out as it is. Which lines can raise under your `except`?"
        )


ENDS = {"the guest leaves": 499, "the deadline passes": 504, "the caller is cancelled": None}
SECONDS = "How long the wait may be is the caller's choice: `seconds` says it."


def the_work_ends_in_every_case() -> None:
    """However the wait ends, the work has ended with it."""
    for why in ENDS:
        run_virtual(the_work_has_ended(why))


async def the_work_has_ended(why: str) -> None:
    """Call `within` with a work that never ends, and tidies up until we let it go."""
    inside, leaving, tidying, go, ended = (asyncio.Event() for _ in range(5))

    async def work() -> None:
        inside.set()
        try:
            await asyncio.Event().wait()
        finally:
            tidying.set()
            try:
                await go.wait()
            finally:
                ended.set()

    seconds = 5.0 if why == "the deadline passes" else HOUR
    call = asyncio.create_task(outcome(work(), seconds, leaving))
    start, real = asyncio.get_running_loop().time(), perf_counter()
    try:
        await happens(inside.is_set)
        assert inside.is_set(), f"`within` is called with {seconds:g} s, and its work never begins."
        if why == "the guest leaves":
            leaving.set()
        elif why == "the caller is cancelled":
            call.cancel()
        else:
            await asyncio.sleep(4)
            assert not tidying.is_set(), f"`within(5, …)` ends its work after 4 s. {SECONDS}"
        await happens(lambda: tidying.is_set() or call.done(), patience=10 if seconds < HOUR else 1)
        end = f"{told(call.result())} comes from `within`" if call.done() else "`within` waits on"
        assert tidying.is_set(), (
            f"A work never ends by itself. When {why}, {end}, and the work still runs."
        )
        late = (
            asyncio.get_running_loop().time() - start > seconds + 1.5
            and perf_counter() - real < seconds
        )
        assert seconds == HOUR or not late, (
            f"`within(5, …)` waits more than a second longer. {SECONDS}"
        )
        await asyncio.sleep(LATER)
        assert ended.is_set() or not call.done(), (
            f"When {why}, `within` ends, and its work has not ended yet: it still tidies up. "
            "`cancel()` only asks a task to end. Who waits until it has?"
        )
    finally:
        go.set()
    await happens(call.done)
    assert call.done(), f"When {why}, the work ends, and `within` does not end after it."
    result = call.result()
    if why == "the caller is cancelled":
        assert isinstance(result, asyncio.CancelledError), (
            f"The caller of `within` is cancelled, and {told(result)} comes out. A cancellation "
            "must pass on, or whoever asked for it waits in vain: raise it again."
        )
    else:
        assert getattr(result, "status_code", None) == ENDS[why], (
            f"When {why}, {told(result)} comes from `within`. Its docstring promises an "
            f"HTTPException with {ENDS[why]}."
        )


async def happens(condition: Callable[[], bool], patience: float = 1) -> None:
    """Wait until it is true; LATER virtual seconds, and `patience` by your watch, at least.

    A submission may read another clock than the loop's, so the virtual one does not decide alone.
    """
    loop, real = asyncio.get_running_loop(), perf_counter()
    start = loop.time()
    while not condition() and (  # noqa: ASYNC110 -- no event says it
        loop.time() - start < LATER or perf_counter() - real < patience
    ):
        await asyncio.sleep(0.01)


def called(work: Coroutine[Any, Any, object]) -> object:
    """What `within` returns or raises, for a guest who stays and has time."""
    try:
        return run_virtual(outcome(work)).result
    except VirtualDeadlock:
        raise AssertionError(
            "A work of one second is done, its guest stays, and `within` does not end. Nothing "
            "that it waits for can come any more. What do you wait for?"
        ) from None


async def outcome(
    work: Coroutine[Any, Any, object],
    seconds: float = HOUR,
    leaving: asyncio.Event | None = None,
) -> object:
    """What `within` returns or raises, for a guest who stays until `leaving`."""
    leaving = leaving or asyncio.Event()

    async def receive() -> dict[str, Any]:
        await leaving.wait()
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "method": "GET", "headers": []}, receive)
    try:
        return await submitted().within(seconds, request, work)
    except (Exception, asyncio.CancelledError) as error:
        return error


def told(result: object) -> str:
    """What `within` gave, in words."""
    if isinstance(result, HTTPException):
        return f"an `HTTPException` with {result.status_code}"
    if isinstance(result, BaseException):
        return f"`{type(result).__name__}`"
    return f"the result {result!r}"


def submitted() -> Any:
    """The submitted file, imported beside the checks."""
    spec = importlib.util.spec_from_file_location("submitted_deadlines", os.environ["LAB_FILE"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PARTS = {
    "test_a_guest_who_stays_hears_the_kitchen": [results_come_back, errors_come_out],
    "test_the_deadline_ends_the_query": [the_work_ends_in_every_case],
}
"""Which part of which check these are, in order."""
