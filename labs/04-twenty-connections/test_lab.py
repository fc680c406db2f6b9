"""The checks of lab 4, in the order in which a learner meets them. The first that fails is shown.

The app logs in with a role that has 17 places, as on a server with 20 of which 3 are reserved; the
checks' own connections do not count. The gate holds every order inside the database.

What no request can show is seen by calls of `lease` itself, with a pool of the checks' own: a
cancellation at each point where it can come.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest
from fastapi import HTTPException

from bench import Gate, Postgres
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, PATIENCE, CodeRaised, Submission, served
from bistro.database import prepare

PLACES = 20 - 3
WORKERS = 4 + 1
GUESTS = PLACES + 3  # more than any pool that can open
HOUR = 3600.0  # a deadline that does not pass
TURNS = 12  # of the loop: a cancellation comes after the first, after the second, …

SECONDS = re.compile("[0-9]+")
DAY, MONTH = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
HTTP_DATE = re.compile(rf"{DAY}, \d\d {MONTH} \d{{4}} \d\d:\d\d:\d\d GMT")

PASS_ON = (
    "A cancellation must pass on as it came. Whoever asked for it waits for it, and a status is "
    "for nobody."
)

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
    async with Gate(app.dsn) as gate, app.sent("/order", GUESTS) as orders:

        async def everybody_knows() -> bool:
            return sum(order.done() for order in orders) + await gate.waiting() == GUESTS

        settled = await app.comes(everybody_knows)
        inside = await gate.waiting()
        waiting = GUESTS - inside - sum(order.done() for order in orders)
        assert settled, (
            f"The pool's {inside} connections are busy, and {waiting} guests get no answer at all. "
            "They wait for a connection. How long may that take?"
        )
        for order in orders:
            if order.done():
                came = await status_of(app, order, "/order")
                assert came == "status 503", (
                    f"A guest who finds the pool empty gets {came}. "
                    "503 says what is true: not now, and it is not your fault."
                )
        async with app.sent("/patient") as [patient]:  # before the next order, so refused before it
            header, more = await retry_after(app, gate, inside)
            assert SECONDS.fullmatch(header) or HTTP_DATE.fullmatch(header), (
                f"The 503 does not say when to come back: its `Retry-After` is {header!r}. Clients "
                "and proxies read a whole number of seconds, or a date of HTTP in GMT."
            )
            assert await gate.waiting() >= inside + more, (
                "Guests whose order is in the kitchen already are sent away, too. "
                "The deadline is for the wait for a connection; a query that runs may run on."
            )
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
        await app.comes(lambda: all(order.done() for order in orders), LONG)
    await the_pool_is_whole(
        app,
        inside,
        "The pool was full, and guests were refused",
        "Whoever is refused must take no connection afterwards: what becomes of an acquire that "
        "you no longer wait for?",
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
    async with AsyncExitStack() as stack, Gate(app.dsn) as gate:
        new = [served(app.dsn, BISTRO_DSN=as_app(app.dsn)) for _ in range(WORKERS - 1)]
        started = await asyncio.gather(
            *(stack.enter_async_context(worker) for worker in new), return_exceptions=True
        )
        raised = [error for error in started if isinstance(error, BaseException)]
        for error in raised:
            too_many = isinstance(error, CodeRaised) and "TooMany" in error.entry["raised"]
            assert not too_many, (
                f"{len(raised)} of {WORKERS} workers cannot start: the server has no place left "
                "(SQLSTATE 53300). The old workers still hold their connections during a deploy."
            )
            raise error
        workers = [app, *started]
        orders = [
            order
            for worker in workers
            for order in await stack.enter_async_context(worker.sent("/order", GUESTS))
        ]

        async def everybody_knows() -> bool:
            return sum(order.done() for order in orders) + await gate.waiting() == len(orders)

        await app.comes(everybody_knows, LONG)
        inside = await gate.waiting()
        refusals = [await app.checked(o, "/order", may_fail=True) for o in orders if o.done()]
        assert all(reply.status == 503 for reply in refusals), (
            "All workers are busy, and some guests get status 500: their worker asked the server "
            "for one more connection and was refused (SQLSTATE 53300)."
        )
        assert inside >= PLACES // WORKERS * WORKERS, (
            f"Five busy workers have {inside} orders in the kitchen; there are {PLACES} places. "
            "The pools are smaller than they need to be."
        )
        assert inside <= PLACES // WORKERS * WORKERS, (
            f"Five busy workers have {inside} orders in the kitchen, more than equal pools that "
            f"fit into {PLACES} places. A worker asks for places that others have taken, and the "
            "server refuses it (SQLSTATE 53300). A 503 hides that; a smaller pool prevents it."
        )
        await gate.open()


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


async def status(app: Submission, path: str) -> str:
    """What a guest gets who asks for `path`: its status, and with a 500 what was raised."""
    async with app.sent(path) as [request]:
        return await status_of(app, request, path, LONG)


async def status_of(
    app: Submission, request: asyncio.Task, path: str, seconds: float = PATIENCE
) -> str:
    if not await app.comes(request.done, seconds):
        return "no answer"
    reply = await app.checked(request, path, may_fail=True)
    if reply.status == 500:
        try:
            await app.checked(request, path)
        except CodeRaised as error:
            line = f", in line {error.entry['line']}" if error.entry["line"] else ""
            return f"status 500 (your file raised {error}{line})"
        except AssertionError:
            pass  # nobody has noted what was raised
    return f"status {reply.status}"


async def retry_after(app: Submission, gate: Gate, inside: int) -> tuple[str, int]:
    """The header of the next refusal, and how many guests found a connection before it.

    A pool that opens its connections when they are needed may not have opened all of them yet.
    """
    client = httpx.AsyncClient(timeout=None, trust_env=False)
    async with client as guest, AsyncExitStack() as stack:
        for more in range(GUESTS):
            order = asyncio.create_task(guest.get(f"{app.client.url}/order"))
            stack.callback(order.cancel)

            async def answered(order: asyncio.Task = order, now: int = inside + more) -> bool:
                return order.done() or await gate.waiting() > now

            came = await app.comes(answered)
            if order.done():
                return order.result().headers.get("retry-after", ""), more
            assert came, "The pool is full, and one more guest gets no answer at all."
    raise AssertionError(f"The pool lets in {inside + GUESTS} guests, and it has {PLACES} places.")


async def the_pool_is_whole(app: Submission, size: int, story: str, question: str) -> None:
    """As many orders as before can be in the kitchen."""
    async with Gate(app.dsn) as gate, app.sent("/order", size) as orders:

        async def everybody_knows() -> bool:
            return sum(order.done() for order in orders) + await gate.waiting() == size

        await app.comes(everybody_knows, LONG)
        inside = await gate.waiting()
        assert inside == size, (
            f"{story}. All of them have gone, and of {size} connections {size - inside} are still "
            f"taken. {question}"
        )
        await gate.open()


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
    room, size = Room(submitted().lease), PLACES // WORKERS
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


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def submitted() -> Any:
    """The submitted file, imported beside the checks."""
    spec = importlib.util.spec_from_file_location("submitted_lease", os.environ["LAB_FILE"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def make_role(dsn: str) -> None:
    boss = await asyncpg.connect(dsn)
    await boss.execute(f"create role worker login password 'lab' connection limit {PLACES}")
    await boss.execute("grant select on all tables in schema public to worker")
    await boss.close()


def as_app(dsn: str) -> str:
    """The same database for the role of the app."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"worker:lab@{place}"))
