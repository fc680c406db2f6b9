"""The checks of lab 3, in the order in which a learner meets them. The first that fails is shown.

The server's clock is five hours behind UTC, so that a time without a zone has a meaning to lose.
The docstring of a check is its title, and its assert message is the feedback.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from bench import Postgres
from bench.instruments.http_client import Reply
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, said, served
from bistro.database import prepare

FIVE = 5
BOOK = """
    insert into guests (id, name, credit_cents) values (1001, 'O''Neill', 100);
    insert into reservations (id, guest_id, seats, starts_at, wishes) values
        (2, 2, 4, '2026-07-01 18:00+00', '{"high chair": null, "note": "true love isn''t null"}'),
        (1, 1, 2, '2026-07-01 12:00+00', '{"window": true, "allergies": ["nuts"]}');
"""
WISHES = {
    1: {"window": True, "allergies": ["nuts"]},
    2: {"high chair": None, "note": "true love isn't null"},
}
HOSTILE = (
    "' or true --",
    "' union select id, wishes::text, seats from reservations --",
    "Guest 1' --",
    "'; delete from reservations --",
    "%",
)

OTHERS = {  # a request, and the table that it reads
    "/reservations?since=2026-07-01T12:00:00Z": "reservations",
    "/reservations/1/wishes": "reservations",
    "/slip?dish=1": "dishes",
}
REQUESTS = {f"GET {path}": get(path) for path in ("/guests?name=Guest%207", *OTHERS)}
WAITING = """
    select count(*) from pg_locks
    where not granted and locktype = 'relation' and relation = $1::regclass
      and database = (select oid from pg_database where datname = current_database())"""
TEXTS = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and state = 'active' and query like '%' || $1 || '%'"""


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """The submitted app beside a fresh kitchen book, with a clock that is not UTC."""
    pg = laboratory.enter(Postgres())
    laboratory.run(prepare(pg.dsn))
    app = laboratory.enter(served(pg.dsn, BISTRO_DSN=pg.dsn, TZ="EST5"))
    laboratory.run(app.kitchen.execute(BOOK))
    return app


async def test_a_guest_is_found_by_name(app: Submission) -> None:
    """A guest is found by name, as before"""
    guests = await answer(app, "/guests?name=Guest%207")
    assert guests == [{"id": 7, "name": "Guest 7", "credit_cents": 10000}], (
        'The answer of `/guests` must stay what it was: a list of objects such as {"id": 7, '
        '"name": "Guest 7", "credit_cents": 10000}. A row of asyncpg becomes one by `dict(row)`.'
    )


async def test_guests_wait_side_by_side(app: Submission) -> None:
    """Guests wait side by side, at every route"""
    async with held(app, "guests", "/guests?name=Guest%207", FIVE):
        inside = 0

        async def grown() -> bool:
            nonlocal inside
            before, inside = inside, await waiting_for(app, "guests")
            return inside > before

        while inside < FIVE and await app.comes(grown):
            pass
        why = (
            "The loop is free, so the requests wait for each other: do they share one connection?"
            if inside == FIVE or await app.beats()
            else "Nobody else gets an answer, either: some call blocks the event loop."
        )
        assert inside == FIVE, (
            f"Five guests ask at the same moment, and {inside} of the five questions "
            f"{'is' if inside == 1 else 'are'} inside the database. {why} "
            "Await each query, on a connection of its own request."
        )
    for path, table in OTHERS.items():
        async with held(app, table, path, may_fail=True) as [request]:  # a later check asks why
            await settled(app, table, request)
            assert request.done() or await app.beats(), (
                f"One guest's `{path.partition('?')[0]}` waits in the database, and the server "
                "gives no answer to anybody else. Port this route, too: which call in it blocks?"
            )


async def test_hostile_names_find_nobody(app: Submission) -> None:
    """Hostile names find nobody, and an honest one is found"""
    for name in HOSTILE:
        found = await answer_or_error(app, f"/guests?name={quote(name)}")
        assert found == [], (
            f"Nobody is called {name!r}, and `/guests` answers with {found!s:.60}. "
            "Such a name is a value and no part of the command. Send it beside the text, as a "
            "parameter, and compare it by `=`."
        )
    left = await app.kitchen.fetchval("select count(*) from reservations")
    assert left == 2, "A guest's name has deleted the reservations. Send it as a parameter, please."
    honest = await answer_or_error(app, "/guests?name=" + quote("O'Neill"))
    assert honest == [{"id": 1001, "name": "O'Neill", "credit_cents": 100}], (
        "O'Neill is an honest guest, and `/guests` does not find him. A parameter takes the name "
        "as it is, so nothing has to be escaped."
    )
    async with held(app, "guests", "/guests?name=Guest%207") as [request]:
        await settled(app, "guests", request)
        assert not await app.kitchen.fetchval(TEXTS, "Guest 7"), (
            "The command that reached PostgreSQL contains the guest's name. Escaping helps until "
            "somebody forgets it once. Send the name beside the text, as a parameter."
        )


async def test_wishes_stay_an_object(app: Submission) -> None:
    """Wishes stay an object"""
    for reservation, expected in WISHES.items():
        wishes = await answer(app, f"/reservations/{reservation}/wishes")
        assert wishes == expected, (
            f"The wishes are {json.dumps(expected)}, and the answer is {json.dumps(wishes):.60}. "
            "psycopg decodes jsonb for you; look at what asyncpg gives back for it, and which "
            "format that is."
        )


async def test_a_time_without_zone_means_utc(app: Submission) -> None:
    """A time without a zone means UTC"""
    for since, expected, words in (
        ("2026-07-01T15:00:00Z", [2], "15:00 in UTC"),
        ("2026-07-01T15:00:00+04:00", [1, 2], "15:00, four hours ahead of UTC"),
        ("2026-07-01T12:00:00", [1, 2], "12:00 without a zone"),
    ):
        rows = await answer(app, f"/reservations?since={quote(since)}")
        found = numbers_of(rows, path="/reservations", names="id, guest_id, seats, starts_at")
        assert found == expected, (
            f"Since {words} there are the reservations {expected}, and the answer has {found}. "
            "The clock of this server is five hours behind UTC: which clock did the time mean?"
        )
    try:
        starts = datetime.fromisoformat(str(rows[0]["starts_at"]))
    except ValueError:
        starts = rows[0]["starts_at"]
    assert starts == datetime.fromisoformat("2026-07-01T12:00:00+00:00"), (
        f"The first reservation starts at 12:00 in UTC, and the answer says {starts}. "
        "Return the time as the kitchen book has it, together with its zone."
    )


async def test_slips_of_any_length_are_read(app: Submission) -> None:
    """Slips of any length are read"""
    for numbers, expected in (
        ([3, 1], [1, 3]),
        ([], []),
        ([99, 5, 5], [5]),
        (list(range(1, 41)), [1, 2, 3, 4, 5, 6, 7, 8]),
    ):
        path = "/slip?" + "&".join(f"dish={number}" for number in numbers)
        dishes = await answer_or_error(app, path)
        assert dishes != "an error", (
            f"A slip with {len(numbers)} numbers ends in an error. A list is one value: send it as "
            "one parameter, and let PostgreSQL compare with any of its numbers."
        )
        found = numbers_of(dishes, path="/slip", names="id, name, price_cents")
        assert found == expected, (
            f"A slip with the numbers {numbers[:3]} must bring the dishes {expected}, and it "
            f"brings {found}. Keep the order by number, and ask for each dish once."
        )


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


@asynccontextmanager
async def held(
    app: Submission, table: str, path: str, times: int = 1, *, may_fail: bool = False
) -> AsyncIterator[list[asyncio.Task[Reply]]]:
    """Requests that cannot read `table` until the block ends; then they must be answered."""
    lock = app.kitchen.transaction()
    await lock.start()
    await app.kitchen.execute(f"lock table {table}")
    async with app.sent(path, times) as requests:
        try:
            yield requests
        finally:
            await lock.rollback()
        for request in requests:
            await app.checked(request, path, may_fail=may_fail)


async def settled(app: Submission, table: str, request: asyncio.Task[Reply]) -> None:
    """Wait until the request waits for this table, or has its answer without that."""

    async def it_is() -> bool:
        return request.done() or await waiting_for(app, table) > 0

    await app.comes(it_is, LONG)


async def waiting_for(app: Submission, table: str) -> int:
    """How many questions wait for this table now."""
    return await app.kitchen.fetchval(WAITING, table)


def numbers_of(rows: Any, path: str, names: str) -> list[int]:
    """The ids of the answer's objects, each of which must have exactly these names."""
    objects = rows if isinstance(rows, list) else [None]
    for row in objects:
        kept = isinstance(row, dict) and row.keys() == set(names.split(", "))
        assert kept, (
            f"The answer of `{path}` must stay what it was: a list of objects with the names "
            f"{names}. It begins with {str(rows)[:60]}."
        )
    return [row["id"] for row in objects]


async def answer(app: Submission, path: str) -> Any:
    """The JSON answer; a failure or an error of the learner's code is raised."""
    reply = await app.ask(path, LONG)
    assert reply, f"`{path}` gives no answer, although nobody else asks for anything."
    return said(reply)


async def answer_or_error(app: Submission, path: str) -> Any:
    """The JSON answer, or the words "an error" for a status other than 200."""
    reply = await app.ask(path, LONG, may_fail=True)
    assert reply, f"`{path}` gives no answer, although nobody else asks for anything."
    return said(reply) if reply.status == 200 else "an error"
