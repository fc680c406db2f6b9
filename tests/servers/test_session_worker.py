"""What lab 4 with SQLAlchemy relies on, and what its page says of a session that nobody closes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Annotated

import pytest
from fastapi import Depends
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from bench.instruments.gates import Gate, until
from bench.servers.postgres import Postgres
from bistro.database import prepare
from bistro.session_worker import COOK, database_url, worker


@pytest.fixture(scope="module", autouse=True)
def _prepared(postgres: Postgres) -> None:
    asyncio.run(prepare(postgres.dsn))


@pytest.fixture(autouse=True)
def _address(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BISTRO_DSN", postgres.dsn)


def test_the_rest_of_the_bistro_needs_no_sqlalchemy() -> None:
    code = "import sys, bistro.app, bistro.worker; print('sqlalchemy' in sys.modules)"
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_worker_opens_its_pool_at_the_start_and_closes_it_at_the_end() -> None:
    async def main() -> tuple[int, int]:
        engine = create_async_engine(database_url(), pool_size=3, max_overflow=5)
        app = worker(engine, Annotated[AsyncSession, Depends(lambda: None)])
        async with app.router.lifespan_context(app):
            opened = engine.pool.checkedin()
        return opened, engine.pool.checkedin()

    assert asyncio.run(main()) == (3, 0)


def test_a_cancellation_in_a_statement_frees_a_place_that_nobody_gives_back(dsn: str) -> None:
    """Between two statements it does not: the session has to be closed."""
    kept = []  # or the garbage collector might close them

    async def main() -> tuple[int, int]:
        engine = create_async_engine(database_url())
        answered = asyncio.Event()

        async def in_a_statement() -> None:
            kept.append(AsyncSession(engine))
            await kept[-1].scalar(COOK)

        async def between_two() -> None:
            kept.append(AsyncSession(engine))
            await kept[-1].scalar(text("select 1"))
            answered.set()
            await asyncio.Event().wait()

        async with Gate(dsn) as gate:
            cook = asyncio.create_task(in_a_statement())
            await gate.until_waiting(1)
            cook.cancel()
            await asyncio.wait([cook])
            after_the_first = engine.pool.checkedout()
        guest = asyncio.create_task(between_two())
        await until(answered.is_set)
        guest.cancel()
        await asyncio.wait([guest])
        after_the_second = engine.pool.checkedout()
        await kept.pop().close()
        await engine.dispose()
        return after_the_first, after_the_second

    assert asyncio.run(main()) == (0, 1)
