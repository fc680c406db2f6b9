"""The checks of lab 5, in the order in which a learner meets them. The first that fails is shown.

Nothing here is left to luck. A trigger refuses a statement, a commit, or a first try. A lock on the
dish holds every guest who wants to write until all of them are there. A proxy loses the reply to
a commit, or has it come late, on a clock that is put forward. So each mistake shows on any machine.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from time import perf_counter
from typing import NamedTuple

import asyncpg
import httpx
import pytest

from bench import Gate, Postgres, until
from bench.practice.beats import beats_beside_locks
from bench.practice.lost_reply import Line, line
from bench.practice.pytest_plugin import Laboratory
from bench.practice.submission import Submission, served
from bistro.database import prepare

PORTIONS, GUESTS, TRIES = 10, 50, 5
WORKERS, POOL = 2, 10
SOUP, TROUT, GRATIN, TART = 1, 5, 6, 7
PRICE = {SOUP: 650, TART: 600}
REASONS = {GRATIN: "Sold out.", TART: "Not enough credit."}
NOBODY = 999
PATIENCE = 5  # seconds after which the bistro's pool gives up a query
NOTHING_WRITTEN = "Somebody orders a soup, and nothing is written in the kitchen book."

BOOK = """
    select (select portions_left from dishes where id = $2) as portions,
           (select credit_cents from guests where id = $1) as credit,
           (select count(*) from orders where guest_id = $1 and dish_id = $2) as orders"""

FAIL = """
    create or replace function lab_fail() returns trigger language plpgsql as $$
        begin raise exception 'the kitchen book is full'; end $$;"""
AT_ONCE = (
    FAIL
    + """
    create trigger lab_fail before insert or update on {table}
        for each row execute function lab_fail();"""
)
AT_COMMIT = (
    FAIL
    + """
    create constraint trigger lab_fail after insert or update on {table}
        deferrable initially deferred for each row execute function lab_fail();"""
)
NO_FAIL = "drop trigger lab_fail on {table}"
STEPS = {"dishes": "portion", "guests": "payment", "orders": "order"}  # what is written there

# Each commit of an order waits at the gate.
WAITS = """
    create constraint trigger lab_waits after insert on orders
        deferrable initially deferred for each row execute function pass_the_gate();"""
NO_WAITS = "drop trigger lab_waits on orders"

# Refuses so many transactions and everything in them: the same transaction is never accepted
# later. A sequence forgets nothing at a rollback, so it can count the tries.
REFUSE = """
    create sequence lab_tries minvalue 0 start 0;
    create sequence lab_last minvalue 0 start 0;
    create function lab_refuse() returns trigger language plpgsql as $$
    declare
        tries bigint := (select last_value from lab_tries);
        this bigint := pg_current_xact_id()::text::bigint;
    begin
        if this <> (select last_value from lab_last) then
            tries := setval('lab_tries', tries + 1);
            perform setval('lab_last', this);
        end if;
        if tries <= tg_argv[0]::int then
            raise exception 'refused, try %', tries
                using errcode = (array['40001', '40P01'])[tries % 2 + 1];
        end if;
        return new;
    end $$;
    create trigger lab_refuse before insert on orders
        for each row execute function lab_refuse({times});"""
# Counts the tries for one dish. A sequence keeps the count when the transaction is undone.
COUNT = """
    create sequence lab_seen minvalue 0 start 0;
    create function lab_count() returns trigger language plpgsql as $$
        begin perform setval('lab_seen', (select last_value from lab_seen) + 1); return new; end $$;
    create trigger lab_count before update on dishes
        for each row execute function lab_count();"""
NO_COUNT = "drop trigger lab_count on dishes; drop function lab_count; drop sequence lab_seen"
NO_REFUSAL = "drop trigger lab_refuse on orders; drop function lab_refuse; " + (
    "drop sequence lab_tries, lab_last"
)

WAITING = """
    select count(*) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()"""


class Answer(NamedTuple):
    """The answer to an order: its status, whether it has a Retry-After, and what `detail` says."""

    status: int
    retry_after: bool
    detail: object = None


@pytest.fixture(scope="session")
def app(laboratory: Laboratory) -> Submission:
    """One worker of the submitted app beside a fresh kitchen book."""
    pg = laboratory.enter(Postgres())
    laboratory.run(prepare(pg.dsn))
    return laboratory.enter(served(pg.dsn, BISTRO_DSN=pg.dsn))


@pytest.fixture(scope="session")
def lossy(laboratory: Laboratory, app: Submission) -> Line:
    """The line between the second worker and the database."""
    return laboratory.enter(line(app.dsn))


@pytest.fixture(scope="session")
def second(laboratory: Laboratory, app: Submission, lossy: Line) -> Submission:
    """A second worker beside the same kitchen book."""
    return laboratory.enter(served(app.dsn, BISTRO_DSN=lossy.dsn))


async def test_an_order_is_sold(app: Submission) -> None:
    """An order is sold, paid and written down"""
    before = await book(app, 51, SOUP)
    reply = await ask(app, 51, SOUP)
    assert reply, "Nobody else is here, and the order of one guest gets no answer."
    if reply.status == 500:
        await app.checked(asyncio.sleep(0, reply), "/orders")
    assert reply.status == 200, (
        f"The order of one guest gets status {reply.status}. It must stay what it was: status 200."
    )
    sold = (-1, -PRICE[SOUP], 1)

    async def committed() -> bool:
        return await changes(app, 51, SOUP, before) == sold

    await app.comes(committed)  # it may come after the reply: that is the next check's matter
    change = await changes(app, 51, SOUP, before)
    assert change == sold, (
        f"The guest has a 200. The portions changed by {change[0]}, the guest's credit by "
        f"{change[1]}, and {change[2]} orders were written. Right is -1, -{PRICE[SOUP]} and 1. "
        "Is the transaction committed?"
    )


async def test_a_failed_commit_is_no_200(app: Submission) -> None:
    """A commit that fails is no 200"""
    async with installed(app, AT_COMMIT.format(table="orders"), NO_FAIL.format(table="orders")):
        reply = await ask(app, 52, SOUP)
        assert reply, "The commit of an order fails, and the guest gets no answer."
        assert reply.status != 200, (
            "The commit of this order has failed, the order is not in the kitchen book, and the "
            "guest has a 200. The answer was sent before the commit. "
            "Who ends the transaction, and when?"
        )
    async with (
        installed(app, WAITS, NO_WAITS),
        Gate(app.dsn) as gate,
        ordered(app, 52, SOUP) as order,
    ):
        assert await app.comes(gate.waiting), (
            "Somebody orders a soup, and no commit of an order comes to the database. What writes "
            "the order down, and who ends its transaction?"
        )
        assert not await answered_meanwhile(app, order), (
            "The commit of this order is still under way, and the guest has an answer with status "
            f"{(await order).status}. If the commit failed now, nobody could tell the guest. Wait "
            "for the commit, however long it takes."
        )


async def test_an_order_is_all_or_nothing(app: Submission) -> None:
    """An order is all or nothing"""
    for when, sql in (("cannot be written", AT_ONCE), ("is refused at the commit", AT_COMMIT)):
        for table, step in STEPS.items():
            async with installed(app, sql.format(table=table), NO_FAIL.format(table=table)):
                before = await book(app, 56, SOUP)
                reply = await ask(app, 56, SOUP)
                change = await changes(app, 56, SOUP, before)
            assert reply, f"The {step} {when}, and the guest gets no answer."
            assert change == (0, 0, 0), (
                f"The {step} {when}, and something of the order is kept: the portions changed by "
                f"{change[0]}, the guest's credit by {change[1]}, and {change[2]} orders were "
                "written. Portion, payment and order belong in one transaction, on one connection."
            )
            assert reply.status not in (200, 404, 409), (
                f"The {step} {when}, because the database is broken, and the guest gets status "
                f"{reply.status}. Only an error that you know may become that status."
            )


async def test_an_error_becomes_the_right_status(app: Submission) -> None:
    """An error of the database becomes the right status, and leaves nothing behind"""
    await app.kitchen.execute("update dishes set portions_left = 0 where id = $1", GRATIN)
    await app.kitchen.execute("update guests set credit_cents = 0 where id = 53")
    for guest, dish, status, words in (
        (52, GRATIN, 409, "The gratin is sold out"),
        (53, TART, 409, "Guest 53 has no credit"),
        (52, NOBODY, 404, f"There is no dish {NOBODY}"),
        (NOBODY, TART, 404, f"There is no guest {NOBODY}"),
    ):
        before = await book(app, guest, dish)
        reply = await ask(app, guest, dish)
        outcome = f"status {reply.status}" if reply else "no answer"
        assert outcome == f"status {status}", (
            f"{words}, and the order gets {outcome}. "
            f"It should be {status}: the app is not broken, and the guest has to know why."
        )
        after = await book(app, guest, dish)
        assert after == before, (
            f"{words}, the order is refused with {status}, and something of it is kept: "
            f"portions, credit, orders were {tuple(before)} and are {tuple(after)}. "
            "Where is the error caught: inside the transaction, or around it?"
        )
        if status == 409:
            reason = REASONS[dish]
            assert reply.detail == reason, (
                f"{words}, and the guest reads {reply.detail!r} instead of {reason!r}. "
                "`error.constraint_name` is the broken rule, and `REASONS` has its words."
            )
    async with installed(app, COUNT, NO_COUNT):
        await ask(app, 53, TART)
        tries = await app.kitchen.fetchval("select last_value from lab_seen")
    assert tries <= 1, (
        f"Guest 53 has no credit, and the order was tried {tries} times. A further try finds the "
        "same credit. Only what REFUSED names is repeated; every other error is raised at once."
    )


async def test_a_refused_transaction_is_repeated(app: Submission) -> None:
    """A refused transaction is repeated, and not for ever"""
    async with installed(app, REFUSE.format(times=2), NO_REFUSAL):
        before = await book(app, 54, TART)
        reply = await ask(app, 54, TART)
        outcome = f"status {reply.status}" if reply else "no answer"
        assert outcome == "status 200", (
            "The database refuses two tries with SQLSTATE 40001 and 40P01 and would accept the "
            f"third. The guest gets {outcome}. Nothing of a refused transaction has happened, so "
            "it can be repeated: all of it, in a new transaction."
        )
        change = await changes(app, 54, TART, before)
        assert change == (-1, -PRICE[TART], 1), (
            f"The third try is accepted. The portions changed by {change[0]}, the credit by "
            f"{change[1]}, and {change[2]} orders were written. Right is -1, -{PRICE[TART]} and 1."
        )
    async with installed(app, REFUSE.format(times=1_000_000), NO_REFUSAL):
        reply = await ask(app, 55, TART)
        tries = await app.kitchen.fetchval("select last_value from lab_tries")
        assert reply, (
            f"The database refuses every try. After {tries} tries there is still no answer. "
            f"Give up after {TRIES}."
        )
        assert 2 <= tries <= TRIES, (
            f"The database refuses every try, and there were {tries}. At most {TRIES} are agreed."
        )
        assert reply[:2] == (503, True), (
            f"The database has refused every try, and the guest gets status {reply.status}, "
            f"{'with' if reply.retry_after else 'without'} Retry-After. "
            "A 503 with `Retry-After` says: not now, try again soon."
        )
    await a_cancelled_order(app)


async def a_cancelled_order(app: Submission) -> None:
    """Cancelled while it waits for the dish, an order passes the cancellation on."""
    async with AsyncExitStack() as stack:
        async with held(app, "dishes", TART):
            order = await stack.enter_async_context(ordered(app, 55, TART))

            async def waits_or_is_done() -> bool:
                return order.done() or await waiting(app, 1)

            assert await app.comes(waits_or_is_done), NOTHING_WRITTEN
            if order.done():
                return  # it does not wait for a locked dish: fifty guests will judge that
            await app.cancel()
        assert await app.comes(order.done), "An order is cancelled, and it does not end."
        status = (await order).status
    assert status == 500, (
        "An order waits for its dish and is cancelled. It goes on all the same, and its guest gets "
        f"status {status}. A cancellation is no refusal of the database: it must pass on as it "
        "came. Only what REFUSED names is repeated."
    )


async def test_a_lost_reply_is_no_refusal(app: Submission, second: Submission, lossy: Line) -> None:
    """An order is not repeated when the reply of the database is lost"""
    async with watched(app, 57, SOUP, "the connection broke before the database could say so") as (
        committed
    ):
        lossy.lose(committed)
        try:
            await ask(second, 57, SOUP)
            assert lossy.lost, NOTHING_WRITTEN
        finally:
            lossy.lose(None)
    why = f"its reply was still on its way when the {PATIENCE} s were over that a query may last"
    async with watched(app, 57, SOUP, why) as committed, ordered(second, 57, SOUP) as order:
        with lossy.late(committed) as held:
            assert await second.comes(held.is_set), NOTHING_WRITTEN
            await second.later(PATIENCE + 1)
        await second.comes(order.done)


@asynccontextmanager
async def watched(
    app: Submission, guest: int, dish: int, why: str
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Asks whether the order made in this block is committed; at its end, exactly one must be."""
    before = await book(app, guest, dish)
    watcher = await asyncpg.connect(app.dsn)

    async def committed() -> bool:
        return await watcher.fetchrow(BOOK, guest, dish) != before

    try:
        yield committed
    finally:
        await watcher.close()
    change = await changes(app, guest, dish, before)
    assert change[0] == -change[2], (
        f"A commit was done, and {why}. Now the portions have changed by {change[0]}, and "
        f"{change[2]} orders are written. Portion, payment and order belong in one transaction, so "
        "that no reply can be lost between them."
    )
    assert change == (-1, -PRICE[dish], 1), (
        f"The commit was done, and {why}. Now the "
        f"portions have changed by {change[0]}, the credit by {change[1]}, and {change[2]} orders "
        f"are written. Right is -1, -{PRICE[dish]} and 1. Only what REFUSED names has certainly "
        "not happened; repeat nothing else."
    )


async def test_two_orders_of_one_guest_are_both_paid(app: Submission) -> None:
    """Two orders of one guest at the same moment are both paid"""
    credit = "select credit_cents from guests where id = 58"
    before = await app.kitchen.fetchval(credit)
    async with (
        to(app) as client,
        asyncio.TaskGroup() as group,
        held(app, "guests", 58),  # it ends before the group waits for the replies
    ):
        orders = [group.create_task(post(client, 58, dish)) for dish in PRICE]

        async def both_are_there() -> bool:
            return await waiting(app, 2) or all(order.done() for order in orders)

        with suppress(TimeoutError):  # not for longer: the pool would give up the query that waits
            await until(both_are_there, PATIENCE - 2)
    said = sorted(order.result().status for order in orders)
    paid = before - await app.kitchen.fetchval(credit)
    due = sum(
        price
        for order, price in zip(orders, PRICE.values(), strict=True)
        if order.result().status == 200
    )
    assert paid == due, (
        f"A guest orders a soup and a tart at the same moment. For the orders with a 200 {due} "
        f"cents are due, and the guest has paid {paid}. Two orders had read the same credit before "
        "the first one wrote it. `credit_cents - $2` in the UPDATE reads and writes at once."
    )
    assert said == [200, 200], (
        "A guest with credit for both orders a soup and a tart at the same moment, and the "
        f"statuses are {said}. A locked row is no refusal: it is free in a moment, so wait for it."
    )


async def test_ten_portions_fifty_guests(app: Submission, second: Submission) -> None:
    """Ten portions, fifty guests, two workers: ten are sold"""
    await app.kitchen.execute("update dishes set portions_left = $2 where id = $1", TROUT, PORTIONS)
    async with (
        to(app) as here,
        to(second) as there,
        asyncio.TaskGroup() as group,
        held(app, "dishes", TROUT),  # it ends before the group waits for all replies
    ):
        orders = [
            group.create_task(read_back(app, there if guest % 2 else here, guest))
            for guest in range(1, GUESTS + 1)
        ]
        await everybody_at_the_dish(app)
    replies = [order.result() for order in orders]
    said = Counter(reply.status for reply, _ in replies)
    rows = await app.kitchen.fetchval("select count(*) from orders where dish_id = $1", TROUT)
    left = await app.kitchen.fetchval("select portions_left from dishes where id = $1", TROUT)
    told = dict(sorted(said.items()))
    assert rows + left != PORTIONS or not left, (
        f"There were {PORTIONS} portions for {GUESTS} guests. {left} are left, and {rows} are "
        f"sold: guests were turned away, with the statuses {told}. A row that is locked is not "
        "sold out, and not lost: somebody is buying. Who meets a lock waits in line, without "
        "NOWAIT, SKIP LOCKED, or a second connection."
    )
    assert (rows, left) == (PORTIONS, 0), (
        f"There were {PORTIONS} portions. {rows} orders are in the kitchen book, and {left} "
        "portions are left. Many guests had read the number before the first one wrote it, "
        "and there are two workers."
    )
    missing = sum(not found for reply, found in replies if reply.status == 200)
    assert not missing, (
        f"{missing} guests had a 200 and read the kitchen book at once on another connection. "
        "Their orders were not there yet."
    )
    assert said[200] == PORTIONS, (
        f"{PORTIONS} orders are in the kitchen book, and {said[200]} guests have a 200."
    )
    assert set(said) <= {200, 409, 503}, (
        f"The statuses were {told}. Who finds the trout sold out gets a 409."
    )


async def test_the_loop_beats_whatever_the_database_does(
    app: Submission, second: Submission, lossy: Line
) -> None:
    """The loop beats, whatever the database does"""
    await beats_beside_locks(app, {"POST /orders": an_order})
    before = lossy.questions
    with lossy.silent():
        async with ordered(second, 59, SOUP) as order:
            assert await second.comes(lambda: lossy.questions > before), (
                "Somebody orders a soup, and the database is not asked."
            )
            assert await second.beats(), (
                "The database has fallen silent, POST /orders waits for it, and the server gives "
                "no answer to anybody else. A call on its way blocks the event loop."
            )
            assert not order.done(), "The database is silent, and an order has got an answer."


async def an_order(app: Submission) -> Answer:
    async with to(app) as client:
        return await post(client, 59, SOUP)


async def book(app: Submission, guest: int, dish: int) -> asyncpg.Record:
    """Portions left, credit, and orders of this guest for this dish, as committed."""
    return await app.kitchen.fetchrow(BOOK, guest, dish)


async def changes(app: Submission, guest: int, dish: int, before: asyncpg.Record) -> tuple:
    after = await book(app, guest, dish)
    return tuple(now - then for now, then in zip(after, before, strict=True))


@asynccontextmanager
async def to(app: Submission) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a new connection for each order: the checks' own client sends GET alone."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=app.client.url, timeout=60, limits=limits) as client:
        yield client


async def post(client: httpx.AsyncClient, guest: int, dish: int) -> Answer:
    try:
        response = await client.post("/orders", json={"guest": guest, "dish": dish})
    except httpx.TransportError as error:
        raise ConnectionError(str(error)) from error
    again = response.headers.get("retry-after", "").isdigit()
    refused = response.status_code in (404, 409)
    return Answer(response.status_code, again, response.json().get("detail") if refused else None)


async def ask(app: Submission, guest: int, dish: int) -> Answer | None:
    """The reply to one order, or None when none comes."""
    async with ordered(app, guest, dish) as order:
        return await order if await app.comes(order.done) else None


@asynccontextmanager
async def ordered(app: Submission, guest: int, dish: int) -> AsyncIterator[asyncio.Task[Answer]]:
    """Send an order; if it is unanswered at the end of the block, it is given up."""
    async with to(app) as client:
        order = asyncio.create_task(post(client, guest, dish))
        try:
            yield order
        finally:
            order.cancel()
            await asyncio.gather(order, return_exceptions=True)


async def read_back(app: Submission, client: httpx.AsyncClient, guest: int) -> tuple[Answer, bool]:
    """Order the trout; after a 200 look for it at once on another connection."""
    reply = await post(client, guest, TROUT)
    if reply.status != 200:
        return reply, False
    async with reading:
        return reply, (await book(app, guest, TROUT))["orders"] > 0


reading = asyncio.Lock()  # one connection answers one question at a time


@asynccontextmanager
async def installed(app: Submission, sql: str, undo: str) -> AsyncIterator[None]:
    await app.kitchen.execute(sql)
    try:
        yield
    finally:
        await app.kitchen.execute(undo)


@asynccontextmanager
async def held(app: Submission, table: str, number: int) -> AsyncIterator[None]:
    """Until the block ends everybody can read this row, and nobody can change it."""
    holder = await asyncpg.connect(app.dsn)
    try:
        async with holder.transaction():
            lock = f"select from {table} where id = $1 for no key update"
            await holder.execute(lock, number)
            yield
    finally:
        await holder.close()


async def everybody_at_the_dish(app: Submission) -> None:
    """Wait until no further guest comes to the dish: at most as many as there are connections.

    And not for longer than two seconds: after five the pool would give up the queries that wait.
    """
    await app.comes(lambda: waiting(app, WORKERS))
    seen, quiet, began = 0, 0, perf_counter()
    while seen < WORKERS * POOL and quiet < 100 and perf_counter() - began < 2:
        now = await app.kitchen.fetchval(WAITING)
        quiet = 0 if now > seen else quiet + 1
        seen = max(seen, now)
        await asyncio.sleep(0.005)


async def waiting(app: Submission, guests: int) -> bool:
    return await app.kitchen.fetchval(WAITING) >= guests


async def answered_meanwhile(app: Submission, request: asyncio.Task[Answer]) -> bool:
    """Whether an answer comes although it should not: for two seconds, and 50 questions at least.

    Shorter than the five seconds after which the pool would give up the commit that waits.
    """
    start, turns = perf_counter(), 0
    while not request.done() and (turns < 50 or perf_counter() - start < 2):
        await asyncio.sleep(0.01)
        await app.kitchen.fetchval("select 1")
        turns += 1
    return request.done()
