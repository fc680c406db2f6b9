"""Who held the event loop, and when.

    async with LoopTrace() as trace:
        await asyncio.gather(*(order(i) for i in range(12)))
    trace.disjoint()                        # True: one at a time
    trace.busy, trace.idle                  # seconds of work, seconds with nothing to do

A task factory (public API) gives each new task a stand-in for its coroutine. The event loop
resumes a task by calling `send()`; the stand-in notes the time before and after. One such stretch
is a step. Between two steps the task waits, and `waiting_for` says for what.

`python -m bench.instruments.looptrace` prints what the recorder costs on this machine.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from bench.instruments.steps import WAITS, Span, Step, Stepper, blocking, waiting_for
from bench.traces.building import build_trace

__all__ = ["WAITS", "LoopTrace", "Step", "Wait", "blocking", "recorder_cost", "waiting_for"]


class Wait(NamedTuple):
    """Time in which a task did not hold the loop. Seconds from the start of the trace."""

    task: str
    begin: float
    end: float
    state: str
    label: str | None = None


class LoopTrace:
    """`async with LoopTrace() as trace:` records every task that is created inside.

    Tasks older than the trace are not seen. A notebook cell is such a task: create tasks in it
    (`gather`, `TaskGroup`, `create_task`). Tasks of FastAPI, Starlette and AnyIO are seen. On
    exit, also after an error, the loop is as it was before; tasks that still live go on
    unrecorded. Results may be read during and after the block. One trace per loop at a time, and
    one block per `LoopTrace`: anything else raises RuntimeError.

    "ready" is exact before the first step and after `sleep(0)`. In any other wait the answer may
    be there for a while before the loop comes back to the task; the wait lasts until it runs.
    """

    def __init__(self) -> None:
        self.recording = False
        self.thread = 0
        self.holder: Stepper | None = None
        self._tasks: list[Stepper] = []
        self._idle: list[tuple[float, float]] | None = None
        self._selector: Any = None  # the loop's own, which no type describes
        self._begin = self._end = 0.0

    async def __aenter__(self) -> LoopTrace:
        if self._begin:
            raise RuntimeError("This trace has its recording: make a new LoopTrace for each block.")
        self._loop = asyncio.get_running_loop()
        self._former = self._loop.get_task_factory()
        if isinstance(getattr(self._former, "__self__", None), LoopTrace):
            raise RuntimeError("Another LoopTrace records this event loop: use one at a time.")
        self._factory = self._new_task
        self.thread = threading.get_ident()
        self._watch_selector()
        self._loop.set_task_factory(self._factory)
        self._begin = time.perf_counter()
        self.recording = True
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._end = time.perf_counter()
        self.recording = False
        if self._loop.get_task_factory() is self._factory:  # else somebody replaced it meanwhile
            self._loop.set_task_factory(self._former)
        if self._idle is not None and vars(self._selector).get("select") is self._select:
            if self._former_select is None:
                del self._selector.select
            else:
                self._selector.select = self._former_select

    def _new_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> Any:
        if self.recording:
            coro = Stepper(coro, self)
            self._tasks.append(coro)
        if self._former is not None:
            return self._former(loop, coro, **options)
        return asyncio.Task(coro, loop=loop, **options)  # name, context, eager_start

    def _watch_selector(self) -> None:
        """Time `select()`, in which the loop has nothing to do. Some loops have no selector."""
        selector: Any = getattr(self._loop, "_selector", None)
        original: Any = getattr(selector, "select", None)
        idle: list[tuple[float, float]] = []

        def select(timeout: float | None = None) -> Any:
            begin = time.perf_counter()
            try:
                return original(timeout)
            finally:
                idle.append((begin, time.perf_counter()))

        try:
            self._former_select = vars(selector).get("select")
            selector.select = select
        except (AttributeError, TypeError):  # none there, or one that cannot be wrapped
            return
        self._selector, self._select, self._idle = selector, select, idle

    # ------------------------------------------------------------------ answers

    @property
    def duration(self) -> float:
        """Seconds from the start to the end of the block, or until now."""
        return (self._end or time.perf_counter()) - self._begin

    @property
    def began(self) -> float:
        """The start of the trace, as `time.perf_counter()` gave it."""
        return self._begin

    @property
    def steps(self) -> list[Step]:
        """Every step of every task, ordered by its end."""
        zero = self._begin
        steps = [
            Step(name, begin - zero, end - zero, then, label)
            for name, task in self._named().items()
            for begin, end, then, label in task.steps
        ]
        return sorted(steps, key=lambda step: step.end)

    def disjoint(self) -> bool:
        """Whether no two tasks held the loop at the same time, in all steps recorded."""
        steps = sorted((step.begin, step.end) for step in self.steps)
        return all(a[1] <= b[0] for a, b in pairwise(steps))

    @property
    def busy(self) -> float:
        """Seconds in which a recorded task held the loop."""
        return sum(step.end - step.begin for step in self.steps)

    @property
    def idle(self) -> float | None:
        """Seconds in which the loop had nothing to do; None if this loop cannot tell (uvloop).

        `busy + idle` is less than `duration`: the loop's own work and older tasks are neither.
        """
        if self._idle is None:
            return None
        first, last = self._begin, self._begin + self.duration
        return sum(max(0.0, min(end, last) - max(begin, first)) for begin, end in self._idle)

    def waits(self) -> list[Wait]:
        """Every wait between two steps of a task, and "ready" before its first; task by task."""
        return [
            Wait(name, begin, end, state, label)
            for name, task in self._named().items()
            for state, begin, end, label in self._spans(task)
            if state not in ("running", "blocking")
        ]

    def to_json(
        self,
        *,
        title: str,
        summary: str,
        lanes: Mapping[str, str] | str = "",
        about: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The trace as a dict in the trace format, checked; `json.dumps` takes it as it is.

        `lanes` selects tasks: by a prefix of their names ("guest"), or by a mapping from task
        name to lane name, in the order of the mapping. Without it every task is a lane, in the
        order of creation. Raises ValueError for a task that was not recorded.
        """
        tasks = self._named()
        wanted = lanes
        if isinstance(lanes, str):
            lanes = {name: name for name in tasks if name.startswith(lanes)}
        if not lanes or not tasks.keys() >= lanes.keys():
            raise ValueError(f"No recorded task is called {wanted!r}: there are {[*tasks][:20]}.")
        return build_trace(
            [(lane, self._spans(tasks[name])) for name, lane in lanes.items()],
            duration=self.duration,
            title=title,
            summary=summary,
            about=about,
        ).to_json()

    def _named(self) -> dict[str, Stepper]:
        """The tasks by name, in the order of creation; a second "order" is "order 2"."""
        named: dict[str, Stepper] = {}
        counts: Counter[str] = Counter()
        for task in self._tasks:
            name = task.name
            while name in named:
                counts[task.name] += 1
                name = f"{task.name} {counts[task.name] + 1}"
            named[name] = task
        return named

    def _spans(self, task: Stepper) -> list[Span]:
        zero = self._begin
        spans = task.spans(zero + self.duration)
        return [(state, a - zero, b - zero, label) for state, a, b, label in spans]


async def recorder_cost(steps: int = 20_000) -> tuple[float, float]:
    """(without, with) the recorder: CPU microseconds per step of a task that does nothing."""

    async def idle_steps() -> None:
        for _ in range(steps):
            await asyncio.sleep(0)

    async def cost() -> float:
        begin = time.thread_time()
        await asyncio.create_task(idle_steps())
        return (time.thread_time() - begin) / steps * 1e6

    plain = await cost()
    async with LoopTrace():
        return plain, await cost()


if __name__ == "__main__":
    print(
        "CPU microseconds per step: {:.2f} plain, {:.2f} recorded".format(
            *asyncio.run(recorder_cost())
        )
    )
