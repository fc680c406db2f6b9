"""What the instruments of `bench` say in a page: every line must be that of CPython.

As a program it prints one line for each, in the same words in every place.
"""

from __future__ import annotations

import asyncio
import hashlib
import time

import httpx
from fastapi import FastAPI

from bench import (
    Heartbeat,
    LoopTrace,
    VirtualDeadlock,
    blocking,
    claim,
    run_virtual,
    timeline,
    until,
    waiting_for,
)

GUESTS = 3
TRACE = {
    "schema": "async-course/trace/1",
    "title": "Two guests",
    "summary": "Anna blocks the loop for 0.1 s, and Ben waits for her.",
    "source": "recorded",
    "about": {},
    "duration": 0.2,
    "lanes": [
        {"name": "Anna", "spans": [{"state": "blocking", "from": 0, "to": 0.1}]},
        {
            "name": "Ben",
            "spans": [
                {"state": "ready", "from": 0, "to": 0.1, "label": "waits"},
                {"state": "blocking", "from": 0.1, "to": 0.2},
            ],
        },
    ],
}


def claims() -> None:
    claim("two-and-two", "Two and two is four.", 2 + 2 == 4)
    try:
        claim("a-list", "A list is no answer.", [4])  # type: ignore[arg-type]
    except TypeError as error:
        print(error)


def virtual_time() -> None:
    async def ten_naps() -> str:
        for _ in range(10):
            await asyncio.sleep(0.1)
        return "rested"

    async def for_ever() -> None:
        await asyncio.Event().wait()

    print(run_virtual(ten_naps()))
    try:
        run_virtual(for_ever())
    except VirtualDeadlock as error:
        print(error)


async def beats() -> None:
    async with Heartbeat() as heart:
        begin = time.perf_counter()
        time.sleep(0.05)  # noqa: ASYNC251
        print("beats beside time.sleep:", heart.inside(begin, time.perf_counter()))
        begin = time.perf_counter()
        await until(lambda: heart.inside(begin, time.perf_counter()) > 2)
        print("beats beside await: some")


async def who_holds_the_loop() -> None:
    app = FastAPI()

    @app.get("/def")
    def in_a_thread() -> None:
        with blocking("select"):
            time.sleep(0.02)

    @app.get("/async-def")
    async def on_the_loop() -> None:
        with blocking("select"):
            time.sleep(0.02)  # noqa: ASYNC251

    @app.get("/await")
    async def awaits() -> None:
        with waiting_for("database", "select"):
            await asyncio.sleep(0.02)

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bistro") as web:

        async def guest(path: str) -> None:
            await web.get(path)

        for path in ("/def", "/async-def", "/await"):
            async with LoopTrace() as trace:
                await asyncio.gather(*(guest(path) for _ in range(GUESTS)))
            lanes = trace.to_json(title="T", summary="S.", lanes="guest")["lanes"]
            states = {span["state"] for lane in lanes for span in lane["spans"]}
            tasks = {step.task.split()[0] for step in trace.steps}
            said = sorted(states & {"blocking", "database"})
            print(path, len(lanes), sorted(tasks), said, trace.disjoint())


async def main() -> None:
    claims()
    virtual_time()
    await beats()
    await who_holds_the_loop()
    drawn = timeline(TRACE, guess=0.15, title="A title", badge="runs")
    print(drawn)
    print(len(drawn.html), hashlib.sha256(drawn.html.encode()).hexdigest())


if __name__ == "__main__":
    asyncio.run(main())
