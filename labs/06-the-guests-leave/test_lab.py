"""The checks of lab 6, in the order in which a learner meets them. The first that fails is shown.

The gate holds every dinner in the kitchen. A guest leaves by closing the connection. The pool has
no time-out of its own here, so a query that ends was ended by the submitted code.

What no request can show is seen by calls of `within` itself, which stand in `without_postgres`.
"""

from __future__ import annotations

import asyncio
import os

import pytest
from without_postgres import errors_come_out, results_come_back, the_work_ends_in_every_case

from bench import Gate, Postgres
from bench.instruments.http_client import Reply
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, served
from bistro.database import prepare

SIZE = 10
ROUNDS = 3
DINNER = "/dinner/1?patience=60"
PATIENCE = 0.5, 2, 8  # seconds; on a slow machine the order needs some to reach the kitchen

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
    results_come_back()
    errors_come_out()


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
    the_work_ends_in_every_case()


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
