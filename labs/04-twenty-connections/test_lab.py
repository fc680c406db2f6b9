"""The checks of lab 4, in the order in which a learner meets them. The first that fails is shown.

What no request can show is seen by calls of `lease` itself, with a pool of the checks' own: a
cancellation at each point where it can come.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest
from fastapi import HTTPException

from bench import Gate, Postgres
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, served
from bench.practice.twenty_places import (
    EACH,
    GUESTS,
    PASS_ON,
    TURNS,
    a_deploy_fits,
    a_full_pool,
    as_app,
    make_role,
    says_when_to_come_back,
    status,
    status_of,
    turns,
)
from bistro.database import prepare

HOUR = 3600.0  # a deadline that does not pass

PATHS = "/patient", "/order", "/dishes/1", "/dishes/999", "/timed", "/hurried"
REQUESTS = {path: get(path) for path in PATHS}


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """One worker of the submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres(embedded=True))
    laboratory.run(prepare(pg.dsn))
    laboratory.run(make_role(pg.dsn))
    os.environ["BISTRO_DSN"] = pg.dsn  # for the calls of `lease`
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=as_app(pg.dsn)))


async def test_an_order_is_served(app: Submission) -> None:
    """An order is served"""
    came = await status(app, "/order")
    assert came == "status 200", (
        f"Nobody else is here, every connection is free, and the first guest gets {came}. "
        "A deadline is for those who find no free connection."
    )
    for served_before in range(1, GUESTS):
        came = await status(app, "/order")
        assert came == "status 200", (
            f"Guests order one after the other: {served_before} got a dish, and the next gets "
            f"{came}. Each order that has ended keeps its connection. If there is a release: "
            "is it reached, and is it awaited?"
        )


async def test_a_full_pool_refuses_in_time(app: Submission) -> None:
    """A full pool refuses in time, with 503 and Retry-After"""
    why_taken = (
        "Whoever is refused must take no connection afterwards: what becomes of an acquire that "
        "you no longer wait for?"
    )
    async with (
        a_full_pool(app, why_taken=why_taken) as (gate, inside, _),
        app.sent("/patient") as [patient],  # before the next order, so refused before it
    ):
        await says_when_to_come_back(app, gate, inside)
        assert not patient.done(), (
            "`lease(pool, deadline=60)` has refused a guest who would have waited for a "
            "minute. How long the wait may be is the caller's choice: `deadline` says it."
        )
        await gate.open()
        if await app.comes(patient.done):  # else see below: somebody has its connection
            came = await status_of(app, patient, "/patient")
            assert came == "status 200", (
                "A guest would wait a minute for a connection. The orders have ended, the "
                f"connections are free, and the guest gets {came}."
            )


async def test_an_error_in_the_block_stays_what_it_is(app: Submission) -> None:
    """An error in the block stays what it is, and the connection comes back"""
    came = await status(app, "/dishes/999")
    assert came == "status 404", (
        f"The block raises a 404, because there is no such dish, and the guest gets {came}. "
        "`lease` must let an error of the block pass as it came."
    )
    for before in range(1, GUESTS):
        came = await status(app, "/dishes/999")
        assert came == "status 404", (
            f"The block raises a 404 for one guest after the other. After {before} of them the "
            f"next gets {came}. A block that ends with an error has kept its connection."
        )
    async with Gate(app.dsn):
        came = await status(app, "/timed")
    assert came == "status 504", (
        "A query has run out of its own time, and the route would say 504. The guest gets "
        f"{came}. Which lines stand under the `try` of your `except TimeoutError`?"
    )


async def test_the_connection_comes_back_after_a_cancellation(app: Submission) -> None:
    """The connection comes back after a cancellation in the block"""
    async with Gate(app.dsn) as gate:
        for _ in range(GUESTS):
            await app.ask("/hurried", LONG, may_fail=True)
        await gate.open()
    came = await status(app, "/dishes/1")
    assert came == "status 200", (
        f"{GUESTS} hurried guests have left, and a good request gets {came}. "
        "A cancelled task must give its connection back, too."
    )


async def test_a_rolling_deploy_fits(app: Submission) -> None:
    """A rolling deploy fits: five workers, seventeen places"""
    await a_deploy_fits(app)


async def test_the_connection_is_back_when_lease_ends(app: Submission) -> None:
    """The connection is back when `lease` ends, and a cancellation passes on"""
    for end in "is done", "raises a KeyError", "is cancelled":
        async with a_pool(app.dsn) as room:
            await the_connection_is_back(app, room, end)
    async with a_pool(app.dsn) as room:
        await cancelled_while_it_releases(app, room)
    async with a_pool(app.dsn) as room:
        await cancelled_while_it_waits(app, room)
        await cancelled_as_a_connection_comes(app, room)


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


@dataclass
class Room:
    """A pool of the checks' own, of the size that a worker has, whose release can be held."""

    lease: Any
    pool: asyncpg.Pool | None = None
    releasing: asyncio.Event = field(default_factory=asyncio.Event)
    door: asyncio.Event = field(default_factory=asyncio.Event)
    lasts: float = 0.0
    came_back: asyncio.Event = field(default_factory=asyncio.Event)
    guests: list[Guest] = field(default_factory=list)

    def taken(self) -> int:
        return self.pool.get_size() - self.pool.get_idle_size()

    async def reset(self, connection: asyncpg.Connection) -> None:
        """The pool calls it as the last step of a release."""
        self.releasing.set()
        await self.door.wait()
        await asyncio.sleep(self.lasts)
        self.came_back.set()


@asynccontextmanager
async def a_pool(dsn: str) -> AsyncIterator[Room]:
    room, size = Room(submitted().lease), EACH
    room.door.set()
    room.pool = await asyncpg.create_pool(dsn, min_size=size, max_size=size, reset=room.reset)
    try:
        yield room
    finally:
        room.door.set()
        for guest in room.guests:
            guest.leave.set()
            guest.task.cancel()
        room.pool.terminate()  # `close()` would wait for a connection that was lost


class Guest:
    """One block under a `lease`, in a task of its own; the block waits until `leave` is set."""

    def __init__(self, room: Room, error: Exception | None = None) -> None:
        self.inside, self.leave = asyncio.Event(), asyncio.Event()
        self.taken_at_end = 0  # connections that were not back when `lease` ended
        self.task = asyncio.create_task(self._stay(room, error))
        room.guests.append(self)

    async def _stay(self, room: Room, error: Exception | None) -> None:
        try:
            async with room.lease(room.pool, deadline=HOUR):
                self.inside.set()
                await self.leave.wait()
                if error:
                    raise error
        finally:
            self.taken_at_end = room.taken()

    def raised(self) -> BaseException | None:
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()

    def came(self) -> str:
        """What has come of the task, in words."""
        error = self.raised()
        if isinstance(error, HTTPException):
            return f"an `HTTPException` with {error.status_code}"
        return f"`{type(error).__name__}`: {error}".removesuffix(": ") if error else "no error"


async def enters(app: Submission, room: Room, error: Exception | None = None) -> Guest:
    guest = Guest(room, error)
    await app.comes(lambda: guest.inside.is_set() or guest.task.done(), LONG)
    assert guest.inside.is_set(), (
        "A connection is free, and the block under `lease(pool, deadline=3600)` does not begin: "
        f"{guest.came() if guest.task.done() else 'it still waits'}."
    )
    return guest


async def the_connection_is_back(app: Submission, room: Room, end: str) -> None:
    error = KeyError("no such table") if end == "raises a KeyError" else None
    guest = await enters(app, room, error)
    room.lasts = 0.2  # so long a release lasts
    if end == "is cancelled":
        guest.task.cancel()
    guest.leave.set()
    assert await app.comes(guest.task.done, LONG), f"The block {end}, and `lease` does not end."
    if end == "is cancelled":
        assert guest.task.cancelled(), (
            f"The block is cancelled, and from `lease` comes {guest.came()}. {PASS_ON}"
        )
    else:
        assert guest.raised() is error, (
            f"The block {end}, and from `lease` comes {guest.came()}. "
            "What the block raises must come out as it is, and nothing else."
        )
    assert guest.taken_at_end == 0, (
        f"The block {end}, `lease` ends, and its connection is not back yet: the release still "
        "runs. Nobody waits for it, so nobody hears if it fails. Is it awaited?"
    )


async def cancelled_while_it_releases(app: Submission, room: Room) -> None:
    guest = await enters(app, room)
    room.door.clear()
    guest.leave.set()
    assert await app.comes(room.releasing.is_set, LONG), "The block is done, and nobody releases."
    guest.task.cancel()
    await turns(TURNS)
    room.door.set()
    assert await app.comes(guest.task.done, LONG), "Cancelled while it releases, it never ends."
    assert guest.task.cancelled(), (
        f"A task is cancelled while its connection goes back, and from `lease` comes "
        f"{guest.came()}. {PASS_ON}"
    )
    assert await app.comes(lambda: room.taken() == 0), (
        "A task is cancelled while its connection goes back, and the connection never comes back."
    )


async def cancelled_while_it_waits(app: Submission, room: Room) -> None:
    """The pool is full. A guest who waits for a connection is cancelled, sooner or later."""
    full = [await enters(app, room) for _ in range(room.pool.get_max_size())]
    for count in range(1, TURNS):
        late = Guest(room)
        await turns(count)
        late.task.cancel()
        assert await app.comes(late.task.done, LONG), (
            "A task waits for a connection and is cancelled, and it does not end: it waits on."
        )
        assert late.task.cancelled(), (
            "A task waits for a connection and is cancelled, and from `lease` comes "
            f"{late.came()}. {PASS_ON}"
        )
    await leave(app, room, full)


async def cancelled_as_a_connection_comes(app: Submission, room: Room) -> None:
    """The cancellation comes when the wait is over: just before, just after, some turns later."""
    full = [await enters(app, room) for _ in range(room.pool.get_max_size() - 1)]
    for count in range(TURNS):
        first, late = await enters(app, room), Guest(room)
        await turns(TURNS)
        room.came_back.clear()
        first.leave.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONG):
                await room.came_back.wait()  # and not a turn longer
        await turns(count)
        late.task.cancel()
        for _ in range(30):
            if not (heard := late.task.done()):
                await app.kitchen.fetchval("select 1")
        if not heard:  # `asyncio.wait_for` of Python 3.11 loses one that comes with the result
            late.task.cancel()
        assert await app.comes(late.task.done, LONG), (
            "A task is cancelled as its connection comes, and it does not end."
        )
        assert late.task.cancelled(), (
            "A task is cancelled as its connection comes, and from `lease` comes "
            f"{late.came()}. {PASS_ON}"
        )
        assert not heard or late.taken_at_end <= len(full), (
            "A task is cancelled as its connection comes, and when it ends, the connection is not "
            "back. An acquire that was done a moment before has one: who gives it back, awaited?"
        )
        await leave(app, room, [first], len(full))


async def leave(app: Submission, room: Room, guests: list[Guest], others: int = 0) -> None:
    for guest in guests:
        guest.leave.set()
    await app.comes(lambda: all(guest.task.done() for guest in guests), LONG)
    assert await app.comes(lambda: room.taken() == others), (
        f"A task was cancelled while it waited for a connection. {others} others have one, and "
        f"{room.taken()} of {room.pool.get_max_size()} connections are taken. "
        "An acquire that is abandoned may still get one: who gives that back?"
    )


def submitted() -> Any:
    """The submitted file, imported beside the checks."""
    spec = importlib.util.spec_from_file_location("submitted_lease", os.environ["LAB_FILE"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
