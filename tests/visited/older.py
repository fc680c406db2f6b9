"""What a visit must tell also of Python 3.9, uvicorn 0.18, SQLAlchemy 1.4 and psycopg2."""

from __future__ import annotations

import os

import aiosqlite
import asyncpg
import psycopg2
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

DSN = os.environ["DATABASE_URL"]
blocking = create_engine(DSN.replace("postgresql://", "postgresql+psycopg2://"))
engine = create_async_engine(DSN.replace("postgresql://", "postgresql+asyncpg://"))
app = FastAPI()


@app.on_event("startup")
async def open_pool() -> None:
    app.state.pool = await asyncpg.create_pool(DSN, min_size=2, max_size=2)


@app.get("/pool")
async def pool():
    return await app.state.pool.fetchval("select 1")


@app.get("/psycopg2-in-def")
def psycopg2_in_def():
    connection = psycopg2.connect(DSN)
    with connection.cursor() as cursor:
        cursor.execute("select %s", (1,))
        found = cursor.fetchone()[0]
    connection.close()
    return found


@app.get("/psycopg2-on-the-loop")
async def psycopg2_on_the_loop():
    with Session(blocking) as session:
        return session.execute(text("select 1")).scalar()


@app.get("/asyncpg-session")
async def asyncpg_session():
    async with AsyncSession(engine) as session:
        return (await session.execute(text("select 1"))).scalar()


@app.get("/aiosqlite")
async def by_aiosqlite():
    async with aiosqlite.connect("visited.db") as connection:
        cursor = await connection.execute("select 1")
        return (await cursor.fetchone())[0]
