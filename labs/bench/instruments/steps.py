"""The stand-in for a coroutine that notes when it holds the event loop; the part of `looptrace`
that runs inside every task. `waiting_for` and `blocking` tell it what the task is about to do."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

WAITS = ("database", "pool", "thread", "waiting")
"""What a task may declare to wait for. The other states follow from what it does."""

Span = tuple[str, float, float, str | None]
"""(state, from, to, label)"""

_current: ContextVar[Stepper | None] = ContextVar("looptrace_current", default=None)


class Step(NamedTuple):
    """One stretch in which a task held the event loop. Seconds from the start of the trace.

    `then` is what came next: "done", "ready" (it let go, but could run at once), one of `WAITS`,
    or "running" (an eager task began inside this step; the rest follows as a step of its own).
    """

    task: str
    begin: float
    end: float
    then: str
    label: str | None = None


class Recorder(Protocol):
    """What a stepper needs to know about the trace it belongs to."""

    recording: bool
    thread: int
    holder: Stepper | None


class Stepper:
    """A coroutine to asyncio: `send`, `throw`, `close`, `__await__`; the rest is passed through
    (AnyIO asks for `cr_frame` and `cr_running`)."""

    def __init__(self, coro: Any, trace: Recorder) -> None:
        self.coro = coro
        self.trace = trace
        self.name = _short(getattr(coro, "__qualname__", "task"))
        self.born = time.perf_counter()
        self.since = self.born
        self.steps: list[tuple[float, float, str, str | None]] = []
        self.declared: list[Span] = []
        self.waits: list[tuple[str, str | None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.coro, name)

    def __await__(self) -> Stepper:
        return self

    def __iter__(self) -> Stepper:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def close(self) -> None:
        self.coro.close()

    def send(self, value: Any) -> Any:
        return self._step(self.coro.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self.coro.throw, *error)

    def _step(self, resume: Any, *args: Any) -> Any:
        trace = self.trace
        if not trace.recording:
            return resume(*args)
        if not self.steps:
            self._ask_for_name()  # only now: before 3.13.3 a task is named after it is made
        _current.set(self)
        outer, trace.holder = trace.holder, self
        self.since = time.perf_counter()
        if outer is not None:  # an eager task: it takes the loop out of the hands of its maker
            outer.steps.append((outer.since, self.since, "running", None))
        then, label = "done", None
        try:
            future = resume(*args)
            if future is None:  # a bare yield, as in sleep(0)
                then = "ready"
            else:
                then, label = self.waits[-1] if self.waits else ("waiting", None)
            return future
        finally:
            end = time.perf_counter()
            trace.holder = outer
            if trace.recording:
                self.steps.append((self.since, end, then, label))
            if outer is not None:
                outer.since = end
            if then == "done":
                self._ask_for_name()

    def _ask_for_name(self) -> None:
        task = asyncio.current_task()
        name = task.get_name() if task is not None else ""
        if name and name != "None" and not name.startswith("Task-"):  # 3.13.0 names eager ones None
            self.name = _short(name)

    def spans(self, stop: float) -> Iterable[Span]:
        """The life of the task up to `stop`, without gaps. Clock: perf_counter."""
        held = [span for span in self.declared if span[0] == "blocking"]
        elsewhere = [span for span in self.declared if span[0] != "blocking"]
        at, state, label = self.born, "ready", None
        for begin, end, then, then_label in self.steps:
            if begin > at and state != "running":
                yield from overlay((state, at, begin, label), elsewhere)
            yield from overlay(("running", begin, end, None), held)
            # Between the two halves of a step stands an eager task: the maker could run.
            at, state, label = end, then, then_label
            if then == "running":
                state, label = "ready", "an eager task runs"
        if state != "done" and at < stop:
            yield from overlay((state, at, stop, label), elsewhere)


def overlay(span: Span, declared: Iterable[Span]) -> Iterable[Span]:
    """Cut `span` where a declared one covers it. Of nested declared ones the outer one counts."""
    state, at, end, label = span
    for name, a, b, text in sorted(declared, key=lambda other: (other[1], -other[2])):
        a, b = max(a, at), min(b, end)
        if a < b:
            if at < a:
                yield state, at, a, label
            yield name, a, b, text
            at = b
    if at < end:
        yield state, at, end, label


@contextmanager
def waiting_for(state: str, label: str | None = None) -> Iterator[None]:
    """Name what the current task waits for: `with waiting_for("pool"): await pool.acquire()`.

    `state` is one of `WAITS`, `label` says more ("acquire"). Blocks may be nested; the inner one
    counts. Inside a thread that a recorded task waits for, the block itself is the wait.
    Costs next to nothing and does nothing when no trace records the task.
    """
    if state not in WAITS:
        raise ValueError(f"A task cannot wait for {state!r}: use one of {', '.join(WAITS)}.")
    task = _current.get()
    if task is None or not task.trace.recording:
        yield
    elif threading.get_ident() != task.trace.thread:
        begin = time.perf_counter()
        try:
            yield
        finally:
            task.declared.append((state, begin, time.perf_counter(), label))
    else:
        entry = (state, label)
        task.waits.append(entry)
        try:
            yield
        finally:
            task.waits.remove(entry)


@contextmanager
def blocking(label: str, state: str = "database") -> Iterator[None]:
    """Declare a call that waits without `await`: `with blocking("select …"): cursor.execute(…)`.

    On the event loop's thread the time inside the block in which the task held the loop becomes
    "blocking". Inside a worker thread the loop is free, so the same block becomes `state`.
    Nothing is guessed from how long a step takes: work is not waiting.
    """
    task = _current.get()
    if task is None or not task.trace.recording:
        yield
    elif threading.get_ident() != task.trace.thread:
        with waiting_for(state, label):
            yield
    else:
        begin = time.perf_counter()
        try:
            yield
        finally:
            task.declared.append(("blocking", begin, time.perf_counter(), label))


def _short(name: str) -> str:
    """`app.Kitchen.cook.<locals>.order` is "order"."""
    return name.rsplit(".", 1)[-1] if " " not in name else name
