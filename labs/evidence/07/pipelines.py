"""psycopg's pipeline: questions that do not wait for answers. What it saves; what an error does."""

from __future__ import annotations

import asyncio

import psycopg

from bench import Postgres, RoundTrips, claim
from bistro.database import prepare

IDS = list(range(1, 51))
NAME = "select name from guests where id = %s"
Row = tuple[str, ...]


async def one_by_one(window: psycopg.AsyncConnection) -> list[Row]:
    return [await (await window.execute(NAME, [number])).fetchone() for number in IDS]


async def piped(window: psycopg.AsyncConnection) -> list[Row]:
    """Send all fifty; only then read the answers, which come in the order of the questions."""
    async with window.pipeline():
        sent = [await window.execute(NAME, [number]) for number in IDS]
        return [await cursor.fetchone() for cursor in sent]


async def one_refused(window: psycopg.AsyncConnection) -> tuple[str, list[int]]:
    """Three inserts in one pipeline, the second refused: the error, and the rows that are kept."""
    await window.execute("create table doses (n int check (n > 0))")
    said = ""
    try:
        async with window.pipeline():
            for number in 1, -2, 3:
                await window.execute("insert into doses values (%s)", [number])
    except psycopg.Error as error:
        said = type(error).__name__
    rows = await (await window.execute("select n from doses")).fetchall()
    return said, [number for (number,) in rows]


async def main() -> None:
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        await prepare(pg.dsn)
        connect = psycopg.AsyncConnection.connect
        async with await connect(net.dsn, autocommit=True, prepare_threshold=0) as window:
            trips, answers = {}, {}
            for way in one_by_one, piped:
                await way(window)
                net.reset()
                answers[way.__name__] = await way(window)
                trips[way.__name__] = net.trips
            said, kept = await one_refused(window)
    print(f"fifty look-ups: {trips['one_by_one']} round trips one by one")
    print(f"fifty look-ups: {trips['piped']} round trips in a pipeline")
    print(f"three inserts in a pipeline, the second refused: {said}, rows kept: {kept}")
    claim(
        "a-pipeline-saves-the-waits-between",
        "Fifty look-ups in a pipeline: the same answers, in at most two round trips instead of 50.",
        trips["one_by_one"] == 50
        and trips["piped"] <= 2
        and answers["piped"] == answers["one_by_one"],
    )
    claim(
        "an-error-spoils-the-pipeline",
        "One refused insert in a pipeline, and none of its neighbours is kept.",
        (said, kept) == ("CheckViolation", []),
    )


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
