"""The recorder, the trace format, and the helper that joins client times with server spans."""

from __future__ import annotations

import asyncio
import copy
import json
import math
import sys
import threading
import time

import httpx
import nbclient
import nbformat
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from starlette.middleware.base import BaseHTTPMiddleware

from bench.instruments.looptrace import LoopTrace, blocking, recorder_cost, waiting_for
from bench.instruments.steps import Stepper, overlay
from bench.traces.building import requests_to_trace
from bench.traces.trace import Trace, TraceError, check_trace

TEXT = {"title": "Twelve orders", "summary": "Four windows serve twelve orders in three waves."}


class Pool:
    """`size` connections; a lease may have to wait, as in asyncpg."""

    def __init__(self, size: int) -> None:
        self._free = asyncio.Semaphore(size)

    async def query(self, until: asyncio.Event) -> None:
        with waiting_for("pool", "acquire"):
            await self._free.acquire()
        try:
            with waiting_for("database"):
                await until.wait()
        finally:
            self._free.release()


def record_pool(orders: int = 12, size: int = 4) -> LoopTrace:
    async def main() -> LoopTrace:
        pool, gate = Pool(size), asyncio.Event()
        async with LoopTrace() as trace:
            tasks = [
                asyncio.create_task(pool.query(gate), name=f"order {i}")
                for i in range(1, orders + 1)
            ]
            for _ in range(5):
                await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(*tasks)
        return trace

    return asyncio.run(main())


def test_exactly_the_orders_beyond_the_pool_size_wait_for_the_pool():
    trace = record_pool(12, 4)
    assert {s.task for s in trace.steps if s.then == "pool"} == {f"order {i}" for i in range(5, 13)}
    assert [w.label for w in trace.waits() if w.state == "pool"] == ["acquire"] * 8
    assert sum(s.then == "done" for s in trace.steps) == 12


def test_steps_are_disjoint_in_every_run():
    for _ in range(20):
        trace = record_pool()
        assert trace.disjoint()
        assert 0 < trace.busy < trace.duration


def test_disjoint_sees_two_tasks_that_hold_the_loop_together():
    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
        return trace

    trace = asyncio.run(main())
    begin, end, then, label = trace._tasks[0].steps[0]
    trace._tasks[1].steps[0] = ((begin + end) / 2, end + 1, then, label)
    assert not trace.disjoint()


def test_times_are_relative_to_the_start_and_ordered():
    trace = record_pool()
    assert all(0 <= s.begin <= s.end <= trace.duration for s in trace.steps)
    assert [s.end for s in trace.steps] == sorted(s.end for s in trace.steps)


def test_idle_is_the_time_in_the_selector():
    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.create_task(asyncio.sleep(0.05))
        return trace

    trace = asyncio.run(main())
    assert trace.idle > 0.04  # it slept at least as long as it was told, in select()
    assert trace.busy + trace.idle <= trace.duration


def test_a_loop_without_a_selector_is_recorded_without_idle_time():
    class Bare(asyncio.SelectorEventLoop):
        """Its selector lives under another name for all who look from outside."""

        def __getattribute__(self, name: str) -> object:
            if name == "_selector" and sys._getframe(1).f_code.co_name == "_watch_selector":
                raise AttributeError(name)
            return super().__getattribute__(name)

    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.create_task(asyncio.sleep(0))
        return trace

    loop = Bare()
    try:
        trace = loop.run_until_complete(main())
    finally:
        loop.close()
    assert trace.idle is None
    assert len(trace.steps) == 2


def test_everything_is_restored_even_after_an_error():
    async def fail_inside(trace: LoopTrace) -> None:
        before = asyncio.get_running_loop().get_task_factory()
        async with trace:
            assert asyncio.get_running_loop().get_task_factory() is not before
            assert "select" in vars(asyncio.get_running_loop()._selector)
            raise ZeroDivisionError

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def former(loop: asyncio.AbstractEventLoop, coro: object, **options: object):
            return asyncio.Task(coro, loop=loop, **options)

        for factory in (None, former):
            loop.set_task_factory(factory)
            trace = LoopTrace()
            with pytest.raises(ZeroDivisionError):
                await fail_inside(trace)
            assert trace.duration > 0
            assert loop.get_task_factory() is factory
            assert "select" not in vars(loop._selector)

    asyncio.run(main())


def test_a_selector_somebody_else_wrapped_is_left_as_it_was():
    async def main() -> None:
        selector = asyncio.get_running_loop()._selector
        mine = selector.select
        selector.select = mine
        async with LoopTrace() as trace:
            await asyncio.create_task(asyncio.sleep(0))
        assert vars(selector)["select"] is mine
        assert trace.idle is not None

    asyncio.run(main())


def test_a_task_that_outlives_the_trace_goes_on_unrecorded():
    async def main() -> None:
        gate = asyncio.Event()
        async with LoopTrace() as trace:
            task = asyncio.create_task(gate.wait(), name="late")
            await asyncio.sleep(0)
        gate.set()
        assert await task is True
        assert len(trace.steps) == 1
        [lane] = trace.to_json(**TEXT)["lanes"]
        assert lane["spans"][-1]["state"] == "waiting"
        assert math.isclose(lane["spans"][-1]["to"], trace.duration, abs_tol=1e-6)

    asyncio.run(main())


def test_a_trace_records_once_and_alone():
    async def main() -> None:
        async with LoopTrace() as trace:
            with pytest.raises(RuntimeError, match="one at a time"):
                async with LoopTrace():
                    pass
        with pytest.raises(RuntimeError, match="new LoopTrace"):
            async with trace:
                pass

    asyncio.run(main())


def test_results_errors_and_cancellation_pass_through():
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("burnt")

    async def stubborn() -> str:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            return "closed the kitchen"
        return "never"

    async def main() -> None:
        async with LoopTrace() as trace:
            failing, stubborn_task = asyncio.create_task(fail()), asyncio.create_task(stubborn())
            with pytest.raises(KeyError, match="burnt"):
                await failing
            stubborn_task.cancel()
            assert await stubborn_task == "closed the kitchen"
        assert sorted(s.task for s in trace.steps if s.then == "done") == ["fail", "stubborn"]

    asyncio.run(main())


def test_blocking_is_declared_and_work_is_not_blocking():
    async def holds_the_loop() -> None:
        with blocking("select 1"):
            threading.Event().wait(0.01)  # stands for a synchronous query
        await asyncio.sleep(0)

    async def works() -> None:
        end = time.thread_time() + 0.01
        while time.thread_time() < end:
            pass

    async def main() -> dict:
        async with LoopTrace() as trace:
            await asyncio.gather(holds_the_loop(), works())
        return trace.to_json(**TEXT)

    lanes = {lane["name"]: lane["spans"] for lane in asyncio.run(main())["lanes"]}
    blocked = [s for s in lanes["holds_the_loop"] if s["state"] == "blocking"]
    assert [s["label"] for s in blocked] == ["select 1"]
    assert blocked[0]["to"] - blocked[0]["from"] >= 0.0095
    assert {s["state"] for s in lanes["works"]} == {"ready", "running"}
    # the other task could run all the while, and did not
    ready = lanes["works"][0]
    assert ready["state"] == "ready"
    assert ready["from"] <= blocked[0]["from"] < blocked[0]["to"] <= ready["to"]


def test_an_awaiting_block_that_claims_to_block_is_not_blocking():
    async def wrong() -> None:
        with blocking("not true"), waiting_for("database"):
            await asyncio.sleep(0.01)

    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.create_task(wrong())
        return trace

    trace = asyncio.run(main())
    assert [w.state for w in trace.waits()] == ["ready", "database"]


def test_labels_do_not_leak_into_child_tasks():
    async def child() -> None:
        await asyncio.sleep(0.001)

    async def parent() -> None:
        with waiting_for("pool"):
            await asyncio.create_task(child())

    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.create_task(parent())
        return trace

    waits = asyncio.run(main()).waits()
    assert [w.state for w in waits if w.task == "parent"] == ["ready", "pool"]
    assert [w.state for w in waits if w.task == "child"] == ["ready", "waiting"]


def test_each_wait_has_the_label_of_its_own_block():
    async def nested() -> None:
        with waiting_for("database"):
            await asyncio.sleep(0.001)

    async def order() -> None:
        with waiting_for("pool", "acquire"):
            await asyncio.sleep(0.001)
            with waiting_for("database", "select 1"):
                await asyncio.sleep(0.001)
            await asyncio.create_task(nested(), name="nested")
        await asyncio.sleep(0.001)
        with waiting_for("thread"):
            await asyncio.sleep(0)  # lets go, but waits for nothing

    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            await asyncio.create_task(order(), name="order")
        return trace

    trace = asyncio.run(main())
    assert [(s.then, s.label) for s in trace.steps if s.task == "order"] == [
        ("pool", "acquire"),
        ("database", "select 1"),
        ("pool", "acquire"),
        ("waiting", None),
        ("ready", None),
        ("done", None),
    ]
    assert [s.then for s in trace.steps if s.task == "nested"] == ["database", "done"]


def test_waiting_for_refuses_a_word_that_is_no_state():
    with pytest.raises(ValueError, match="databse"), waiting_for("databse"):
        pass


def test_waiting_for_does_nothing_without_a_trace():
    with waiting_for("pool"), blocking("select 1"):
        result = 42
    assert result == 42


def test_steps_of_eager_and_nested_tasks_are_disjoint():
    async def child() -> None:
        await asyncio.sleep(0)

    def eager(loop: asyncio.AbstractEventLoop, coro: Stepper, **options: object) -> asyncio.Task:
        """What an eager factory does on 3.12: the first step runs inside `create_task`."""
        nested = Stepper(child(), coro.trace)
        coro.trace._tasks.append(nested)
        nested.send(None)
        nested.close()
        return asyncio.Task(coro, loop=loop, **options)

    async def parent() -> None:
        await asyncio.create_task(child(), name="second")

    async def main() -> LoopTrace:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(getattr(asyncio, "eager_task_factory", eager))
        async with LoopTrace() as trace:
            await asyncio.create_task(parent(), name="parent")
        loop.set_task_factory(None)
        return trace

    trace = asyncio.run(main())
    assert trace.disjoint()
    assert "running" in [s.then for s in trace.steps if s.task == "parent"]
    trace.to_json(**TEXT)


def test_names_are_unique_and_lanes_can_be_chosen_and_renamed():
    async def order() -> None:
        await asyncio.sleep(0)

    async def main() -> LoopTrace:
        async with LoopTrace() as trace:
            named = asyncio.create_task(order(), name="guest 7")
            await asyncio.gather(order(), order(), named)
        return trace

    trace = asyncio.run(main())

    def lanes(**options: object) -> list[str]:
        return [lane["name"] for lane in trace.to_json(**TEXT, **options)["lanes"]]

    assert lanes() == ["guest 7", "order", "order 2"]
    assert lanes(lanes="guest") == ["guest 7"]
    assert lanes(lanes={"order 2": "second", "order": "first"}) == ["second", "first"]
    with pytest.raises(ValueError, match="order 9"):
        lanes(lanes={"order 9": "x"})
    with pytest.raises(ValueError, match="waiter"):
        lanes(lanes="waiter")


def test_an_application_of_fastapi_is_recorded():
    app = FastAPI()

    async def shout(request, call_next):
        response = await call_next(request)
        response.headers["x-seen"] = "yes"
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=shout)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts():
            for part in (b"one ", b"two"):
                yield part
                await asyncio.sleep(0)

        return StreamingResponse(parts())

    @app.get("/thread")
    def in_a_thread() -> int:
        with blocking("select 1"):
            return threading.get_ident()

    async def main() -> LoopTrace:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            async with LoopTrace() as trace:
                streamed, threaded = await asyncio.gather(
                    client.get("/stream"), client.get("/thread")
                )
            assert streamed.text == "one two"
            assert streamed.headers["x-seen"] == "yes"
            assert threaded.json() != threading.get_ident()
        return trace

    trace = asyncio.run(main())
    assert trace.disjoint()
    assert len({s.task for s in trace.steps}) > 4  # the two requests and AnyIO's own tasks
    assert "database" in {w.state for w in trace.waits()}  # the thread's wait, not "blocking"
    states = {s["state"] for lane in trace.to_json(**TEXT)["lanes"] for s in lane["spans"]}
    assert "blocking" not in states


def test_in_a_notebook_the_tasks_of_a_cell_are_recorded():
    cell = nbformat.v4.new_code_cell(
        "import asyncio\n"
        "from bench.instruments.looptrace import LoopTrace\n"
        "async with LoopTrace() as trace:\n"
        "    await asyncio.gather(asyncio.sleep(0.01), asyncio.sleep(0.01))\n"
        "print(trace.disjoint(), trace.idle > 0, sorted({s.task for s in trace.steps}))\n"
        "print(asyncio.get_running_loop().get_task_factory())"
    )
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "".join(o.text for o in cell.outputs) == "True True ['sleep', 'sleep 2']\nNone\n"


def test_the_recorder_reports_its_cost():
    plain, recorded = asyncio.run(recorder_cost(500))
    assert plain > 0
    assert recorded > 0


def test_overlay_cuts_a_span():
    declared = [("database", 2.0, 4.0, "q"), ("thread", 3.0, 3.5, None), ("pool", 9.0, 11.0, None)]
    assert list(overlay(("waiting", 1.0, 10.0, None), declared)) == [
        ("waiting", 1.0, 2.0, None),
        ("database", 2.0, 4.0, "q"),
        ("waiting", 4.0, 9.0, None),
        ("pool", 9.0, 10.0, None),
    ]


# ---------------------------------------------------------------------- the format

GOOD = {
    "schema": "async-course/trace/1",
    "title": "t",
    "summary": "s",
    "source": "simulated",
    "about": {"python": "3.11"},
    "duration": 2,
    "lanes": [
        {
            "name": "guest 1",
            "spans": [
                {"state": "ready", "from": 0, "to": 1},
                {"state": "blocking", "from": 1, "to": 2, "label": "select 1"},
            ],
        },
        {"name": "guest 2", "spans": []},
    ],
}


def test_a_recorded_trace_is_json_and_follows_the_format():
    trace = json.loads(json.dumps(record_pool().to_json(**TEXT, about={"orders": 12})))
    check_trace(trace)
    assert len(trace["lanes"]) == 12
    for lane in trace["lanes"]:
        assert lane["spans"][0]["state"] == "ready"
        assert lane["spans"][-1]["state"] == "running"
        ends = [s["to"] for s in lane["spans"]]
        assert ends[:-1] == [s["from"] for s in lane["spans"][1:]]  # no gap in a life


def test_a_good_trace_is_accepted_and_written_as_it_was_read():
    trace = check_trace(GOOD)
    assert json.dumps(trace.to_json()) == json.dumps(GOOD)
    assert check_trace(trace) is trace
    [first, second] = trace.lanes
    assert [(span.state, span.begin, span.end, span.label) for span in first.spans] == [
        ("ready", 0, 1, None),
        ("blocking", 1, 2, "select 1"),
    ]
    assert (first.end, second.end) == (2, 0)


def test_the_format_can_be_told_as_a_json_schema():
    assert set(Trace.model_json_schema()["required"]) == set(GOOD)


def spoilt(path: str, value: object) -> dict:
    trace = copy.deepcopy(GOOD)
    *steps, last = path.split(".")
    place = trace
    for step in steps:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key = int(last) if isinstance(place, list) else last
    if value is None:
        del place[key]
    else:
        place[key] = value
    return trace


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("schema", "async-course/trace/2", r"^\$\.schema: .* is not one of 'async-course/trace/1'"),
        ("summary", None, r"^\$: 'summary' is missing"),
        ("source", "imagined", "'imagined' is not one of"),
        ("duration", 0, r"^\$\.duration: must be above 0"),
        ("duration", math.nan, "finite"),
        ("duration", "2", r"^\$\.duration: '2' is not a number"),
        ("lanes", [], r"^\$\.lanes: .* at least 1 item"),
        ("colour", "red", "'colour' is unknown"),
        ("lanes.0.spans.0.state", "sleeping", "'sleeping' is not one of"),
        ("lanes.0.spans.0.from", -1, r"^\$\.lanes\[0\]\.spans\[0\]\.from: -1 is before the start"),
        ("lanes.0.spans.0.from", math.nan, "finite"),
        ("lanes.0.spans.0.to", 1.5, r"^\$\.lanes\[0\]\.spans\[1\]: .* the last one ends at 1.5"),
        ("lanes.0.spans.1.from", 2, "ends at 2, but begins at 2"),
        ("lanes.0.spans.1.to", 3, r"^\$\.lanes\[0\]\.spans: .* after the duration 2"),
        ("lanes.0.spans.1.label", 7, r"spans\[1\]\.label: 7 is not a string"),
        ("lanes.1.name", "guest 1", r"^\$\.lanes\[1\]: a second lane is called 'guest 1'"),
    ],
)
def test_a_bad_trace_is_refused_with_the_reason(path: str, value: object, reason: str):
    with pytest.raises(TraceError, match=reason):
        check_trace(spoilt(path, value))


# ---------------------------------------------------------------------- two sides


def test_client_times_and_server_spans_become_one_trace():
    trace = requests_to_trace(
        [
            ("guest 1", 100.0, 100.3, [("blocking", 100.1, 100.2)]),
            ("guest 2", 100.1, 100.5, [("blocking", 100.4, 100.6), ("running", 100.0, 100.15)]),
            ("guest 3", 100.1, 100.2, []),
        ],
        **TEXT,
    ).to_json()
    assert trace["duration"] == 0.5
    assert [
        [(s["state"], s["from"], s["to"]) for s in lane["spans"]] for lane in trace["lanes"]
    ] == [
        [("ready", 0, 0.1), ("blocking", 0.1, 0.2), ("ready", 0.2, 0.3)],
        [("running", 0.1, 0.15), ("ready", 0.15, 0.4), ("blocking", 0.4, 0.5)],
        [("ready", 0.1, 0.2)],
    ]


def test_the_gaps_of_a_def_handler_are_waits_for_a_thread():
    trace = requests_to_trace(
        [("a", 0.0, 1.0, [("database", 0.4, 0.9)])], gaps="thread", **TEXT
    ).to_json()
    assert [s["state"] for s in trace["lanes"][0]["spans"]] == ["thread", "database", "thread"]


@pytest.mark.parametrize(
    ("requests", "reason"),
    [
        ([], "no requests"),
        ([("a", 1.0, 1.0, [])], "done at 1.0, but sent at 1.0"),
        ([("a", 0.0, math.nan, [])], "finite"),
        ([("a", 0.0, 1.0, [("database", math.inf, 1.0)])], "finite"),
        (
            [("a", 0.0, 9.0, [("database", 2.0, 5.0), ("pool", 3.0, 4.0)])],
            "before the last one ends",
        ),
        ([("a", 0.0, 9.0, [("database", 5.0, 4.0)])], "ends before it begins"),
        ([("a", 0.0, 9.0, [("dreaming", 3.0, 4.0)])], "'dreaming' is not one of"),
        ([("a", 0.0, 9.0, []), ("a", 0.0, 8.0, [])], "second lane"),
    ],
)
def test_requests_that_cannot_be_are_refused(requests: list, reason: str):
    with pytest.raises(TraceError, match=reason):
        requests_to_trace(requests, **TEXT)
