"""The checks of lab 7, in the order in which a learner meets them. The first that fails is shown.

No check measures a time. From the second check on, the submitted file sees a clock that moves only
when somebody waits: in `select`, or, as a mistake, in `time.sleep`. So every moment is exact, and
a loop that never waits is counted. The wall clock is set back by an hour meanwhile.

Nothing here needs more than the standard library, so the page in a browser runs these checks, too.
"""

from __future__ import annotations

import importlib.util
import linecache
import math
import os
import re
import selectors
import socket
import time
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from bench.instruments.loop_rules import LOOP_RULES, broken_rules, pair
from bench.practice.raised_code import CodeRaised

FILE = Path(os.environ["LAB_FILE"])
LOOK = 0.0001  # seconds on the checks' clock that a question takes which does not wait
MANY = 10_000  # questions, more than any check needs
HOUR = 3600.0
SET_BACK = 0.05  # seconds after which somebody sets the computer's clock back
SOCKET = re.compile(r"<.*> \(FD \d+\)")
BIG = 2**22  # bytes, more than a socket holds


# -- the checks ------------------------------------------------------------------------------------


def test_the_loop_keeps_its_rules() -> None:
    """The loop keeps the eighteen rules of the lesson"""
    loop = load()
    names = {name: getattr(loop, name) for name in ("run", "join", "turn", "recv", "send")}
    broken = broken_rules(SimpleNamespace(spawn=loop.Task, **names))
    assert not broken, (
        f"Broken rules: {len(broken)} of {len(LOOP_RULES)}. The first is: “{broken[0]}.” "
        "asyncio keeps them all, and so did the starter."
    )


def test_sleepers_wake_in_the_order_of_their_moments() -> None:
    """Sleepers wake in the order of their moments"""
    wishes = {"Ann": 0.3, "Bo": 0.1, "Cy": 0.2, "Dee": 0.1, "Eve": 0}
    woken: dict[str, float] = {}
    with clocked() as (loop, clock):

        async def guest(name: str, seconds: float) -> None:
            await loop.sleep(seconds)
            woken[name] = clock.passed

        async def main() -> None:
            for task in [loop.Task(guest(*wish)) for wish in wishes.items()]:
                await loop.join(task)

        played(
            loop,
            main(),
            TypeError="Bo and Dee wake at the same moment, and your loop has to put one of them "
            "first. How can it compare them",
        )
    assert clock.passed < HOUR, (
        "While the guests slept, somebody set the computer's clock back by an hour, and they slept "
        "an hour longer. `time.monotonic()` does not know that clock."
    )
    assert list(woken) == ["Eve", "Bo", "Dee", "Cy", "Ann"], (
        f"{wishes} are the seconds that the guests sleep, all at the same time. They wake in the "
        f"order {', '.join(woken)}, and the last one after {clock.passed:.1f} s."
    )
    early = [name for name, moment in woken.items() if moment < wishes[name]]
    assert not early, f"{', '.join(early)} woke before the time. A sleeper must not be early."
    assert clock.passed < 0.4, (
        f"The longest sleep is 0.3 s, and it all took {clock.passed:.1f} s. Sleeps that start "
        "together must overlap."
    )


def test_who_is_ready_waits_for_no_sleeper() -> None:
    """Who is ready waits for no sleeper, and a sleep of 0 lets others run"""
    seen: list[str] = []
    with clocked() as (loop, clock):

        async def other(name: str) -> None:
            seen.append(name)

        async def walk() -> None:
            for _ in range(10):
                await loop.turn()

        async def main() -> tuple[float, list[bool]]:
            sleeper = loop.Task(loop.sleep(0.3))
            await loop.join(loop.Task(walk()))
            walked = clock.passed
            ran = []
            for seconds in (0, -1):
                task = loop.Task(other(f"beside sleep({seconds})"))
                await loop.sleep(seconds)
                ran.append(task.done)
            slept = clock.passed
            await loop.join(sleeper)
            return walked, ran, slept

        walked, ran, slept = played(loop, main())
    assert walked < 0.2, (
        f"One task sleeps for 0.3 s. Another one is ready all the time, and its ten turns are over "
        f"after {walked:.2f} s. While somebody is ready, the loop asks without waiting."
    )
    assert slept < 0.2, (
        f"`sleep(0)` and `sleep(-1)` took {slept - walked:.1f} s. They end in the task's next turn."
    )
    for seconds, others_ran in zip((0, -1), ran, strict=True):
        assert others_ran, (
            f"Another task was ready, and `sleep({seconds})` went on without giving it a turn. The "
            "task goes on in its next turn, not in this one. A loop of such sleeps would hold the "
            "only thread."
        )


def test_the_loop_waits_in_the_operating_system() -> None:
    """While all wait, the loop waits too, and a socket can wake it"""
    woken: dict[str, float] = {}
    with clocked() as (loop, clock), pair() as (here, there):
        clock.arrivals.append((clock.now + 0.05, there, b"soup"))

        async def reader() -> None:
            await loop.recv(here, 4)
            woken["reader"] = clock.passed

        async def sleeper() -> None:
            await loop.sleep(0.2)
            woken["sleeper"] = clock.passed

        async def main() -> None:
            for task in [loop.Task(reader()), loop.Task(sleeper())]:
                await loop.join(task)

        played(loop, main())
    assert clock.questions <= 20, (
        f"Two tasks wait, for a socket and for 0.2 s. Your loop asks the operating system "
        f"{clock.questions} times meanwhile, and keeps a core busy. One question can wait for both."
    )
    assert woken["reader"] < 0.1, (
        f"The bytes came after 0.05 s, and the task that waits for them goes on after "
        f"{woken['reader']:.2f} s: when the sleeper wakes. Until then the loop was deaf."
    )
    with clocked() as (loop, clock):
        played(loop, loop.sleep(60))
    assert clock.waits <= 3, (
        f"One task sleeps for a minute, and there is nobody else. Your loop waits {clock.waits} "
        "times, and finds nothing to do. One question can last until the next sleeper is due."
    )


def test_a_timeout_ends_a_wait() -> None:
    """A timeout ends a wait, inside and outside"""
    heard: list[tuple[str, float]] = []
    tidied: list[float] = []
    own = TimeoutError("the oven")
    with clocked() as (loop, clock):

        async def cook(seconds: float) -> str:
            try:
                await loop.sleep(seconds)
            except TimeoutError:
                heard.append(("inside", clock.passed))
                raise
            return "soup"

        async def burn() -> None:
            await loop.sleep(0.1)
            raise ValueError("burnt")

        async def oven() -> None:
            await loop.sleep(0.1)
            raise own

        async def stubborn() -> str:
            try:
                await loop.sleep(5)
            except TimeoutError:
                return "bread"
            return "soup"

        async def tidy() -> None:
            try:
                await loop.sleep(5)
            finally:
                await loop.sleep(0.1)
                tidied.append(clock.passed)

        async def main() -> tuple[Any, ...]:
            in_time = await loop.timeout(100, cook(0.1))
            try:
                await loop.timeout(100, burn())
            except ValueError as error:
                passed_on = str(error)
            came: object = "nothing"
            try:
                await loop.timeout(100, oven())
            except TimeoutError as error:
                came = error
            start = clock.passed
            try:
                await loop.timeout(0.2, cook(5))
            except TimeoutError:
                heard.append(("outside", clock.passed))
            await loop.sleep(1)
            served = "TimeoutError"
            with suppress(TimeoutError):
                served = await loop.timeout(0.2, stubborn())
            with suppress(TimeoutError):
                await loop.timeout(0.2, tidy())
            await loop.sleep(2)
            return in_time, passed_on, came, start, served

        in_time, passed_on, came, start, served = played(loop, main())
    assert (in_time, passed_on) == ("soup", "burnt"), (
        "Who is in time must not notice the timeout: its result and its error are passed on. "
        f"Here they were {in_time!r} and {passed_on!r}."
    )
    assert came is own, (
        f"A dish raises {own!r} by itself, long before its deadline, and from `timeout` comes "
        f"{came!r}. Whoever is in time is passed on as it is: this very error."
    )
    moments = {who: round(moment - start, 2) for who, moment in heard}
    assert "outside" in moments, (
        "A dish that takes 5 s was given 0.2 s, and whoever waited got no TimeoutError."
    )
    assert moments["outside"] == 0.2, (
        f"The deadline was 0.2 s, and the TimeoutError came after {moments['outside']:.2f} s."
    )
    assert moments.get("inside") == 0.2, (
        "Whoever waited got the TimeoutError, but the late cook did not: the cook works on, and "
        "nobody wants the dish. Throw the error into the task, where it waits."
    )
    assert served == "TimeoutError", (
        f"A late cook caught the TimeoutError and returned {served!r}, and `timeout` returned it, "
        "too. Late is late: whoever waits gets the TimeoutError, whatever the cook returns then."
    )
    assert tidied, (
        "A late cook tidies up, which takes 0.1 s, and never comes to an end of it. The error is "
        "thrown once; then the cook goes on like every other task."
    )


def test_who_is_in_time_never_hears_of_the_deadline() -> None:
    """Who is in time never hears of the deadline again"""
    with clocked() as (loop, clock):

        async def burn() -> None:
            raise ValueError("burnt")

        async def main() -> float:
            await loop.timeout(0.5, loop.sleep(0.1))
            with suppress(ValueError):
                await loop.timeout(0.5, burn())
            start = clock.passed
            await loop.sleep(2)
            return round(clock.passed - start, 6)

        slept = played(
            loop,
            main(),
            TimeoutError="A task was done after 0.1 s, well before its deadline of 0.5 s. Later, "
            "in another wait of 2 s, it gets a TimeoutError. Who switches the alarm off",
        )
    assert slept >= 2, (
        f"After a timeout that was kept, a sleep of 2 s ended after {slept:.1f} s: at the "
        "deadline that no longer counts."
    )


def test_a_late_task_leaves_no_note() -> None:
    """A late task leaves no note behind, and takes nobody else's away"""
    with clocked() as (loop, clock), pair() as (here, there), pair() as (near, far):
        clock.arrivals.append((clock.now + 0.5, there, b"soup"))
        clock.arrivals.append((clock.now + 2, far, b"tart"))

        async def late(coroutine: Coroutine[Any, Any, Any]) -> None:
            try:
                await loop.timeout(0.1, coroutine)
            except TimeoutError:
                return
            raise AssertionError(
                "One task after the other is late. One of them was woken before its deadline, by "
                "a note that an earlier one has left behind: with a socket or with a task."
            )

        async def busy() -> None:
            while True:
                await loop.turn()

        async def main() -> tuple[bytes, float, list[bool]]:
            other = loop.Task(loop.sleep(1))
            bystanders = [loop.Task(wait) for wait in (loop.recv(near, 4), loop.join(other))]
            await late(loop.recv(here, 4))
            dish = await loop.recv(here, 4)
            for _ in range(2):
                await late(loop.send(here, bytes(BIG)))
            await late(loop.join(other))
            await late(loop.sleep(0.2))
            await late(busy())
            start = clock.passed
            await loop.sleep(3)
            return dish, round(clock.passed - start, 6), [task.done for task in bystanders]

        dish, slept, done = played(
            loop,
            main(),
            KeyError="A task waited for a socket and was too late, and the next wait for the same "
            "socket fails. Who takes the first note away",
        )
    assert dish == b"soup"
    assert slept >= 3, (
        f"Five waits were ended by a timeout. Then a task slept for 3 s, and was woken after "
        f"{slept:.1f} s: a note of one of them was still there, with a task or with the clock."
    )
    assert all(done), (
        "While others were late, a bystander waited for a socket of its own, and another one for a "
        "task. The bytes came and the task ended, and a bystander still waits. A late task takes "
        "only its own note away."
    )


def test_a_deadline_around_a_deadline() -> None:
    """A deadline around a deadline ends both, and only the late one"""
    heard: list[tuple[str, float]] = []
    with clocked() as (loop, clock):

        async def cook() -> None:
            try:
                await loop.sleep(10)
                heard.append(("served", clock.passed))
            except TimeoutError:
                heard.append(("cook", clock.passed))
                raise

        async def waiter(seconds: float) -> str:
            try:
                await loop.timeout(seconds, cook())
            except TimeoutError:
                heard.append(("waiter", clock.passed))
                return "sorry"
            return "soup"

        async def main() -> tuple[str, str, float]:
            inner = await loop.timeout(5, waiter(0.2))
            first = moments()
            outer = "no error"
            try:
                await loop.timeout(0.2, waiter(5))
            except TimeoutError:
                outer = "TimeoutError"
            start = clock.passed
            await loop.sleep(20)
            return inner, first, outer, round(clock.passed - start, 6)

        def moments() -> dict[str, float]:
            told = {who: round(moment, 1) for who, moment in heard}
            heard.clear()
            return told

        inner, first, outer, slept = played(loop, main())
        second = moments()
    assert (inner, first) == ("sorry", {"cook": 0.2, "waiter": 0.2}), (
        "A dish has a deadline of 0.2 s, and whoever waits for it a deadline of 5 s. The inner one "
        f"ends the dish, and the waiter says sorry. Here: {inner!r}, and who heard of it when: "
        f"{first}."
    )
    assert outer == "TimeoutError", (
        "The outer deadline is 0.2 s and the inner one 5 s, and whoever stands outside gets no "
        "TimeoutError."
    )
    assert second.get("cook") == 0.4, (
        "The outer deadline of 0.2 s is over, and inside, behind a deadline of 5 s, the cook "
        f"{'works on' if 'served' in second else 'hears of it too late'}. When `timeout` itself is "
        "interrupted, who ends the task that it has started?"
    )
    assert slept >= 20, (
        f"Both deadlines are over, and a later sleep of 20 s ended after {slept:.1f} s. An alarm "
        "of one of them still rang."
    )


# -- a clock that moves when somebody waits --------------------------------------------------------


@dataclass
class Clock:
    """`arrivals` are (moment, socket, bytes): what comes from outside, and when; in order."""

    now: float = 1000.0
    questions: int = 0
    waits: int = 0  # questions that had to wait for an answer
    arrivals: list[tuple[float, socket.socket, bytes]] = field(default_factory=list)

    @property
    def passed(self) -> float:
        return round(self.now - 1000.0, 6)

    @property
    def wall(self) -> float:
        """What people read off the computer's clock, which somebody sets back."""
        return self.now - HOUR * (self.passed > SET_BACK)

    def move(self, seconds: float) -> None:
        self.now = max(self.now + seconds, math.nextafter(self.now, math.inf))


@contextmanager
def clocked() -> Iterator[tuple[ModuleType, Clock]]:
    """The submitted file, freshly loaded, and the clock that it sees."""
    clock = Clock()

    class Selector(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list[Any]:
            clock.questions += 1
            assert clock.questions < MANY, "The loop asks again and again, and comes to no end."
            if events := super().select(0):
                return events
            clock.waits += timeout is None or timeout > 0
            until = clock.now + LOOK if timeout is not None and timeout <= 0 else None
            if timeout is not None and timeout > 0:
                until = clock.now + timeout
            if clock.arrivals and (until is None or clock.arrivals[0][0] <= until):
                moment, sock, data = clock.arrivals.pop(0)
                clock.move(max(0.0, moment - clock.now))
                sock.send(data)
                return super().select(0)
            assert until is not None, (
                "Every task waits, and the loop's question to the operating system has no end: "
                "no socket will be ready. It must end when the next sleeper is due."
            )
            clock.move(until - clock.now)
            return []

    clocks = {
        **dict.fromkeys(("monotonic", "perf_counter"), lambda: clock.now),
        **dict.fromkeys(("monotonic_ns", "perf_counter_ns"), lambda: round(clock.now * 1e9)),
        "time": lambda: clock.wall,
        "time_ns": lambda: round(clock.wall * 1e9),
        "sleep": clock.move,
    }
    with replaced(time, **clocks), replaced(selectors, DefaultSelector=Selector):
        yield load(), clock


@contextmanager
def replaced(module: ModuleType, **stand_ins: Any) -> Iterator[None]:
    """Until the block ends, these names of the module mean something else."""
    own = {name: getattr(module, name) for name in stand_ins}
    vars(module).update(stand_ins)
    try:
        yield
    finally:
        vars(module).update(own)


def load() -> ModuleType:
    """Import the submitted file, afresh each time. Raises CodeRaised."""
    spec = importlib.util.spec_from_file_location(FILE.stem, FILE)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CodeRaised(told(error)) from error
    return module


def played(loop: ModuleType, coroutine: Coroutine[Any, Any, Any], **foreseen: str) -> Any:
    """What `loop.run` returns.

    Raises AssertionError for a contract that is still open, and for errors that are foreseen:
    their names, and what they mean. Other errors of the submitted code become CodeRaised.
    """
    try:
        return loop.run(coroutine)
    except AssertionError:
        raise  # from the clock below
    except NotImplementedError as error:
        name = told(error)["function"]
        raise AssertionError(
            f"`{name}` is still the contract: it raises NotImplementedError. Fulfil what its "
            "docstring promises."
        ) from None
    except Exception as error:
        entry = told(error)
        if meaning := foreseen.get(entry["raised"]):
            said = SOCKET.sub("This socket", str(error))
            raise AssertionError(f"{meaning}? ({entry['raised']}: {said})") from None
        raise CodeRaised(entry) from error


def told(error: Exception) -> dict[str, Any]:
    """What was raised, and the last line of the submitted file on the way there."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(code, line) for code, line in frames if code.co_filename == str(FILE)]
    code, line = ours[-1] if ours else (None, None)
    return {
        "raised": type(error).__name__,
        "message": str(error).replace(str(FILE), FILE.name),
        "function": code.co_name if code else "",
        "line": line,
        "code": linecache.getline(str(FILE), line).strip() if line else "",
    }
