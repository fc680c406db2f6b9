"""What both tracks of lab 4 check in the same way: twenty places on the server, three reserved.

The app logs in with a role that has 17 places; the checks' own connections do not count. A gate
holds every order inside the database.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx

from bench.instruments.gates import Gate
from bench.instruments.http_client import Reply
from bench.practice.raised_code import CodeRaised
from bench.practice.submission import LONG, PATIENCE, Submission, served

PLACES = 20 - 3
WORKERS = 4 + 1
EACH = PLACES // WORKERS
GUESTS = PLACES + 3  # more than any pool that can open
TURNS = 12  # of the loop: a cancellation comes after the first, after the second, …

PASS_ON = (
    "A cancellation must pass on as it came. Whoever asked for it waits for it, and a status is "
    "for nobody."
)
SECONDS = re.compile("[0-9]+")
DAY, MONTH = "(Mon|Tue|Wed|Thu|Fri|Sat|Sun)", "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
HTTP_DATE = re.compile(rf"{DAY}, \d\d {MONTH} \d{{4}} \d\d:\d\d:\d\d GMT")
IN_A_TRANSACTION = """
    select count(*) from pg_stat_activity
    where usename = 'worker' and state like 'idle in transaction%'
"""


async def make_role(dsn: str) -> None:
    """Make the role of the app on the server of `dsn`, which must be nobody else's."""
    boss = await asyncpg.connect(dsn)
    await boss.execute(f"create role worker login password 'lab' connection limit {PLACES}")
    await boss.execute("grant select on all tables in schema public to worker")
    await boss.close()


def as_app(dsn: str) -> str:
    """The same database for the role of the app."""
    parts = urlsplit(dsn)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"worker:lab@{place}"))


async def status(app: Submission, path: str) -> str:
    """What a guest gets who asks for `path`: its status, and with a 500 what was raised."""
    async with app.sent(path) as [request]:
        return await status_of(app, request, path, LONG)


async def status_of(
    app: Submission, request: asyncio.Task[Reply], path: str, seconds: float = PATIENCE
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


def refused_by_the_server(words: str) -> bool:
    """Whether an error says that no place is left: SQLAlchemy repeats the server's own words."""
    return "TooManyConnections" in words or "too many connections" in words


async def in_a_transaction(app: Submission) -> int:
    """How many of the app's connections wait in an open transaction, for more than a moment."""

    async def nobody() -> bool:
        return not await app.kitchen.fetchval(IN_A_TRANSACTION)

    return 0 if await app.comes(nobody) else await app.kitchen.fetchval(IN_A_TRANSACTION)


class FullPool(NamedTuple):
    gate: Gate  # it holds the orders in the kitchen
    inside: int  # so many they are
    refused: list[Reply]


@asynccontextmanager
async def a_full_pool(app: Submission, *, why_taken: str) -> AsyncIterator[FullPool]:
    """Let so many guests order at once that the pool is full; check that others get a 503.

    At the end of the block the gate is opened, everybody gets an answer, and every connection must
    be free; else `why_taken` asks what has one.
    """
    async with Gate(app.dsn) as gate, app.sent("/order", GUESTS) as orders:

        async def everybody_knows() -> bool:
            return sum(order.done() for order in orders) + await gate.waiting() == GUESTS

        settled = await app.comes(everybody_knows)
        inside = await gate.waiting()
        waiting = GUESTS - inside - sum(order.done() for order in orders)
        assert settled or await app.beats(), (
            f"{inside} of {GUESTS} orders are in the kitchen, and until it is done the server "
            "answers nobody. Some call blocks the event loop: which driver waits without `await`?"
        )
        if not settled:
            app.check_the_lines()
        assert settled, (
            f"The pool's {inside} connections are busy, and {waiting} guests get no answer at all. "
            "They wait for a connection. How long may that take?"
        )
        for order in orders:
            if order.done():
                came = await status_of(app, order, "/order")
                assert not refused_by_the_server(came), (
                    f"{inside} orders are in the kitchen, so no place on the server is left, and "
                    "PostgreSQL itself refuses the next guest (SQLSTATE 53300). "
                    "A pool without a limit is never full. Which number is yours?"
                )
                assert came == "status 503", (
                    f"A guest who finds the pool empty gets {came}. "
                    "503 says what is true: not now, and it is not your fault."
                )
        yield FullPool(gate, inside, [order.result() for order in orders if order.done()])
        await gate.open()
        await app.comes(lambda: all(order.done() for order in orders), LONG)
    open_ones = await in_a_transaction(app)
    story = "The pool was full, and guests were refused. All of them have gone, and"
    assert not open_ones, f"{story} {open_ones} connections are still in a transaction. {why_taken}"
    async with Gate(app.dsn) as gate, app.sent("/order", inside) as orders:

        async def as_before() -> bool:
            return sum(order.done() for order in orders) + await gate.waiting() == inside

        await app.comes(as_before, LONG)
        now = await gate.waiting()
        assert now == inside, (
            f"{story} of {inside} connections {inside - now} are still taken. {why_taken}"
        )
        await gate.open()


async def says_when_to_come_back(app: Submission, gate: Gate, inside: int) -> None:
    """The next refusal has a readable Retry-After, and nobody inside is sent away for it."""
    header, more = await retry_after(app, gate, inside)
    assert SECONDS.fullmatch(header) or HTTP_DATE.fullmatch(header), (
        f"The 503 does not say when to come back: its `Retry-After` is {header!r}. Clients "
        "and proxies read a whole number of seconds, or a date of HTTP in GMT."
    )
    assert await gate.waiting() >= inside + more, (
        "Guests whose order is in the kitchen already are sent away, too. "
        "The deadline is for the wait for a connection; a query that runs may run on."
    )


async def retry_after(app: Submission, gate: Gate, inside: int) -> tuple[str, int]:
    """The header of the next refusal, and how many guests found a connection before it.

    A pool that opens its connections when they are needed may not have opened all of them yet.
    """
    client = httpx.AsyncClient(timeout=None, trust_env=False)
    async with client as guest, AsyncExitStack() as stack:
        for more in range(GUESTS):
            order = asyncio.create_task(guest.get(f"{app.client.url}/order"))
            stack.callback(order.cancel)

            async def answered(
                order: asyncio.Task[httpx.Response] = order, now: int = inside + more
            ) -> bool:
                return order.done() or await gate.waiting() > now

            came = await app.comes(answered)
            if order.done():
                return order.result().headers.get("retry-after", ""), more
            assert came, "The pool is full, and one more guest gets no answer at all."
    raise AssertionError(f"The pool lets in {inside + GUESTS} guests, and it has {PLACES} places.")


async def a_deploy_fits(app: Submission) -> None:
    """Five busy workers have as many orders in the kitchen as equal pools that fit can have."""
    async with AsyncExitStack() as stack, Gate(app.dsn) as gate:
        new = [served(app.dsn, BISTRO_DSN=as_app(app.dsn)) for _ in range(WORKERS - 1)]
        started = await asyncio.gather(
            *(stack.enter_async_context(worker) for worker in new), return_exceptions=True
        )
        workers = [app, *(one for one in started if isinstance(one, Submission))]
        raised = [error for error in started if isinstance(error, BaseException)]
        for error in raised:
            assert not (isinstance(error, CodeRaised) and refused_by_the_server(str(error))), (
                f"{len(raised)} of {WORKERS} workers cannot start: the server has no place left "
                "(SQLSTATE 53300). The old workers still hold their connections during a deploy."
            )
            raise error
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
        assert inside >= EACH * WORKERS, (
            f"Five busy workers have {inside} orders in the kitchen; there are {PLACES} places. "
            "The pools are smaller than they need to be."
        )
        assert inside <= EACH * WORKERS, (
            f"Five busy workers have {inside} orders in the kitchen, more than equal pools that "
            f"fit into {PLACES} places. A worker asks for places that others have taken, and the "
            "server refuses it (SQLSTATE 53300). A 503 hides that; a smaller pool prevents it."
        )
        await gate.open()


async def turns(count: int) -> None:
    """Let the event loop turn so many times."""
    for _ in range(count):
        await asyncio.sleep(0)
