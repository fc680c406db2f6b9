"""An application of which a visit cannot see everything, and has to say so."""

from __future__ import annotations

import os
import ssl

import asyncpg
from fastapi import FastAPI, HTTPException
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

app = FastAPI()
names: set[str] = set()


class Guest(BaseModel):
    name: str


@app.post("/once")
async def once(guest: Guest) -> str:
    if guest.name in names:
        raise HTTPException(409)
    names.add(guest.name)
    return guest.name


@app.get("/fails")
async def fails() -> None:
    raise RuntimeError("the kitchen burns")


@app.get("/moved")
async def moved() -> RedirectResponse:
    return RedirectResponse("/once?name=anna")


@app.get("/past-the-proxy")
async def past_the_proxy() -> None:
    connection = await asyncpg.connect(os.environ["OWN_DATABASE"], ssl=False)
    try:
        await connection.execute("select pg_sleep(0.1)")
    finally:
        await connection.close()


@app.get("/encrypted")
async def encrypted() -> int:
    connection = await asyncpg.connect(
        os.environ["DATABASE_URL"], ssl=ssl.create_default_context(), timeout=10
    )
    return await connection.fetchval("select 1")
