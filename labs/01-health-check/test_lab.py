"""The checks of lab 1, in the order in which a learner meets them. The first that fails is shown.

The gate holds every report inside the database, so "while a report waits" is a fact and not a
moment. The docstring of a check is its title, and its assert message is the feedback.
"""

from __future__ import annotations

import socket

import pytest

from bench import Gate, Postgres
from bench.instruments.http_client import Reply
from bench.practice.beats import beats_beside_locks, beats_beside_silence, get
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, Submission, said, served
from bistro.database import prepare

FORTY = 40  # the thread limit of lesson 1
GUESTS = FORTY + 5

REQUESTS = {"GET /report": get("/report"), "GET /health": get("/health")}


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """The submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres())
    laboratory.run(prepare(pg.dsn))
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=pg.dsn))


async def test_the_report_reads_the_kitchen_book(app: Submission) -> None:
    """The report reads the kitchen book"""
    before = await takings(app)
    await app.kitchen.execute(
        "insert into orders (guest_id, dish_id, portions) values (1, 2, 3), (2, 7, 1)"
    )
    change = await takings(app) - before
    assert change == 3 * 1350 + 600, (
        f"Two new orders bring in 46.50, and the takings changed by {change / 100:.2f}. "
        "A report that does not ask the kitchen book is quick, and wrong: keep its query."
    )


async def test_health_answers_beside_one_report(app: Submission) -> None:
    """The health check answers while one report waits"""
    async with Gate(app.dsn) as gate, app.sent("/report") as [report]:
        assert await app.at_gate(gate, 1) == 1, (
            "The kitchen is closed, and the report does not wait for it. "
            "Keep its slow query as it is: `select cook(0.2)`."
        )
        await healthy(
            app,
            "One report waits in the database",
            "The loop is free, so `/health` waits for something that the report has. What do the "
            "two share?",
        )
        await gate.open()
        await app.checked(report, "/report")


async def test_forty_reports_run_at_once(app: Submission) -> None:
    """Forty reports run at the same time"""
    async with Gate(app.dsn) as gate, app.sent("/report", GUESTS) as reports:
        await app.at_gate(gate, FORTY)
        inside = max([await gate.waiting() for _ in range(100)])
        assert inside >= FORTY, (
            f"Of {GUESTS} reports, {inside} {'is' if inside == 1 else 'are'} inside the database "
            f"at the same time. The loop is free now, but FastAPI's own helpers let {FORTY} wait "
            "at once. What do your reports share: fewer threads, a lock, or a connection?"
        )
        assert inside <= FORTY, (
            f"More than {FORTY} reports are inside the database at the same time. "
            "Another driver or a higher limit can be right; lessons 3 and 4 come to them. "
            "This lab asks for less: leave the driver and the thread limit as they are."
        )
        await gate.open()
        for report in reports:
            await app.checked(report, "/report")


async def test_health_answers_beside_forty_reports(app: Submission) -> None:
    """The health check answers while forty reports wait"""
    async with Gate(app.dsn) as gate, app.sent("/report", GUESTS) as reports:
        await app.at_gate(gate, FORTY)
        await healthy(
            app,
            "Forty reports wait, each on a thread",
            "The loop is free, so `/health` waits for a helper of its own. Does it need one?",
        )
        await gate.open()
        for report in reports:
            await app.checked(report, "/report")


async def test_health_answers_without_the_database(app: Submission) -> None:
    """The health check answers while the database is away"""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # the port is taken, and nobody listens there
        away = "postgresql://nobody:nothing@{}:{}/nowhere".format(*nobody.getsockname())
        async with served(app.dsn, BISTRO_DSN=away) as alone:
            reply = await alone.ask("/health", LONG, may_fail=True)
            assert reply, (
                "The database is away, and `/health` gives no answer. "
                "It says whether this process is alive, so it must not wait for another one."
            )
            assert reply.status == 200, (
                f"The database is away, and `/health` answers with status {reply.status}. The "
                "platform would restart a server that is well, and the database would still be "
                "away."
            )
            ok(reply, "The database is away, and ")
            nobody.listen()  # now it lets everybody in, and says nothing
            nobody.setblocking(False)
            await healthy(
                alone,
                "The database lets everybody in and then says nothing",
                "It says whether this process is alive: it must not wait for another one.",
            )
        assert not knocked(nobody), (
            "`/health` answers, and on its way it has asked for a connection to the database. It "
            "says whether this process is alive: whoever asks another one waits for that one, too."
        )


async def test_the_loop_beats_whatever_the_database_does(app: Submission) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, REQUESTS)
    await beats_beside_silence(app, REQUESTS)


async def healthy(app: Submission, when: str, free: str) -> None:
    """`/health` answers as it always did. `free` is what we think if only `/health` is silent."""
    reply = await app.ask("/health")
    if not reply and not await app.beats():
        free = "Nobody else gets one, either: some call holds the event loop's thread and waits."
    assert reply, f"{when}, and `/health` gives no answer. {free}"
    ok(reply)


def ok(reply: Reply, when: str = "") -> None:
    assert said(reply) == "ok", (
        f"{when}`/health` answers {said(reply)!r:.60}. Its answer must stay what it was, since the "
        'platform reads it: "ok", whenever this process is alive.'
    )


def knocked(door: socket.socket) -> bool:
    """Whether somebody has come to this listening socket."""
    try:
        door.accept()[0].close()
    except BlockingIOError:
        return False
    return True


async def takings(app: Submission) -> int:
    reply = await app.ask("/report", LONG)
    assert reply, "`/report` gives no answer, although nobody else asks for anything."
    try:
        return int(said(reply)["takings_cents"])
    except (ValueError, KeyError, TypeError):
        raise AssertionError(
            'The answer of `/report` must stay what it was: {"takings_cents": a number}.'
        ) from None
