"""The checks of lab 2, in the order in which a learner meets them. The first that fails is shown.

Locks hold what a check is about: the table `looks` holds the note, the table `guests` one of the
reads, and the gate all three of them. So "meanwhile" is a fact and not a moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import pytest

from bench import Gate, Postgres
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, said, served
from bistro.database import prepare

READS = 3
HELD = """
    select count(*) from pg_locks
    where not granted and relation = $1::regclass
      and database = (select oid from pg_database where datname = current_database())
"""

REQUESTS = {"GET /dashboard": get("/dashboard")}


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """The submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres())
    laboratory.run(prepare(pg.dsn))
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=pg.dsn))


async def test_the_dashboard_reads_the_kitchen_book(app: Submission) -> None:
    """The dashboard reads the kitchen book"""
    before = await dashboard(app)
    await app.kitchen.execute(
        """
        insert into orders (guest_id, dish_id, portions) values (1, 2, 3);
        update dishes set portions_left = portions_left - 3 where id = 2;
        update guests set credit_cents = credit_cents - 4050 where id = 1
        """
    )
    after = await dashboard(app)
    change = {name: after[name] - number for name, number in before.items()}
    assert change == {"takings_cents": 4050, "portions_left": -3, "credit_cents": -4050}, (
        "Guest 1 ordered three portions for 40.50 and paid with his credit, and the three numbers "
        f"changed by {', '.join(map(str, change.values()))}. Keep the three queries: they must be "
        "asked at every look."
    )


async def test_every_look_is_noted(app: Submission) -> None:
    """Every look is noted"""
    before = await looks(app)
    for _ in range(2):
        await dashboard(app)

    async def noted() -> bool:
        return await looks(app) >= before + 2

    assert await app.comes(noted), (
        "Two guests looked at the dashboard and got their answers, and the table `looks` has "
        f"{await looks(app) - before} new rows. Which call makes a coroutine that nobody runs?"
    )


async def test_the_answer_waits_for_the_note(app: Submission) -> None:
    """The answer waits for the note"""
    before = await looks(app)
    await dashboard(app)
    new = await looks(app) - before
    assert new == 1, (
        "A guest has got the answer of the dashboard, and at that moment the table `looks` has "
        f"{new} new rows. The accountant counts these: note each look once, before the answer."
    )
    async with held(app, "looks"), app.sent("/dashboard") as [look]:
        await app.comes(lambda: waiting_for(app, "looks"))
        assert not await answered_meanwhile(app, look), (
            "The note cannot be written at the moment, and the dashboard has answered all the "
            "same. If the server stopped now, the note would be lost and nobody would know."
        )
    async with refused(app):
        reply = await app.ask("/dashboard", LONG, may_fail=True)
        assert not reply or reply.status != 200, (
            "The database has refused the note, and the dashboard has answered with status 200. "
            "So somebody saw the numbers, and the accountant does not know: an error of the note "
            "must not be lost."
        )


async def test_the_loop_is_free_while_a_read_waits(app: Submission) -> None:
    """The loop is free while a read waits"""
    async with held(app, "guests"), app.sent("/dashboard"):
        assert await app.comes(lambda: waiting_for(app, "guests"), LONG), (
            "The table `guests` is locked, and the dashboard does not wait for it. "
            "Keep the query for the credit of all guests."
        )
        assert await app.beats(), (
            "One read waits in the database, and the server gives no answer to anybody else. "
            "`async def` alone does not help: which read calls a driver that blocks?"
        )


async def test_three_reads_wait_together(app: Submission) -> None:
    """All three reads are in the database at once"""
    async with Gate(app.dsn) as gate, app.sent("/dashboard") as [look]:
        inside = await app.at_gate(gate, READS)
        assert inside >= READS, (
            f"The kitchen is closed. Of three reads, {inside} {'waits' if inside == 1 else 'wait'} "
            "there. The others have not begun: each wait begins when the one before is over."
        )
        assert inside == READS, (
            f"One look at the dashboard sends {inside} slow queries. Three are enough."
        )
        await gate.open()
        await app.checked(look, "/dashboard")


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


async def dashboard(app: Submission) -> dict[str, int]:
    reply = await app.ask("/dashboard", LONG)
    assert reply, "`/dashboard` gives no answer, although nobody else asks for anything."
    numbers = said(reply)
    names = {"takings_cents", "portions_left", "credit_cents"}
    kept = isinstance(numbers, dict) and numbers.keys() == names
    kept = kept and all(isinstance(number, int) for number in numbers.values())
    assert kept, (
        "The answer of `/dashboard` must stay what it was: three numbers with the names "
        f"{', '.join(sorted(names))}."
    )
    return numbers


async def looks(app: Submission) -> int:
    return await app.kitchen.fetchval("select count(*) from looks")


@asynccontextmanager
async def held(app: Submission, table: str) -> AsyncIterator[None]:
    """Nobody else can read or write this table until the block ends."""
    async with app.kitchen.transaction():
        await app.kitchen.execute(f"lock table {table} in access exclusive mode")
        yield


@asynccontextmanager
async def refused(app: Submission) -> AsyncIterator[None]:
    """The table `looks` takes no new row until the block ends."""
    await app.kitchen.execute("alter table looks add constraint full_up check (false) not valid")
    try:
        yield
    finally:
        await app.kitchen.execute("alter table looks drop constraint full_up")


async def waiting_for(app: Submission, table: str) -> bool:
    return await app.kitchen.fetchval(HELD, table) > 0


async def answered_meanwhile(app: Submission, request: asyncio.Task) -> bool:
    """Whether an answer comes although it should not: for two seconds, and 50 questions at least.

    Shorter than the five seconds after which the pool would give up the query that is held.
    """
    start, turns = perf_counter(), 0
    while not request.done() and (turns < 50 or perf_counter() - start < 2):
        await asyncio.sleep(0.01)
        await app.kitchen.fetchval("select 1")
        turns += 1
    return request.done()
