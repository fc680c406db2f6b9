"""After the query: ten thousand rows become dictionaries, models and JSON, on the loop's thread.

Another task counts its turns meanwhile. No step of Python gives it one. Then the ways out: in
pieces, in the database, or in a `def` route, whose response model is checked on a helper thread.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

import asyncpg
import httpx
from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter, model_validator

from bench import Postgres, claim

ROWS, PIECE = 10_000, 500
BILLS = f"select i as id, 'guest ' || i as guest, i * 10 as cents from generate_series(1, {ROWS}) i"
AS_JSON = f"select json_agg(bill)::text from ({BILLS}) bill"
checked_on: set[int] = set()


class Bill(BaseModel):
    id: int
    guest: str
    cents: int

    @model_validator(mode="after")
    def note_the_thread(self) -> Bill:
        checked_on.add(threading.get_ident())
        return self


Bills = TypeAdapter(list[Bill])
app = FastAPI()


@app.get("/async-def")
async def bills() -> list[Bill]:
    return [{"id": 1, "guest": "Ann", "cents": 10}]


@app.get("/def")
def bills_of_a_helper() -> list[Bill]:
    return [{"id": 1, "guest": "Ann", "cents": 10}]


class Turns:
    """Counts how often another task is let in."""

    def __init__(self) -> None:
        self.count = 0
        self.task = asyncio.create_task(self._count())

    async def _count(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def counted(seen: dict[str, tuple[int, float]], name: str) -> AsyncIterator[None]:
    """Put the other task's turns and the seconds of the block into `seen`."""
    turns = Turns()
    await asyncio.sleep(0)
    before, start = turns.count, perf_counter()
    yield
    seen[name] = turns.count - before, perf_counter() - start
    turns.task.cancel()


async def in_pieces(rows: list[asyncpg.Record]) -> str:
    parts = []
    for start in range(0, len(rows), PIECE):
        part = json.dumps([dict(row) for row in rows[start : start + PIECE]])
        parts.append(part[1:-1])
        await asyncio.sleep(0)  # now the others
    return f"[{', '.join(parts)}]"


async def checking_thread(path: str) -> str:
    checked_on.clear()
    door = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=door, base_url="http://bistro") as guest:
        await guest.get(path)
    [thread] = checked_on
    return "the loop's thread" if thread == threading.get_ident() else "a helper thread"


async def main() -> None:
    seen: dict[str, tuple[int, float]] = {}
    async with Postgres() as pg, asyncpg.create_pool(pg.dsn, min_size=1) as pool:
        async with counted(seen, "the query"):
            rows = await pool.fetch(BILLS)
        async with counted(seen, "dictionaries"):
            dicts = [dict(row) for row in rows]
        async with counted(seen, "models"):
            models = Bills.validate_python(dicts)
        async with counted(seen, "json.dumps"):
            text = json.dumps(dicts)
        async with counted(seen, "JSON of the models"):
            dumped = Bills.dump_json(models)
        async with counted(seen, f"pieces of {PIECE}"):
            pieces = await in_pieces(rows)
        async with counted(seen, "json_agg in PostgreSQL"):
            ready = await pool.fetchval(AS_JSON)
    threads = {path: await checking_thread(path) for path in ("/async-def", "/def")}
    print(f"{ROWS} rows; turns of another task meanwhile:")
    for name, (turns, seconds) in seen.items():
        print(f"  {name:24} {turns:6} turns in {seconds * 1000:6.1f} ms")
    for path, thread in threads.items():
        print(f"the response model of {path}: checked on {thread}")
    work = "dictionaries", "models", "json.dumps", "JSON of the models"
    claim(
        "the-query-lets-others-in",
        "While the query is awaited, another task has its turns.",
        seen["the query"][0] > 0,
    )
    claim(
        "rows-to-json-lets-nobody-in",
        "While 10 000 rows become dictionaries, models and JSON, it has not one.",
        [seen[name][0] for name in work] == [0] * 4,
    )
    claim(
        "pieces-let-others-in",
        "In 20 pieces of 500 rows it has 20 turns, and the JSON is the same.",
        (seen["pieces of 500"][0], pieces) == (ROWS // PIECE, text),
    )
    claim(
        "the-database-writes-the-json",
        "json_agg gives the same JSON in one value, and the other task has its turns.",
        seen["json_agg in PostgreSQL"][0] > 0 and json.loads(ready) == dicts == json.loads(dumped),
    )
    claim(
        "response-model-on-the-loop",
        "FastAPI checks the response model of an async route on the loop's thread.",
        threads["/async-def"] == "the loop's thread",
    )
    claim(
        "response-model-of-def-on-a-helper",
        "It checks that of a def route on a helper thread.",
        threads["/def"] == "a helper thread",
    )


if __name__ == "__main__":
    asyncio.run(main())
