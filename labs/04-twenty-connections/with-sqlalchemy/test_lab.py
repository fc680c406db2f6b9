"""The checks of lab 4 with SQLAlchemy, in the order in which a learner meets them.

What no reply of the server can show is seen in the checks' own process: the submitted app gets one
more route, whose guests stay in their block as long as a check wants, and the line to its database
can fall silent. So a connection that goes back is seen on its way. This check is the last one: a
call that blocks the loop would block the check as well.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bench import Gate, Postgres
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.lost_reply import Line, line
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
    in_a_transaction,
    make_role,
    says_when_to_come_back,
    status,
    turns,
)
from bistro.database import prepare

PATHS = "/order", "/dishes/999", "/timed", "/menu"
REQUESTS = {path: get(path) for path in PATHS}

ALMOST = 0.2  # seconds, of the quarter second that a guest waits


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """One worker of the submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres(embedded=True))
    laboratory.run(prepare(pg.dsn))
    laboratory.run(make_role(pg.dsn))
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=as_app(pg.dsn)))


async def test_an_order_is_served(app: Submission) -> None:
    """An order is served"""
    for before in range(GUESTS):
        came = await status(app, "/order")
        assert came == "status 200", (
            f"Guests order one after the other: {before} got a dish, and the next gets {came}. "
            "Nobody else is here, so a connection should be free. "
            "If there is a `close()`: is it reached, and is it awaited?"
        )
        assert not await in_a_transaction(app), (
            f"Guest {before + 1} has the dish, and the connection of that session is still in a "
            "transaction. A session keeps its connection until it is closed. Who closes this one?"
        )


async def test_a_full_pool_refuses_in_time(app: Submission) -> None:
    """A full pool refuses in time, with 503 and Retry-After"""
    why_taken = (
        "Whoever is refused must take no connection afterwards: what becomes of a wait that "
        "nobody waits for any longer?"
    )
    async with a_full_pool(app, why_taken=why_taken) as (gate, inside, refused):
        more = [await app.ask("/order", may_fail=True) for _ in range(2)]  # one at a time
        shortest = min(reply.done - reply.sent for reply in [*refused, *more] if reply)
        assert shortest >= ALMOST, (
            f"A guest who finds the pool full is refused after {shortest:.3f} s. "
            "A connection may come back in the next moment: a quarter second is theirs to wait."
        )
        await says_when_to_come_back(app, gate, inside)


async def test_an_error_stays_what_it_is(app: Submission) -> None:
    """An error in the block stays what it is, and the connection comes back"""
    for path, raised in {"/dishes/999": "NoResultFound", "/guests/nobody": "a 404"}.items():
        for before in range(EACH + 1):
            came = await status(app, path)
            assert came == "status 404", (
                f"The route raises {raised}, which means 404 here. It is guest {before + 1} of "
                f"that kind, and the guest gets {came}. An error of the block must pass on as it "
                "came; which lines stand under your `try`?"
            )
            assert not await in_a_transaction(app), (
                f"The route has raised {raised}, the guest has the 404, and the connection is "
                "still in a transaction. Which line closes the session when the block raises?"
            )
    async with Gate(app.dsn):
        came = await status(app, "/timed")
    assert came == "status 504", (
        "A query has run out of its own time: the block raises the TimeoutError of Python, which "
        f"means 504 here. The guest gets {came}. Which lines stand under your `try`?"
    )


async def test_the_connection_comes_back_after_a_cancellation(app: Submission) -> None:
    """The connection comes back after a cancellation in the block"""
    how = {"/hurried": "once, as asyncio does it", "/leaving": "at each `await`, as anyio does it"}
    for path, words in how.items():
        for _ in range(EACH + 1):
            await app.ask(path, LONG, may_fail=True)
        left = await in_a_transaction(app)
        assert not left, (
            f"{EACH + 1} guests have left, each between two queries, and were cancelled {words}. "
            f"{left} connections are still in a transaction. Who closes a cancelled session?"
        )
        came = await status(app, "/dishes/1")
        assert came == "status 200", (
            f"{EACH + 1} guests have left; each request was cancelled {words}. "
            f"A good request gets {came}. A cancelled one must give its connection back, too."
        )


async def test_a_rolling_deploy_fits(app: Submission) -> None:
    """A rolling deploy fits: five workers, seventeen places"""
    await a_deploy_fits(app)


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


async def test_the_connection_is_back_before_the_reply(app: Submission) -> None:
    """The connection is back before the reply is sent, and a cancellation passes on"""
    await slow_readers(app)
    for end in "is done", "raises a KeyError", "is cancelled":
        async with a_room(app.dsn) as room:
            await the_connection_is_back(app, room, end)
    async with a_room(app.dsn) as room:
        await cancelled_while_it_releases(app, room)
    async with a_room(app.dsn) as room:
        await cancelled_while_it_waits(app, room)


async def slow_readers(app: Submission) -> None:
    """Readers have the menu from the database, and their replies do not end."""
    async with httpx.AsyncClient(timeout=None, trust_env=False) as client:
        menu = client.build_request("GET", f"{app.client.url}/menu")
        readers = []
        try:
            for before in range(EACH + 1):
                reader = asyncio.create_task(client.send(menu, stream=True))
                readers.append(reader)
                await app.comes(reader.done, LONG)
                came = f"status {reader.result().status_code}" if reader.done() else "no answer"
                assert came == "status 200", (
                    f"{before} readers have the menu, which their sessions have read to its end, "
                    f"and read on slowly. The next reader gets {came}. "
                    "How long does a dependency with `yield` live when a reply is a stream?"
                )
            came = await status(app, "/order")
            assert came == "status 200", (
                f"{EACH + 1} readers have the menu, and their sessions have nothing more to do. "
                f"A guest orders and gets {came}. When does a dependency with `yield` end?"
            )
        finally:
            for reader in readers:
                reader.cancel()
            for reply in await asyncio.gather(*readers, return_exceptions=True):
                if isinstance(reply, httpx.Response):
                    await reply.aclose()


@dataclass
class Room:
    """The submitted app in this process; its way to the database is `line`."""

    app: FastAPI
    line: Line
    guests: list[Guest] = field(default_factory=list)

    def taken(self) -> int:
        return getattr(self.app.state.engine.pool, "checkedout", int)()  # a NullPool cannot say


@asynccontextmanager
async def a_room(dsn: str) -> AsyncIterator[Room]:
    async with line(dsn) as way:
        os.environ["BISTRO_DSN"] = way.dsn
        room = Room(submitted().app, way)
        given = room.app.state.session

        async def stay(number: int, session: Any = given) -> None:
            await session.scalar(text("select 1"))
            await room.guests[number].block()

        room.app.add_api_route("/room/{number}", stay)
        async with room.app.router.lifespan_context(room.app):
            try:
                yield room
            finally:
                for guest in room.guests:
                    guest.leave.set()
                    guest.task.cancel()
                await asyncio.gather(*(guest.task for guest in room.guests), return_exceptions=True)


class Guest:
    """One request for the room's route, in a task of its own; it stays until `leave` is set."""

    def __init__(self, room: Room, error: Exception | None = None) -> None:
        self.inside, self.leave = asyncio.Event(), asyncio.Event()
        self.error = error
        self.status = 0
        self.taken_at_reply = 0  # connections that were not back when the reply began
        room.guests.append(self)
        self.task = asyncio.create_task(self._ask(room, f"/room/{len(room.guests) - 1}"))

    async def block(self) -> None:
        """What the route does with its session in its hands."""
        self.inside.set()
        await self.leave.wait()
        if self.error:
            raise self.error

    async def _ask(self, room: Room, path: str) -> None:
        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()  # this guest sends nothing, and does not hang up
            raise AssertionError

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status, self.taken_at_reply = message["status"], room.taken()

        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await room.app(scope, receive, send)

    def raised(self) -> BaseException | None:
        return asyncio.CancelledError() if self.task.cancelled() else self.task.exception()

    def came(self) -> str:
        """What has come of the request, in words."""
        if error := self.raised():
            return f"`{type(error).__name__}`: {error}".removesuffix(": ")
        return f"status {self.status}"


async def enters(app: Submission, room: Room, error: Exception | None = None) -> Guest:
    guest = Guest(room, error)
    await app.comes(lambda: guest.inside.is_set() or guest.task.done(), LONG)
    assert guest.inside.is_set(), (
        "A connection is free, and the block of a route does not begin: "
        f"{guest.came() if guest.task.done() else 'it still waits'}."
    )
    return guest


async def the_connection_is_back(app: Submission, room: Room, end: str) -> None:
    error = KeyError("no such table") if end == "raises a KeyError" else None
    guest = await enters(app, room, error)
    if end == "is cancelled":
        guest.task.cancel()
    else:
        with room.line.silent():
            before = room.line.questions
            guest.leave.set()
            await app.comes(lambda: guest.status or room.line.questions > before, LONG)
            await turns(TURNS)
            assert not guest.taken_at_reply, (
                f"The block {end}, the reply begins, and the connection is not back yet. "
                "When does the dependency end, before the reply or after it? And is the close "
                "awaited?"
            )
    assert await app.comes(guest.task.done, LONG), f"The block {end}, and the request never ends."
    if end == "is cancelled":
        assert guest.task.cancelled(), (
            f"A request is cancelled in its block, and what comes is {guest.came()}. {PASS_ON}"
        )
    else:
        assert guest.raised() is error, (
            f"The block {end}, and what comes is {guest.came()}. "
            "What the block raises must come out as it is, and nothing else."
        )
    assert await app.comes(lambda: room.taken() == 0), (
        f"The block {end}, the request has ended, and its connection never comes back."
    )


async def cancelled_while_it_releases(app: Submission, room: Room) -> None:
    guest = await enters(app, room)
    with room.line.silent():
        before = room.line.questions
        guest.leave.set()
        await app.comes(lambda: guest.task.done() or room.line.questions > before, LONG)
        if guest.task.done():
            return  # nothing was to be asked of the database: the connection is back
        guest.task.cancel()
        await turns(TURNS)
    assert await app.comes(guest.task.done, LONG), "Cancelled while it closes, it never ends."
    assert guest.task.cancelled(), (
        "A request is cancelled while its connection goes back, and what comes is "
        f"{guest.came()}. {PASS_ON}"
    )
    assert await app.comes(lambda: room.taken() == 0), (
        "A request is cancelled while its connection goes back, and it never comes back."
    )


async def cancelled_while_it_waits(app: Submission, room: Room) -> None:
    """The pool is full. A guest who waits for a connection is cancelled, sooner or later."""
    full = [await enters(app, room) for _ in range(EACH)]
    for count in range(1, 4 * TURNS):
        late = Guest(room)
        await turns(count)
        if late.task.done():  # so slow is this machine: the deadline has passed
            continue
        late.task.cancel()
        assert await app.comes(late.task.done, LONG), (
            "A request waits for a connection and is cancelled, and it does not end: it waits on."
        )
        assert late.task.cancelled(), (
            "A request waits for a connection and is cancelled, and what comes is "
            f"{late.came()}. {PASS_ON}"
        )
    for guest in full:
        guest.leave.set()
    await app.comes(lambda: all(guest.task.done() for guest in full), LONG)
    assert await app.comes(lambda: room.taken() == 0), (
        "Requests were cancelled while they waited for a connection, all others have gone, and "
        f"{room.taken()} of {EACH} connections are taken. A wait that is abandoned may still get "
        "one: who gives that back?"
    )


def submitted() -> Any:
    """The submitted file, imported beside the checks."""
    spec = importlib.util.spec_from_file_location("submitted_sessions", os.environ["LAB_FILE"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
