"""Three routes with a pitfall, and their cures: what each answers, and what it leaves behind."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings

import asyncpg
import httpx
import psycopg
from fastapi import FastAPI, HTTPException, Request

from bench import Postgres, claim
from bistro.app import lifespan
from bistro.database import dsn, prepare

app = FastAPI(lifespan=lifespan)
threads: list[int] = []
MENU = "select id, name from dishes order by id limit 3"
ORDER = "insert into orders (guest_id, dish_id, portions) values (1, 2, 1)"


def menu_blocking() -> list[dict]:
    threads.append(threading.get_ident())
    with psycopg.connect(dsn()) as window:
        return [dict(id=id, name=name) for id, name in window.execute(MENU)]


@app.get("/wrong/menu")
async def blocks_the_loop():
    return menu_blocking()  # holds the loop's only thread


@app.get("/right/menu-in-def")
def waits_in_a_thread():
    return menu_blocking()


@app.get("/right/menu-awaited")
async def awaits_the_driver(request: Request):
    rows = await request.app.state.pool.fetch(MENU)
    return [dict(row) for row in rows]


@app.get("/wrong/guest/{id}")
async def builds_its_own(id):  # text, not a number
    window = await asyncpg.connect(dsn())  # a new server process
    query = f"select name from guests where id = {id}"
    row = await window.fetchrow(query)
    await window.close()  # not reached after an error
    return dict(row)


@app.get("/right/guest/{id}")
async def borrows_and_binds(id: int, request: Request):
    query = "select name from guests where id = $1"
    pool = request.app.state.pool
    async with pool.acquire(timeout=5) as window:
        row = await window.fetchrow(query, id)
    if row is None:
        raise HTTPException(404)
    return dict(row)


@app.post("/wrong/order")
async def forgets(request: Request):
    request.app.state.pool.execute(ORDER)
    return {"status": "ordered"}


@app.post("/right/order")
async def awaits(request: Request):
    await request.app.state.pool.execute(ORDER)
    return {"status": "ordered"}


async def main() -> None:
    async with Postgres() as pg:
        os.environ["BISTRO_DSN"] = pg.dsn
        await prepare(pg.dsn)
        here, count = threading.get_ident(), "select count(*) from orders"
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False),
                base_url="http://bistro",
            ) as guest,
        ):
            kinds = "/wrong/menu", "/right/menu-in-def", "/right/menu-awaited"
            menus = [(await guest.get(path)).json() for path in kinds]
            one = [(await guest.get(f"/{kind}/guest/7")).text for kind in ("wrong", "right")]
            odd = [await guest.get(f"/{kind}/guest/0 or true") for kind in ("wrong", "right")]
            rows, statuses = [], []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # "never awaited", if it comes
                for kind in "wrong", "right":
                    statuses.append((await guest.post(f"/{kind}/order")).status_code)
                    rows.append(await app.state.pool.fetchval(count))
    where = ["the loop's thread" if thread == here else "another thread" for thread in threads]
    print(f"the blocking menu runs on {where[0]}; in def on {where[1]}")
    print(f"guest 7: {one[0]} from both")
    print(f"guest '0 or true': {odd[0].status_code} {odd[0].text}, then {odd[1].status_code}")
    print(f"orders: status {statuses}, rows in the table {rows}")
    claim(
        "one-word-moves-the-query",
        "Without the word async the same query leaves the loop's thread; the menus are equal.",
        [thread == here for thread in threads] == [True, False]
        and menus[0] == menus[1] == menus[2],
    )
    claim(
        "a-typed-parameter-closes-the-text",
        "The text 0 or true brings somebody's name from the f-string, and 422 from the parameter.",
        one[0] == one[1] and [reply.status_code for reply in odd] == [200, 422],
    )
    claim(
        "the-await-writes-the-order",
        "Both orders are answered with 200; only the awaited one is in the table.",
        (statuses, rows) == ([200, 200], [0, 1]),
    )


if __name__ == "__main__":
    asyncio.run(main())
