"""SQLAlchemy behind PgBouncer in transaction mode: which settings are a cure, and what each costs.

asyncpg counts its statements and names them by that number, in each process from 1 on. So two
processes say `__asyncpg_stmt_7__` and mean two questions. PgBouncer lends the server connection
that came back last, which makes all this happen at will.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import asyncpg.connection
import pytest
import sqlalchemy
import sqlmodel
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from sqlmodel.ext.asyncio.session import AsyncSession as SQLModelAsyncSession

import bill_desk
from bench import RoundTrips
from bench.course import BOOK
from bouncers import bouncer

POSTGRES = {"embedded": True}
CACHE, NO_CACHE = 100, 0  # asyncpg's default, and the cure
EXISTS, MISSING = "42P05", "26000"
WHERE = "select pg_backend_pid()"


def name() -> str:
    return f"__asyncpg_{uuid4()}__"


OURS = {"statement_cache_size": 0}
NAMED = {"prepared_statement_name_func": name}
DIALECT = "?prepared_statement_cache_size=0"

# How it is set: URL, keywords of create_async_engine → how a second process is answered, how a
# question is answered on the other server connection, and the trips of one question.
SETTINGS: dict[str, tuple[str, str, dict[str, Any], tuple[str, str, int]]] = {
    "asyncpg, nothing set": ("asyncpg", "", {}, (EXISTS, MISSING, 3)),
    "statement_cache_size=0": ("asyncpg", "", {"connect_args": OURS}, ("right", "right", 3)),
    "both caches 0": ("asyncpg", DIALECT, {"connect_args": OURS}, ("right", "right", 4)),
    "both caches 0, names, NullPool": (
        "asyncpg",
        DIALECT,
        {"connect_args": OURS | NAMED, "poolclass": NullPool},
        ("right", "right", 6),
    ),
    "the dialect's cache 0 alone": ("asyncpg", DIALECT, {}, (EXISTS, "right", 5)),
    "names alone": ("asyncpg", "", {"connect_args": NAMED}, ("right", MISSING, 3)),
    "NullPool alone": ("asyncpg", "", {"poolclass": NullPool}, (EXISTS, "right", 6)),
    "psycopg, nothing set": ("psycopg", "", {}, ("right", "right", 3)),
}


@asynccontextmanager
async def new_process(
    dsn: str, driver: str = "asyncpg", query: str = "", **settings: Any
) -> AsyncIterator[AsyncEngine]:
    """An engine as a process has it that began now: asyncpg counts its statements from 1."""
    asyncpg.connection._uid = 0
    url = dsn.replace("postgresql", f"postgresql+{driver}", 1) + query
    engine = create_async_engine(url, **settings)
    try:
        yield engine
    finally:
        await engine.dispose()


async def ask(engine: AsyncEngine, question: str) -> Any:
    """The answer, or the SQLSTATE of the error."""
    try:
        async with engine.connect() as connection:
            return await connection.scalar(text(question))
    except DBAPIError as error:
        return error.orig.sqlstate


async def in_a_second_process(dsn: str, *how: Any, **settings: Any) -> str:
    """The first one has asked, and what it prepared is still on the server connection."""
    async with bouncer(dsn, 2) as address, new_process(address, *how, **settings) as first:
        assert await ask(first, "select 'Anna'") == "Anna"
        async with new_process(address, *how, **settings) as second:
            answer = await ask(second, "select 'Ben'")
            return "right" if answer == "Ben" else answer


async def on_the_other_connection(dsn: str, *how: Any, **settings: Any) -> str:
    """The same question again, while somebody else holds the server connection of the first."""
    async with bouncer(dsn, 2) as address, new_process(address, *how, **settings) as guest:
        await ask(guest, WHERE)
        first = await ask(guest, WHERE)
        other = await asyncpg.connect(address, statement_cache_size=NO_CACHE)
        async with other.transaction():
            assert await other.fetchval(WHERE) == first
            answer = await ask(guest, WHERE)
        await other.close()
        return "right" if isinstance(answer, int) and answer != first else answer


async def trips_of_a_question(dsn: str, *how: Any, **settings: Any) -> int:
    """Network round trips to PgBouncer, when the same was asked before."""
    async with (
        bouncer(dsn, 2) as address,
        RoundTrips(address) as net,
        new_process(net.dsn, *how, **settings) as guest,
    ):
        for _ in range(7):
            net.reset()
            await ask(guest, "select 'Anna'")
        return net.trips


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_a_setting_cures_and_what_it_costs(dsn, setting):
    driver, query, settings, expected = SETTINGS[setting]

    async def main() -> tuple[str, str, int]:
        how = (dsn, driver, query)
        return (
            await in_a_second_process(*how, **settings),
            await on_the_other_connection(*how, **settings),
            await trips_of_a_question(*how, **settings),
        )

    assert asyncio.run(main()) == expected


async def bens_bill(dsn: str, cache: int) -> str:
    """What Ben's process gets for his question, in four steps."""
    async with bouncer(dsn, 2) as address:
        url = address.replace("postgresql", "postgresql+asyncpg", 1)
        pipes = {"stdin": asyncio.subprocess.PIPE, "stdout": asyncio.subprocess.PIPE}

        async def desk() -> asyncio.subprocess.Process:
            command = [sys.executable, str(Path(bill_desk.__file__)), url, str(cache)]
            process = await asyncio.create_subprocess_exec(*command, **pipes)
            assert await process.stdout.readline() == b"ready\n"
            return process

        async def say(process: asyncio.subprocess.Process, line: str) -> str:
            process.stdin.write(f"{line}\n".encode())
            return (await process.stdout.readline()).decode().strip()

        anna = await desk()
        assert await say(anna, "hold select 'the bill of Anna'") == "the bill of Anna"
        ben = await desk()  # on the other server connection
        assert await say(ben, "select 'the bill of Ben'") == "the bill of Ben"
        assert await say(anna, "let go") == "released"
        answer = await say(ben, "select 'the bill of Ben'")  # on the one that came back last
        for process in (anna, ben):
            await process.communicate(b"\n")
        return answer


def test_ben_gets_annas_bill(dsn):
    assert asyncio.run(bens_bill(dsn, CACHE)) == "the bill of Anna"


def test_without_the_statement_cache_ben_gets_his_own(dsn):
    assert asyncio.run(bens_bill(dsn, NO_CACHE)) == "the bill of Ben"


# --- Is there a pooler? ------------------------------------------------------------------------


async def numbers(address: str, places: int) -> int:
    """In ten transactions of a session, how many backends answer while somebody else asks, too."""
    pool = {"pool_size": places, "max_overflow": 0}
    async with new_process(address, connect_args=OURS, **pool) as engine, AsyncExitStack() as ends:
        async with AsyncExitStack() as rush:  # every place has been used before
            for _ in range(places):
                await rush.enter_async_context(engine.connect())
        other = await asyncpg.connect(address, statement_cache_size=NO_CACHE)
        ends.push_async_callback(other.close)
        session = await ends.enter_async_context(AsyncSession(engine))
        seen = set()
        for _ in range(5):
            seen.add(await session.scalar(text(WHERE)))
            await session.commit()
            async with other.transaction():
                await other.fetchval(WHERE)
                seen.add(await session.scalar(text(WHERE)))
                await session.commit()
        return len(seen)


def test_one_connection_tells_a_pooler_and_a_pool_does_not(dsn):
    async def main() -> tuple[int, int, int]:
        async with bouncer(dsn, 2) as address:
            return await numbers(address, 1), await numbers(dsn, 1), await numbers(dsn, 2)

    assert asyncio.run(main()) == (2, 1, 2)


def test_sqlmodel_has_no_engine_of_its_own():
    assert sqlmodel.create_engine is sqlalchemy.create_engine
    assert not hasattr(sqlmodel, "create_async_engine")
    assert issubclass(sqlmodel.Session, Session)
    assert issubclass(SQLModelAsyncSession, AsyncSession)


# --- psycopg, which prepares what it has asked five times -------------------------------------


async def seven_times(dsn: str, end: str, **settings: Any) -> tuple[list[Any], list[str]]:
    """Seven answers of a second process whose transactions end so, and what it sent for them."""
    found: list[Any] = []
    async with bouncer(dsn, 1) as address, RoundTrips(address) as net:
        for _ in range(2):
            async with new_process(net.dsn, "psycopg", connect_args=settings) as engine:
                found.clear()
                net.reset()
                for number in range(7):
                    try:
                        async with engine.connect() as connection:
                            question = text("select cast(:n as int)")
                            found.append(await connection.scalar(question, {"n": number}))
                            if end == "commit":
                                await connection.commit()
                    except DBAPIError as error:
                        found.append(error.orig.sqlstate)
                        break
        return found, [trip for trip in net.messages if "P" in trip]


def test_psycopg_prepares_nothing_for_sessions_that_end_with_a_rollback(dsn):
    found, sent = asyncio.run(seven_times(dsn, "rollback"))
    assert found == list(range(7))
    assert "PS" not in sent


def test_psycopg_prepares_at_the_sixth_time_for_sessions_that_commit(dsn):
    found, _ = asyncio.run(seven_times(dsn, "commit"))
    assert found == [0, 1, 2, 3, 4, EXISTS]


def test_prepare_threshold_none_is_psycopgs_cure(dsn):
    found, sent = asyncio.run(seven_times(dsn, "commit", prepare_threshold=None))
    assert found == list(range(7))
    assert "PS" not in sent


# --- A deadline of the session ----------------------------------------------------------------


def test_statement_timeout_is_refused_as_a_start_up_parameter(dsn):
    async def main() -> None:
        deadline = {"server_settings": {"statement_timeout": "6s"}}
        async with (
            bouncer(dsn, 1) as address,
            new_process(address, connect_args=OURS | deadline) as engine,
            engine.connect(),
        ):
            pass

    message = "unsupported startup parameter: statement_timeout"
    with pytest.raises(DBAPIError, match=message) as error:
        asyncio.run(main())
    assert error.value.orig.sqlstate == "08P01"


def rows_of_the_page(page: str) -> list[tuple[str, str, int]]:
    """What the page's table of settings says of each: second process, other connection, trips."""
    table = page.partition("\n| set for SQLAlchemy |")[2].partition("\n\n")[0]
    rows = [[cell.strip(" *") for cell in row.split("|")[2:5]] for row in table.splitlines()[2:]]
    return [(process.split()[0], other.split()[0], int(trips)) for process, other, trips in rows]


def test_the_page_says_of_each_setting_what_was_run() -> None:
    page = (BOOK / "behind-a-pooler.md").read_text("utf-8")
    assert rows_of_the_page(page) == [said for *_, said in SETTINGS.values()]
    wrong = page.replace("| right | right | 6 |", "| right | right | 5 |")
    assert rows_of_the_page(wrong) != rows_of_the_page(page)
