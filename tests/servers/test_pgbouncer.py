"""asyncpg behind PgBouncer in transaction mode: what breaks, and the cure that works everywhere.

In transaction mode a client has a server connection for the length of a transaction only. What
belongs to a session (a prepared statement, a setting, LISTEN) stays behind on that connection.
PgBouncer 1.21 and newer can follow prepared statements; here that is switched off, so that these
tests say the same with every version. Debian 12 installs 1.18, which cannot do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psycopg
import pytest

from bench import Postgres, RoundTrips, until
from bistro.database import open_pool
from bouncers import bouncer, version

ASK = "select $1::int + 1"
CACHE, NO_CACHE = 100, 0  # asyncpg's default, and the cure


@asynccontextmanager
async def clients(address: str, number: int, cache: int) -> AsyncIterator[list[asyncpg.Connection]]:
    opened = []
    try:
        for _ in range(number):
            opened.append(await asyncpg.connect(address, statement_cache_size=cache))
        yield opened
    finally:
        for connection in opened:
            connection.terminate()


async def asked_on_both_servers(cache: int) -> list[int]:
    """One client asks twice; meanwhile another one takes the server connection of the first time.

    The second question therefore goes to the other server connection, for certain.
    """
    async with (
        Postgres(embedded=True) as pg,
        bouncer(pg.dsn, 2) as address,
        clients(address, 3, cache) as (guest, second, third),
    ):
        answers = []
        for other in (second, third):
            pid = await guest.fetchval("select pg_backend_pid()::int + 0 * $1::int", 0)
            answers.append(await guest.fetchval(ASK, 1))
            taken = other.transaction()
            await taken.start()  # `begin` goes to the connection that was used last
            if await other.fetchval("select pg_backend_pid()") == pid:
                answers.append(await guest.fetchval(ASK, 1))
                return answers
            await taken.rollback()
        raise AssertionError("the other client never got the server connection of the first")


def test_the_installed_version_is_known(record_property):
    record_property("pgbouncer", ".".join(map(str, version())))
    assert version() >= (1, 18)


def test_a_cached_statement_is_missing_on_another_server_connection():
    with pytest.raises(asyncpg.InvalidSQLStatementNameError) as error:
        asyncio.run(asked_on_both_servers(CACHE))
    assert error.value.sqlstate == "26000"


def test_without_the_statement_cache_every_question_is_answered():
    assert asyncio.run(asked_on_both_servers(NO_CACHE)) == [2, 2]


def test_a_setting_leaks_to_another_client():
    async def main() -> str:
        async with (
            Postgres(embedded=True) as pg,
            bouncer(pg.dsn, 1) as address,
            clients(address, 2, NO_CACHE) as (first, second),
        ):
            await first.execute("set search_path = 'leaked'")
            return await second.fetchval("show search_path")

    assert asyncio.run(main()) == "leaked"


def test_a_setting_of_a_transaction_does_not_leak():
    async def main() -> str:
        async with (
            Postgres(embedded=True) as pg,
            bouncer(pg.dsn, 1) as address,
            clients(address, 2, NO_CACHE) as (first, second),
        ):
            async with first.transaction():
                await first.execute("set local search_path = 'leaked'")
            return await second.fetchval("show search_path")

    assert asyncio.run(main()) != "leaked"


def test_round_trips_can_be_counted_before_the_bouncer():
    """It refuses a start that comes in pieces: "client sent partial pkt in startup phase"."""

    async def main() -> list[str]:
        async with (
            Postgres(embedded=True) as pg,
            bouncer(pg.dsn, 1) as address,
            RoundTrips(address) as net,
            clients(net.dsn, 1, NO_CACHE) as (guest,),
        ):
            net.reset()
            await guest.execute("select 1")
            return net.messages

    assert asyncio.run(main()) == ["Q"]


def test_listen_receives_nothing_through_the_bouncer():
    async def main() -> tuple[list[str], list[str]]:
        heard: dict[str, list[str]] = {"direct": [], "bouncer": []}
        async with Postgres(embedded=True) as pg, bouncer(pg.dsn, 1) as address:
            direct = await asyncpg.connect(pg.dsn)
            async with clients(address, 1, NO_CACHE) as (through,):
                for name, connection in {"direct": direct, "bouncer": through}.items():
                    await connection.add_listener("bell", lambda *a, n=name: heard[n].append(a[3]))
                for word in ("one", "two"):
                    await direct.execute(f"notify bell, '{word}'")
                await until(lambda: len(heard["direct"]) == 2, what="two notifications")
            await direct.close()
        return heard["direct"], heard["bouncer"]

    assert asyncio.run(main()) == (["one", "two"], [])


async def through_the_bistro(more: str) -> tuple[list[int], str]:
    """Answers to questions that the bistro's pool asks side by side, and the server's deadline."""
    async with Postgres(embedded=True) as pg:
        direct = await asyncpg.connect(pg.dsn)
        await direct.execute("alter role current_user set statement_timeout = '6s'")
        await direct.close()
        async with bouncer(pg.dsn, 2, more) as address, open_pool(address, size=5) as pool:
            questions = (pool.fetchval(ASK, number) for number in range(40))
            answers = await asyncio.gather(*questions)
            return answers, await pool.fetchval("show statement_timeout")


@pytest.mark.parametrize(
    "more",
    ["", "ignore_startup_parameters = statement_timeout, idle_in_transaction_session_timeout"],
    ids=["settings refused", "settings swallowed"],
)
def test_the_bistro_works_behind_pgbouncer(more, caplog):
    answers, deadline = asyncio.run(through_the_bistro(more))
    assert answers == list(range(1, 41))
    assert deadline == "6s"  # the role's, since the session's would be left behind
    assert "A pooler stands before PostgreSQL" in caplog.text


def test_the_bistro_does_not_call_a_refusal_of_pgbouncer_a_missing_server():
    async def main() -> None:
        async with Postgres(embedded=True) as pg, bouncer(pg.dsn, 2) as address:
            nowhere = address.replace("/kitchen", "/cellar")
            async with open_pool(nowhere, size=1):
                pass

    with pytest.raises(RuntimeError, match="Something answers there and refuses us") as refusal:
        asyncio.run(main())
    assert "Start PostgreSQL" not in str(refusal.value)


def test_pgbouncer_gives_up_who_waits_too_long():
    async def main() -> str:
        async with (
            Postgres(embedded=True) as pg,
            bouncer(pg.dsn, 1, "query_wait_timeout = 1") as address,
            clients(address, 2, NO_CACHE) as (holder, other),
        ):
            held = holder.transaction()
            await held.start()  # the only server connection is taken
            with pytest.raises((asyncpg.PostgresError, ConnectionError)) as error:
                await other.fetchval("select 1")
            await held.rollback()
            return str(error.value)

    assert "query_wait_timeout" in asyncio.run(main())


async def psycopg_on_both_servers(threshold: int | None) -> list[int]:
    """As above, with psycopg: it prepares what it has asked often enough, and names it likewise."""
    async with Postgres(embedded=True) as pg, bouncer(pg.dsn, 1) as address:
        answers = []
        for _ in range(2):  # two clients, one server connection: both say `_pg3_0`
            async with await psycopg.AsyncConnection.connect(
                address, autocommit=True, prepare_threshold=threshold
            ) as client:
                for number in range(3):
                    cursor = await client.execute("select %s::int + 1", [number])
                    answers.append((await cursor.fetchone())[0])
        return answers


def test_a_statement_of_psycopg_exists_already():
    with pytest.raises(psycopg.errors.DuplicatePreparedStatement) as error:
        asyncio.run(psycopg_on_both_servers(1))
    assert error.value.sqlstate == "42P05"


def test_psycopg_without_prepared_statements_is_answered():
    assert asyncio.run(psycopg_on_both_servers(None)) == [1, 2, 3] * 2
