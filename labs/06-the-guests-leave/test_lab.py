"""The checks of lab 6, in the order in which a learner meets them. The first that fails is shown.

The gate holds every dinner in the kitchen. A guest leaves by closing the connection. The pool has
no time-out of its own here, so a query that ends was ended by the submitted code.

What no request can show is seen by calls of `within` itself, on a virtual clock: a work that never
ends, a tidy-up that waits for our word, an error that is this very object. No such call takes time.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

import pytest
from fastapi import HTTPException, Request

from bench import Gate, Postgres, run_virtual
from bench.instruments.http_client import Reply
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, served
from bistro.database import prepare

SIZE = 10
ROUNDS = 3
DINNER = "/dinner/1?patience=60"
PATIENCE = 0.5, 2, 8  # seconds; on a slow machine the order needs some to reach the kitchen
HOUR = 3600.0  # a deadline that does not pass
LATER = 30.0  # virtual seconds in which all that can happen has happened

REQUESTS = {path: get(path) for path in ("/dinner/1", "/dinner/999", "/windows")}


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """The submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres())
    laboratory.run(prepare(pg.dsn))
    os.environ["BISTRO_DSN"] = pg.dsn  # for the calls of `within`
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=pg.dsn))


async def test_a_guest_who_stays_hears_the_kitchen(app: Submission) -> None:
    """A guest who stays hears what the kitchen says"""
    reply = await app.ask(DINNER, LONG)
    assert reply, "The kitchen is open, the guest stays, and no dinner comes. What do you wait for?"
    wanted = await app.kitchen.fetchval("select name from dishes where id = 1")
    assert reply.json() == wanted, (
        f"The guest ordered {wanted!r} and got {reply.json()!r}. Return what the work returns."
    )
    reply = await app.ask("/dinner/999?patience=60", LONG, may_fail=True)
    outcome = reply.status if reply else "no answer"
    assert outcome == 404, (
        f"There is no dish 999: the kitchen raises a 404, and the guest gets {outcome}. "
        "An error of the work must come out as it is, not wrapped in a group and not swallowed."
    )
    await results_come_back()
    await errors_come_out()


async def results_come_back() -> None:
    """Whatever the work returns is returned, also what counts as false."""
    for value in ["cooked"], "", None:

        async def work(value: object = value) -> object:
            await asyncio.sleep(1)
            return value

        result = run_virtual(outcome(work())).result
        assert result is value, (
            f"A work returns {value!r} after a second, long before the deadline, and from `within` "
            f"comes {told(result)}. Return what the work returns, whatever it is."
        )


async def errors_come_out() -> None:
    """Whatever the work raises is raised: this very object."""
    for error in KeyError("sold out"), TimeoutError("the oven"), HTTPException(503, "All busy."):

        async def work(error: Exception = error) -> None:
            await asyncio.sleep(1)
            raise error

        result = run_virtual(outcome(work())).result
        assert result is error, (
            f"A work raises {told(error)} by itself after a second, long before the deadline, and "
            f"from `within` comes {told(result)}. Only the deadline of `within` is a 504; an error "
            "of the work must come out as it is. Which lines can raise under your `except`?"
        )


async def test_thirty_guests_leave(app: Submission) -> None:
    """Thirty guests leave: no query goes on, and every connection is idle"""
    for _ in range(ROUNDS):
        async with Gate(app.dsn) as gate:
            async with app.sent(DINNER, SIZE):
                await everybody_is_inside(app, gate)

            async def kitchen_is_empty(gate: Gate = gate) -> bool:
                return await gate.waiting() == 0

            stopped = await app.comes(kitchen_is_empty)
            left = await gate.waiting()
            assert stopped, (
                f"{SIZE} guests have left, and {left} of their dinners are still in the kitchen. "
                "Nobody has told the cook. Who sees that the guest leaves, and what ends the work?"
            )
            assert await app.comes(lambda: all_idle(app), LONG), (
                f"{SIZE} guests have left, their queries have ended, and still some of the "
                f"{SIZE} connections are not idle. A cancelled task must give its own back."
            )


async def test_those_who_stay_are_served(app: Submission) -> None:
    """Those who stay are served beside those who leave"""
    async with Gate(app.dsn) as gate, app.sent(DINNER, SIZE) as dinners:
        await everybody_is_inside(app, gate)
        leave, stay = dinners[::2], dinners[1::2]
        for guest in leave:
            guest.cancel()

        async def only_those_who_stay() -> bool:
            return await gate.waiting() <= len(stay)

        await app.comes(only_those_who_stay, LONG)
        for _ in range(20):  # whatever else is stopped has time to stop
            await app.ask("/windows", LONG)
        await gate.open()
        replies = [await app.checked(guest, DINNER, may_fail=True) for guest in stay]
    served = [reply.status for reply in replies].count(200)
    assert served == len(stay), (
        f"{len(leave)} guests leave, {len(stay)} stay, and of those who stay {served} get their "
        "dinner. Whoever leaves ends his own order, and nobody else's."
    )


async def test_the_deadline_ends_the_query(app: Submission) -> None:
    """The deadline says 504, and ends the query as well"""
    async with Gate(app.dsn) as gate:
        for patience in PATIENCE:
            async with app.sent(f"/dinner/1?patience={patience}") as [dinner]:
                if await app.at_gate(gate, 1) and not dinner.done():
                    await the_deadline_passes(app, gate, dinner)
                    break
        else:
            assert dinner.done(), "A guest with 8 s of time: the dinner does not reach the kitchen."
    for why in ENDS:
        run_virtual(the_work_has_ended(why))


async def the_deadline_passes(app: Submission, gate: Gate, dinner: asyncio.Task[Reply]) -> None:
    assert await app.comes(dinner.done, LONG), (
        "The guest waits half a second at most, the kitchen is closed, and no answer comes at all. "
        "A wait without a deadline may last for ever."
    )
    reply = await app.checked(dinner, DINNER, may_fail=True)
    assert reply.status == 504, (
        f"The deadline has passed, and the guest gets status {reply.status}. 504 says what is "
        "true: who should have answered us was too slow."
    )

    async def kitchen_is_empty() -> bool:
        return await gate.waiting() == 0

    assert await app.comes(kitchen_is_empty), (
        "The guest has the 504, and the query is still in the kitchen. A deadline that does not "
        "end the work only hides it: the connection stays taken."
    )


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


ENDS = {"the guest leaves": 499, "the deadline passes": 504, "the caller is cancelled": None}
SECONDS = "How long the wait may be is the caller's choice: `seconds` says it."


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


async def everybody_is_inside(app: Submission, gate: Gate) -> None:
    inside = await app.at_gate(gate, SIZE)
    assert inside == SIZE, (
        f"{SIZE} guests ordered dinner, and {inside} orders reached the kitchen. "
        "Leave the routes and the size of the pool as they are."
    )


async def all_idle(app: Submission) -> bool:
    reply = await app.ask("/windows", LONG)
    assert reply, "`/windows` gives no answer. It needs no connection; leave it as it is."
    return reply.json() == {"size": SIZE, "idle": SIZE}
