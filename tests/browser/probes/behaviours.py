"""Nineteen behaviours of Python and of this course's libraries, each as one short function.

The same file runs in CPython and, as a live cell, in a browser. Its answers are counts, values and
messages, never times, so they can be compared. PROBES are the ones that must be equal; IMPOSSIBLE
are those that a web page cannot do.

As a program it prints {name: answer} as one line of JSON.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import sqlite3
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiosqlite
import httpx
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse


class Inside:
    """Counts who is inside at the same time; each waits there until `expected` were."""

    def __init__(self, expected: int = 1) -> None:
        self.expected = expected
        self.now = self.most = 0

    def work(self) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(1000):
            time.sleep(0.01)
            if self.most >= self.expected:
                break
        self.now -= 1


class Ticks:
    """Counts how often the event loop comes round while the block runs."""

    async def __aenter__(self) -> Ticks:
        self.count = 0
        self.task = asyncio.create_task(self.tick())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.task.cancel()

    async def tick(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            self.count += 1


def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bistro")


# -- what must be equal ----------------------------------------------------------------------------


async def sleep_holds_the_loop() -> Any:
    async with Ticks() as ticks:
        before = ticks.count
        time.sleep(0.05)  # noqa: ASYNC251
        return ticks.count - before


async def blocking_coroutines_take_turns() -> Any:
    inside = Inside()

    async def order() -> None:
        inside.work()

    await asyncio.gather(*(order() for _ in range(5)))
    return inside.most


async def to_thread_leaves_the_loop_free() -> Any:
    inside = Inside(expected=4)
    async with Ticks() as ticks:
        await asyncio.gather(*(asyncio.to_thread(inside.work) for _ in range(4)))
        return inside.most, ticks.count > 0


async def executor_has_two_places() -> Any:
    inside, loop = Inside(expected=2), asyncio.get_running_loop()
    pool = ThreadPoolExecutor(2)
    await asyncio.gather(*(loop.run_in_executor(pool, inside.work) for _ in range(4)))
    pool.shutdown()
    return inside.most


async def def_routes_run_forty_at_a_time() -> Any:
    app, inside = FastAPI(), Inside(expected=40)

    @app.get("/menu")
    def menu() -> None:
        inside.work()

    async with client(app) as web:
        replies = await asyncio.gather(*(web.get("/menu") for _ in range(60)))
    return inside.most, {reply.status_code for reply in replies} == {200}


async def async_def_routes_with_sleep_run_one_at_a_time() -> Any:
    app, inside = FastAPI(), Inside()

    @app.get("/menu")
    async def menu() -> None:
        inside.work()

    async with client(app) as web:
        await asyncio.gather(*(web.get("/menu") for _ in range(20)))
    return inside.most


async def a_thread_outlives_whoever_waits_for_it() -> Any:
    done: list[str] = []

    def work() -> None:
        time.sleep(0.1)
        done.append("done")

    try:
        async with asyncio.timeout(0.02):
            await asyncio.to_thread(work)
    except TimeoutError:
        before = list(done)
    while not done:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    return before, done


async def a_thread_sees_the_context_and_another_ident() -> Any:
    guest = contextvars.ContextVar("guest", default="nobody")
    guest.set("Anna")
    here = threading.get_ident()
    return await asyncio.to_thread(lambda: (guest.get(), threading.get_ident() == here))


async def a_failing_task_cancels_its_group() -> Any:
    log: list[str] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise ValueError("no table")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(waits())
            group.create_task(fails())
    except* ValueError as several:
        log += [repr(one) for one in several.exceptions]
    return log


async def a_full_queue_makes_its_producer_wait() -> Any:
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    log: list[str] = []

    async def cook() -> None:
        for plate in range(4):
            await queue.put(plate)
            log.append(f"put {plate}")

    cooking = asyncio.create_task(cook())
    await asyncio.sleep(0.01)
    for _ in range(4):
        log.append(f"got {await queue.get()}")
    await cooking
    return log


async def fastapi_runs_what_surrounds_a_route() -> Any:
    app, log = FastAPI(), []

    def table() -> Iterator[int]:
        log.append("table taken")
        yield 5
        log.append("table free")

    @app.middleware("http")
    async def door(request: Any, go_on: Any) -> Any:
        log.append("in")
        reply = await go_on(request)
        log.append("out")
        return reply

    @app.get("/order")
    def order(later: BackgroundTasks, number: int = Depends(table)) -> int:
        later.add_task(log.append, "washed up")
        log.append("order")
        return number

    @app.get("/dishes")
    async def dishes() -> StreamingResponse:
        async def each() -> AsyncIterator[str]:
            for dish in ("soup", "fish"):
                await asyncio.sleep(0.001)
                yield dish

        return StreamingResponse(each())

    @app.get("/drinks")
    def drinks() -> StreamingResponse:
        return StreamingResponse(iter(["tea", "wine"]))

    async with client(app) as web:
        said = [(await web.get(path)).text for path in ("/order", "/dishes", "/drinks")]
        wrong = await web.get("/order", params={"number": 1})
    return said, wrong.status_code, log


async def a_deadline_cancels_a_request() -> Any:
    app, log = FastAPI(), []

    @app.get("/slow")
    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            log.append("left")

    async with client(app) as web:
        try:
            async with asyncio.timeout(0.05):
                await web.get("/slow")
        except TimeoutError as error:
            log.append(repr(error))
    return log


async def aiosqlite_leaves_the_loop_free() -> Any:
    async with aiosqlite.connect(":memory:") as one, aiosqlite.connect(":memory:") as other:
        inside = Inside()
        for database in (one, other):
            await database.create_function("slow", 0, lambda: inside.work())
        async with Ticks() as ticks:
            await asyncio.gather(*(one.execute_fetchall("select slow()") for _ in range(3)))
            alone, ticked = inside.most, ticks.count > 0
        inside.expected = 2
        await asyncio.gather(*(db.execute_fetchall("select slow()") for db in (one, other)))
        await one.execute("create table plates (n)")
        await one.executemany("insert into plates values (?)", [(n,) for n in range(3)])
        rows = await one.execute_fetchall("select sum(n) from plates")
        try:
            await one.execute("select * from desserts")
        except sqlite3.OperationalError as error:
            said = str(error)
    return ticked, alone, inside.most, list(rows), said


async def a_locked_database_gives_up_after_its_timeout() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        one, other = (
            sqlite3.connect(f"{folder}/bistro.db", timeout=0.1, isolation_level=None)
            for _ in range(2)
        )
        one.execute("begin exclusive")
        began = time.perf_counter()
        try:
            other.execute("create table plates (n)")
            said = "no lock"
        except sqlite3.OperationalError as error:
            said = str(error)
        waited = time.perf_counter() - began
        one.close()
        other.close()
    return said, waited > 0.08


async def run_refuses_inside_a_running_loop() -> Any:
    waiting = asyncio.sleep(0)
    try:
        asyncio.run(waiting)
    finally:
        waiting.close()


PROBES: tuple[Callable[[], Coroutine[Any, Any, Any]], ...] = (
    sleep_holds_the_loop,
    blocking_coroutines_take_turns,
    to_thread_leaves_the_loop_free,
    executor_has_two_places,
    def_routes_run_forty_at_a_time,
    async_def_routes_with_sleep_run_one_at_a_time,
    a_thread_outlives_whoever_waits_for_it,
    a_thread_sees_the_context_and_another_ident,
    a_failing_task_cancels_its_group,
    a_full_queue_makes_its_producer_wait,
    fastapi_runs_what_surrounds_a_route,
    a_deadline_cancels_a_request,
    aiosqlite_leaves_the_loop_free,
    a_locked_database_gives_up_after_its_timeout,
    run_refuses_inside_a_running_loop,
)


# -- what a web page cannot do ---------------------------------------------------------------------


async def a_raw_thread() -> Any:
    log: list[str] = []
    thread = threading.Thread(target=log.append, args=("ran",))
    thread.start()
    thread.join()
    return log


async def a_job_for_an_executor() -> Any:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: "ran").result()


async def the_test_client() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have httpx2
        from fastapi.testclient import TestClient

        app = FastAPI()
        return TestClient(app).get("/nothing").status_code


async def a_server() -> Any:
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(FastAPI(), port=0, log_level="critical"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    server.should_exit = True
    await serving
    return "served"


IMPOSSIBLE = (a_raw_thread, a_job_for_an_executor, the_test_client, a_server)


async def answers() -> dict[str, str]:
    """{name: answer}; of an exception, its class and its words."""
    found = {}
    for probe in (*PROBES, *IMPOSSIBLE):
        try:
            found[probe.__name__] = repr(await probe())
        except Exception as error:
            found[probe.__name__] = f"{type(error).__name__}: {error}"
    return found


async def main() -> None:
    print(json.dumps(await answers()))


if __name__ == "__main__":
    asyncio.run(main())
