"""Forty background tasks that block, and who has to wait for them.

Each guest gets the answer at once; the job waits at the gate afterwards, on one of FastAPI's forty
threads. Then four others ask. The cure: a limiter of their own for the jobs.
"""

from __future__ import annotations

import asyncio

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import FileResponse

from bench import Client, Gate, Postgres, claim, closed_loop, serve
from bistro.database import prepare
from bistro.waiting import kitchen_window

FORTY, FEW = 40, 5
app = FastAPI()
few = CapacityLimiter(FEW)


def job() -> None:
    kitchen_window().execute("select cook(0)")


async def job_among_few() -> None:
    await run_sync(job, limiter=few)


@app.get("/job")
async def order(after: BackgroundTasks) -> str:
    after.add_task(job)
    return "accepted"


@app.get("/limited-job")
async def limited_order(after: BackgroundTasks) -> str:
    after.add_task(job_among_few)
    return "accepted"


def a_def_dependency() -> str:
    return "needs a thread"


@app.get("/async-def")
async def health() -> str:
    return "ok"


@app.get("/def")
def def_health() -> str:
    return "ok"


@app.get("/def-dependency", dependencies=[Depends(a_def_dependency)])
async def dependent() -> str:
    return "ok"


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(__file__)


ASK = "/async-def", "/def", "/def-dependency", "/file"


async def beside(
    dsn: str, url: str, path: str, wanted: int, patience: float
) -> tuple[list[int], int, list[bool]]:
    """Forty guests order. Their answers' statuses, jobs at the gate, and who of four is answered.

    The async route has answered twenty times before we look: there was time for an answer.
    """
    async with Gate(dsn) as gate, Client(url) as other:
        statuses = [reply.status for reply in await closed_loop(url, path, guests=FORTY)]
        await gate.until_waiting(wanted)
        asked = [asyncio.create_task(other.get(one)) for one in ASK]
        await asyncio.wait(asked, timeout=patience)  # or less, if all have answered
        for _ in range(20):
            await other.get("/async-def")
        jobs, answered = await gate.waiting(), [one.done() for one in asked]
        await gate.open()
        await asyncio.gather(*asked)
    return statuses, jobs, answered


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve(f"{__file__}:app", env={"BISTRO_DSN": pg.dsn}) as server:
            accepted, jobs, answered = await beside(pg.dsn, server.url, "/job", FORTY, 0.1)
            _, few_jobs, free = await beside(pg.dsn, server.url, "/limited-job", FEW, 30)
    print(
        f"{accepted.count(200)} guests are answered while {jobs} jobs wait. Who else is answered?"
    )
    print("                   beside 40 jobs   the jobs have a limiter of 5")
    for path, one, two in zip(ASK, answered, free, strict=True):
        print(f"  {path:16} {one!s:16} {two}")
    claim(
        "background-answers-come-first",
        "Forty guests have their answers while all forty jobs still wait.",
        (accepted, jobs) == ([200] * FORTY, FORTY),
    )
    claim(
        "forty-jobs-starve-every-thread",
        "Beside them only the async route answers: def, def dependency and file wait.",
        answered == [True, False, False, False],
    )
    claim(
        "a-limiter-of-their-own",
        "With a limiter of five for the jobs, five wait, and all four routes answer.",
        (few_jobs, free) == (FEW, [True] * 4),
    )


if __name__ == "__main__":
    asyncio.run(main())
