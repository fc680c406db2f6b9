"""The commit of a session that lives in a dependency comes after the reply, and may fail there.

`yield session` and then `await session.commit()`, or `async with session.begin()` around the
`yield`: FastAPI runs both ends after it has sent the reply. With `scope="function"` they run
before it, and so does a commit in the handler. An HTTPException is rolled back in both scopes.

A number may be on one bill only, which PostgreSQL checks at the commit. Each commit of a bill
passes the gate, too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from tables import desk

from bench import Gate, Postgres, claim, serve, until

TABLE = """
    create table bills (number int unique deferrable initially deferred);
    insert into bills values (1);
    create function pass_the_gate() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(7); return new; end $$;
    create constraint trigger at_commit after insert on bills deferrable initially deferred
        for each row execute function pass_the_gate()"""
ADD = text("insert into bills values (:number)")
COUNT = text("select count(*) from bills where number = :number")
ROUTES = ("late", "begun-late", "first", "handler")

sessions = async_sessionmaker()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = create_async_engine(os.environ["DB"])
    sessions.configure(bind=engine)
    yield
    await engine.dispose()


async def committed() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session
        await session.commit()


async def begun() -> AsyncIterator[AsyncSession]:
    async with sessions.begin() as session:
        yield session


Late = Annotated[AsyncSession, Depends(committed)]
BegunLate = Annotated[AsyncSession, Depends(begun)]
First = Annotated[AsyncSession, Depends(committed, scope="function")]
app = FastAPI(lifespan=lifespan)


async def write(session: AsyncSession, number: int, refuse: bool = False) -> dict[str, int]:
    await session.execute(ADD, {"number": number})
    if refuse:
        raise HTTPException(409)
    return {"saved": number}


@app.post("/late/{number}")
async def late(number: int, session: Late, refuse: bool = False) -> dict[str, int]:
    return await write(session, number, refuse)


@app.post("/begun-late/{number}")
async def begun_late(number: int, session: BegunLate) -> dict[str, int]:
    return await write(session, number)


@app.post("/first/{number}")
async def first(number: int, session: First, refuse: bool = False) -> dict[str, int]:
    return await write(session, number, refuse)


@app.post("/handler/{number}")
async def handler(number: int) -> dict[str, int]:
    async with sessions() as session:
        saved = await write(session, number)
        await session.commit()
        return saved


@app.get("/bills/{number}")
async def bills(number: int) -> int:
    async with sessions() as session:
        return await session.scalar(COUNT, {"number": number})


async def ask(url: str, method: str, path: str) -> httpx.Response:
    """One request on a connection of its own: a failed dependency closes it."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as guest:
        return await guest.request(method, path)


async def while_held(dsn: str, url: str, path: str, seconds: float) -> tuple[bool, int]:
    """Whether the guest has a reply while the commit is held, and the rows that a GET sees then.

    Waits at most so many seconds for the reply, and at the end for the row.
    """

    async def rows() -> int:
        return (await ask(url, "GET", f"/bills/{path.rpartition('/')[2]}")).json()

    async with Gate(dsn) as gate:
        reply = asyncio.create_task(ask(url, "POST", path))
        await gate.until_waiting(1)
        await asyncio.wait([reply], timeout=seconds)
        answered, seen = reply.done(), await rows()
    await reply
    await until(rows)
    return answered, seen


async def main() -> None:
    async with Postgres() as pg, desk(pg.dsn) as connection:
        await connection.execute(TABLE)
        async with serve(f"{__file__}:app", env={"DB": pg.url("asyncpg")}) as server:
            fails = {path: await ask(server.url, "POST", f"/{path}/1") for path in ROUTES}
            held_late = await while_held(pg.dsn, server.url, "/late/2", 10)
            held_first = await while_held(pg.dsn, server.url, "/first/3", 0.3)
            refused = {
                path: (await ask(server.url, "POST", f"/{path}/4?refuse=true")).status_code
                for path in ("late", "first")
            }
        # The server has stopped, so every dependency has ended.
        saved = [row["number"] for row in await connection.fetch("select number from bills")]
    for path, reply in fails.items():
        print(f"{path:10} the commit fails: {reply.status_code} {reply.text}")
    for path, (answered, seen) in (("late", held_late), ("first", held_first)):
        print(f"{path:10} the commit is held: reply {answered}, the next GET sees {seen} rows")
    print(f"HTTPException in the handler: {refused}")
    print(f"the bills at the end: {sorted(saved)}; number 1 was there before")
    claim(
        "session-commit-fails-behind-a-200",
        'Default scope, the commit fails: the guest has a 200 {"saved":1}, and no row is new.',
        [fails[path].text for path in ROUTES[:2]] == ['{"saved":1}'] * 2 and saved.count(1) == 1,
    )
    claim(
        "session-commit-first-tells-a-500",
        'scope="function", or commit in the handler: the failed commit is a 500.',
        (fails["first"].status_code, fails["handler"].status_code) == (500, 500),
    )
    claim(
        "next-request-sees-no-row",
        "Default scope: the guest has a reply, and the next GET sees 0 rows.",
        held_late == (True, 0),
    )
    claim(
        "function-scope-reply-waits-for-the-session",
        'scope="function": while the commit is held, the guest has no reply.',
        held_first == (False, 0),
    )
    claim(
        "http-exception-is-rolled-back",
        "An HTTPException in the handler is a 409, and leaves no row, in both scopes.",
        refused == {"late": 409, "first": 409} and 4 not in saved,
    )


if __name__ == "__main__":
    asyncio.run(main())
