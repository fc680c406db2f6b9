"""A synchronous session in `async def`: fifteen of sixty guests are served, then nobody.

Each query holds the loop, so one is in the database at a time. A guest's session is closed behind
the reply, and that needs a turn of the loop. The other guests' routes come first. After fifteen
the pool is empty, and the next one waits for a place on the thread that would give it back.

In `def` the same session waits in a thread, and the loop is free: fifteen queries at once, as many
as the pool has places. A larger pool ends at forty, as many as there are threads.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from fastapi import Depends, FastAPI
from fastapi.responses import JSONResponse
from sqlalchemy import create_engine, text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlmodel import Session as SQLModelSession

from bench import Client, Gate, Postgres, claim, closed_loop, serve
from bench.instruments.http_client import Reply

GUESTS, PATIENCE = 60, 0.005  # SQLAlchemy's own patience is 30 s: nobody wants to wait for that
HELD = text("select pg_advisory_xact_lock_shared(7)")
URL = os.environ.get("DB", "postgresql+psycopg://nobody@localhost/nowhere")
impatient = create_engine(URL, pool_timeout=PATIENCE)
engine = create_engine(URL)
large = create_engine(URL, pool_size=60, max_overflow=0)
app = FastAPI()
here, all_here = 0, asyncio.Event()


def get_db() -> Iterator[Session]:
    with Session(impatient) as session:
        yield session


def get_db_of_sqlmodel() -> Iterator[SQLModelSession]:
    with SQLModelSession(engine) as session:
        yield session


def get_db_of_sixty() -> Iterator[Session]:
    with Session(large) as session:
        yield session


async def together() -> None:
    """Lets all guests go on in the same turn of the loop."""
    global here
    here += 1
    if here == GUESTS:
        all_here.set()
    await all_here.wait()


@app.get("/async-def")
async def in_async_def(db: Session = Depends(get_db), _: None = Depends(together)) -> JSONResponse:  # noqa: B008
    began = time.perf_counter()
    try:
        db.execute(HELD)
    except PoolTimeout:
        ended, out = time.perf_counter(), impatient.pool.checkedout()
        return JSONResponse({"began": began, "ended": ended, "places out": out}, 503)
    return JSONResponse("served")


@app.get("/def")
def in_def(db: SQLModelSession = Depends(get_db_of_sqlmodel)) -> None:  # noqa: B008
    db.execute(HELD)


@app.get("/def-sixty")
def in_def_sixty(db: Session = Depends(get_db_of_sixty)) -> None:  # noqa: B008
    db.execute(HELD)


@app.get("/free")
async def free() -> None:
    """Needs no database and no thread: the loop alone answers."""


class Counted(NamedTuple):
    inside: int
    """Queries in the database while the gate was closed."""
    free: bool
    """Whether `/free` was answered meanwhile."""
    replies: list[Reply]

    def count(self, status: int) -> int:
        return [reply.status for reply in self.replies].count(status)


async def at_the_gate(dsn: str, url: str, path: str, wanted: int, patience: float) -> Counted:
    """Sixty guests come to the closed gate. Somebody asks `/free`; then the gate is opened.

    `/free` has `patience` seconds, or less if it answers; until then no query can pass.
    """
    async with Gate(dsn) as gate, Client(url) as other:
        guests = asyncio.create_task(closed_loop(url, path, guests=GUESTS))
        await gate.until_waiting(wanted)
        asked = asyncio.create_task(other.get("/free"))
        await asyncio.wait([asked], timeout=patience)
        free, inside = asked.done(), await gate.waiting()
        await gate.open()
        replies = await guests
        await asked
    return Counted(inside, free, replies)


async def main() -> None:
    async with Postgres() as pg, serve(f"{__file__}:app", env={"DB": pg.url("psycopg")}) as server:
        blocking = await at_the_gate(pg.dsn, server.url, "/async-def", 1, 0.1)
        threads = await at_the_gate(pg.dsn, server.url, "/def", 15, 30)
        sixty = await at_the_gate(pg.dsn, server.url, "/def-sixty", 40, 30)
    vain = [reply.json() for reply in blocking.replies if reply.status == 503]
    out = {wait["places out"] for wait in vain}
    waits = sorted((wait["began"], wait["ended"]) for wait in vain)
    at_once = any(second[0] < first[1] for first, second in pairwise(waits))
    print(f"{GUESTS} guests                              in the database  /free answers  200  503")
    for name, seen in (
        ("async def, the default pool", blocking),
        ("def, the default pool, SQLModel", threads),
        ("def, pool_size=60", sixty),
    ):
        print(f"{name:38}{seen.inside:16}  {seen.free!s:13}{seen.count(200):5}{seen.count(503):5}")
    print(f"places out when one of the 503 gives up: {out}; two waited at the same time: {at_once}")
    claim(
        "sync-session-in-async-def-one-inside",
        "A sync session in async def: 1 of 60 guests is in the database, /free is not answered.",
        (blocking.inside, blocking.free) == (1, False),
    )
    claim(
        "the-loop-waits-for-its-own-places",
        "15 of 60 guests are served; the others wait in vain, one by one, while 15 places are out.",
        (blocking.count(200), len(vain), out, at_once) == (15, 45, {15}, False),
    )
    claim(
        "sync-session-in-def-fifteen-inside",
        "In def 15 guests are in the database, as many as the pool has places; /free is answered.",
        (threads.inside, threads.free, threads.count(200)) == (15, True, GUESTS),
    )
    claim(
        "a-pool-of-sixty-forty-inside",
        "With a pool of 60 the def route has 40 in the database, as many as there are threads.",
        (sixty.inside, sixty.count(200)) == (40, GUESTS),
    )


if __name__ == "__main__":
    asyncio.run(main())
