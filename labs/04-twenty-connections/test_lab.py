"""The checks of lab 4, in the order in which a learner meets them. The first that fails is shown.

The app logs in with a role that has 17 places, as on a server with 20 of which 3 are reserved; the
checks' own connections do not count. The gate holds every order inside the database.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from bench import Gate, Postgres
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import LONG, CodeRaised, Submission, served
from bistro.database import prepare

PLACES = 20 - 3
WORKERS = 4 + 1
GUESTS = PLACES + 3  # more than any pool that can open


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """One worker of the submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres(embedded=True))
    laboratory.run(prepare(pg.dsn))
    laboratory.run(make_role(pg.dsn))
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=as_app(pg.dsn)))


async def test_an_order_is_served(app: Submission) -> None:
    """An order is served"""
    reply = await app.ask("/order", LONG, may_fail=True)
    outcome = reply.status if reply else "no answer"
    assert outcome == 200, (
        f"Nobody else is here, every connection is free, and the first guest gets {outcome}. "
        "A deadline is for those who find no free connection."
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
                reply = await app.checked(order, "/order", may_fail=True)
                assert reply.status == 503, (
                    f"A guest who finds the pool empty gets status {reply.status}. "
                    "503 says what is true: not now, and it is not your fault."
                )
        async with app.sent("/patient") as [patient]:  # before the next order, so refused before it
            reply = await with_headers(app, "/order")
            assert reply.headers.get("retry-after", "").isdigit(), (
                "The 503 does not say when to come back. Clients and proxies read `Retry-After`, "
                "a number of seconds."
            )
            assert await gate.waiting() == inside, (
                "Guests whose order is in the kitchen already are sent away, too. "
                "The deadline is for the wait for a connection; a query that runs may run on."
            )
            assert not patient.done(), (
                "`lease(pool, deadline=60)` has refused a guest who would have waited for a "
                "minute. How long the wait may be is the caller's choice: `deadline` says it."
            )
            await gate.open()


async def test_an_error_in_the_block_stays_what_it_is(app: Submission) -> None:
    """An error in the block stays what it is, and the connection comes back"""
    for _ in range(GUESTS):
        missing = await app.ask("/dishes/999", LONG, may_fail=True)
    reply = await app.ask("/dishes/1", LONG, may_fail=True)
    outcome = reply.status if reply else "no answer"
    assert outcome == 200, (
        f"After {GUESTS} requests for a dish that does not exist, a good request gets {outcome}. "
        "Each 404 has kept its connection. If your release is there: is it awaited?"
    )
    status = missing.status if missing else "no answer"
    assert status == 404, (
        f"The block raises a 404, because there is no such dish, and the guest gets {status}. "
        "`lease` must let an error of the block pass as it came."
    )
    async with Gate(app.dsn):
        late = await app.ask("/timed", LONG, may_fail=True)
    status = late.status if late else "no answer"
    assert status == 504, (
        "A query has run out of its own time, and the route would say 504. The guest gets "
        f"{status}. Which lines stand under the `try` of your `except TimeoutError`?"
    )


async def test_the_connection_comes_back_after_a_cancellation(app: Submission) -> None:
    """The connection comes back after a cancellation in the block"""
    async with Gate(app.dsn) as gate:
        for _ in range(GUESTS):
            await app.ask("/hurried", LONG, may_fail=True)
        await gate.open()
    reply = await app.ask("/dishes/1", LONG, may_fail=True)
    outcome = reply.status if reply else "no answer"
    assert outcome == 200, (
        f"{GUESTS} hurried guests have left, and a good request gets {outcome}. "
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
        await gate.open()


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


async def with_headers(app: Submission, path: str) -> httpx.Response:
    """One more request; the checks' own client keeps no headers."""
    async with httpx.AsyncClient(base_url=app.client.url, timeout=LONG) as guest:
        return await guest.get(path)
