"""The same questions by other drivers, and in the wrong place."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import aiosqlite
import psycopg
import psycopg_pool
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

DSN = os.environ["DATABASE_URL"]
FILE = Path(os.environ.get("SQLITE_FILE", "visited.db"))
blocking = create_engine(DSN.replace("postgresql://", "postgresql+psycopg://"))
engine = create_async_engine(DSN.replace("postgresql://", "postgresql+asyncpg://"))
psycopg_engine = create_async_engine(DSN.replace("postgresql://", "postgresql+psycopg://"))
ONE = text("select 1")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with psycopg_pool.AsyncConnectionPool(DSN, min_size=2, max_size=2) as app.state.pool:
        await app.state.pool.wait()
        with psycopg_pool.ConnectionPool(DSN, min_size=2, max_size=2) as app.state.sync_pool:
            app.state.sync_pool.wait()
            yield
    await engine.dispose()
    await psycopg_engine.dispose()


app = FastAPI(lifespan=lifespan)


def sync_session() -> Iterator[Session]:
    with Session(blocking) as session:
        yield session


async def current_user() -> str:
    """The planted fault: a blocking session in an async dependency."""
    with Session(blocking) as session:
        return str(session.scalar(ONE))


@app.get("/sync-session-in-async-dependency")
async def in_dependency(user: Annotated[str, Depends(current_user)]) -> str:
    return user


@app.get("/sync-session-in-def")
def in_def(session: Annotated[Session, Depends(sync_session)]) -> int | None:
    return session.scalar(ONE)


@app.get("/asyncpg-session")
async def asyncpg_session() -> int | None:
    async with AsyncSession(engine) as session:
        return await session.scalar(ONE)


@app.get("/psycopg-session")
async def psycopg_session() -> int | None:
    async with AsyncSession(psycopg_engine) as session:
        return await session.scalar(ONE)


@app.get("/psycopg-pool")
async def psycopg_from_pool() -> int:
    async with app.state.pool.connection() as connection:
        cursor = await connection.execute("select 1")
        return (await cursor.fetchone())[0]


@app.get("/psycopg-sync-pool")
def psycopg_from_sync_pool() -> int:
    with app.state.sync_pool.connection() as connection:
        return connection.execute("select 1").fetchone()[0]


@app.get("/psycopg-alone")
async def psycopg_alone() -> int:
    async with await psycopg.AsyncConnection.connect(DSN) as connection:
        cursor = await connection.execute("select 1")
        return (await cursor.fetchone())[0]


@app.get("/aiosqlite")
async def by_aiosqlite() -> int:
    async with aiosqlite.connect(FILE) as connection:
        rows = await connection.execute_fetchall("select 1")
        return next(iter(rows))[0]


@app.get("/sqlite-on-the-loop")
async def sqlite_on_the_loop() -> int:
    with sqlite3.connect(FILE) as connection:
        return connection.execute("select 1").fetchone()[0]


@app.get("/two-tasks")
async def two_tasks() -> list[int | None]:
    return await asyncio.gather(asyncpg_session(), asyncpg_session())
