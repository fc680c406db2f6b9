"""A real PostgreSQL for the run, and a rollback for each test.

`db` and `client` share one connection: what either writes, both see, and nobody
else. What `db` has loaded before, it reads again after `db.expire_all()`. `live`
is the whole application, with its lifespan and its own pool; its tables are
emptied afterwards.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)

from app import Base, app, get_db
from bench import Postgres

metadata = Base.metadata


@pytest.fixture(scope="session")
async def engine() -> AsyncIterator[AsyncEngine]:
    """PostgreSQL with the tables. At the end it looks for rows left behind."""
    async with Postgres() as pg:
        os.environ["APP_DATABASE"] = pg.url("asyncpg")
        engine = create_async_engine(pg.url("asyncpg"))
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
        yield engine
        left = {}
        async with engine.connect() as connection:
            for table in metadata.sorted_tables:
                count = select(func.count()).select_from(table)
                if rows := await connection.scalar(count):
                    left[table.name] = rows
        await engine.dispose()
        assert not left, f"rows left by the tests: {left}"


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One connection in a transaction that nobody commits."""
    async with engine.connect() as connection:
        outer = await connection.begin()
        yield connection
        await outer.rollback()


def session_on(connection: AsyncConnection) -> AsyncSession:
    """Its commit() and rollback() end a savepoint, and nothing else."""
    return AsyncSession(
        connection,
        join_transaction_mode="create_savepoint",
        expire_on_commit=False,
    )


@pytest.fixture
async def db(connection: AsyncConnection) -> AsyncIterator[AsyncSession]:
    async with session_on(connection) as session:
        yield session


@pytest.fixture
async def client(connection: AsyncConnection) -> AsyncIterator[httpx.AsyncClient]:
    """Each request gets its own session, as in production, on one connection."""

    async def session_of_the_test() -> AsyncIterator[AsyncSession]:
        async with session_on(connection) as session:
            yield session

    app.dependency_overrides[get_db] = session_of_the_test
    async with to_the_app() as client:
        yield client
    del app.dependency_overrides[get_db]


@pytest.fixture
async def live(engine: AsyncEngine) -> AsyncIterator[httpx.AsyncClient]:
    """The application as it is, with the lifespan that ASGITransport leaves out.

    It commits, so its engine must be one for the database of the tests.
    """
    async with app.router.lifespan_context(app), to_the_app() as client:
        assert app.state.engine.url == engine.url
        yield client
    async with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())


def to_the_app() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://test")
