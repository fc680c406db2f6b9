"""The instrument `virtual`: exact time on a clock of its own, nested in whatever is running."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import math
import os
import subprocess
import sys
import threading
import warnings

import pytest

from bench.course import LABS
from bench.instruments import virtual
from bench.instruments.virtual import VirtualDeadlock, run_virtual

FACTORIES = [None] + [f for f in [getattr(asyncio, "eager_task_factory", None)] if f]


def plainly(function):
    """Call it where no loop is running."""
    return function()


def under_a_loop(function):
    """Call it inside a task, as a notebook cell does; the outer loop must not notice."""

    async def cell():
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        try:
            return function()
        finally:
            assert asyncio.get_running_loop() is loop
            assert asyncio.current_task() is task
            async with asyncio.timeout(60):  # asks for the current task
                await asyncio.sleep(0)

    return asyncio.run(cell())


def under_a_callback(function):
    """Call it on a running loop, but in no task."""
    box = []

    async def cell():
        called = asyncio.Event()

        def callback():
            try:
                box.append(function())
            finally:
                called.set()

        asyncio.get_running_loop().call_soon(callback)
        await called.wait()

    asyncio.run(cell())
    return box[0]


def under_a_virtual_loop(function):
    async def cell():
        await asyncio.sleep(5)
        answer = function()
        assert asyncio.get_running_loop().time() == 5  # the inner clock is another one
        await asyncio.sleep(1)
        return answer

    answer, seconds = run_virtual(cell())
    assert seconds == 6
    return answer


PLACES = pytest.mark.parametrize("place", [plainly, under_a_loop, under_a_virtual_loop])


async def sixty_guests(windows=10):
    pool = asyncio.Semaphore(windows)

    async def guest():
        async with pool:
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as evening:
        for _ in range(60):
            evening.create_task(guest())
    return "served"


@pytest.mark.parametrize("place", [plainly, under_a_loop, under_a_callback, under_a_virtual_loop])
def test_sixty_guests_ten_at_a_time_take_exactly_their_time(place):
    assert place(lambda: run_virtual(sixty_guests())) == ("served", 0.6)
    assert place(lambda: run_virtual(sixty_guests(1))).seconds == 6.0
    assert place(lambda: run_virtual(sixty_guests(60))).seconds == 0.1


def test_a_thousand_waits_end_on_the_exact_instant():
    async def main():
        instants = []
        for _ in range(1000):
            await asyncio.sleep(0.1)
            instants.append(asyncio.get_running_loop().time())
        return instants

    instants, seconds = run_virtual(main())
    assert seconds == 100.0
    assert instants == [n / 10 for n in range(1, 1001)]
    total = 0.0
    for _ in range(1000):
        total += 0.1
    assert total != 100.0  # what the clock would show if it only added


def test_sum_and_max():
    waits = [0.03, 0.07, 0.12, 0.05]

    async def one_after_the_other():
        for wait in waits:
            await asyncio.sleep(wait)

    async def together():
        await asyncio.gather(*map(asyncio.sleep, waits))

    assert run_virtual(one_after_the_other()).seconds == 0.27
    assert run_virtual(together()).seconds == 0.12


def test_random_delays_are_exact_once_they_are_whole_nanoseconds():
    import random

    rng = random.Random(7)
    waits = [round(rng.expovariate(5), 9) for _ in range(1000)]

    async def main():
        for wait in waits:
            await asyncio.sleep(wait)

    assert run_virtual(main()).seconds == round(math.fsum(waits), 9)


def test_timers_of_one_instant_fire_together_and_those_a_nanosecond_later_do_not():
    async def main():
        loop, fired = asyncio.get_running_loop(), []
        for when in (0.3, 0.1 + 0.2, 0.300000001):
            loop.call_at(when, lambda when=when: fired.append((when, loop.time())))
        await asyncio.sleep(1)
        return fired

    fired = run_virtual(main()).result
    assert sorted(fired) == [
        (0.3, 0.3),
        (0.30000000000000004, 0.3),
        (0.300000001, 0.300000001),
    ]


@pytest.mark.parametrize(("now", "later"), [(0.8, 3.6), (0.7, 3.4), (0.6, 1.7)])
def test_a_jump_ends_exactly_on_its_timer(now, later):
    assert now + (later - now) != later  # where adding up would end

    async def main():
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        loop.call_at(later, woken.set)
        await asyncio.sleep(now)
        await woken.wait()

    assert run_virtual(main()).seconds == later


@pytest.mark.parametrize("wait", [1e-12, 0.4e-9, 0.5e-9, 0.6e-9, 1.5e-9])
def test_waits_around_one_nanosecond_end(wait):
    async def main():
        for _ in range(20):
            await asyncio.sleep(wait)

    assert run_virtual(main()).seconds <= 20 * 2e-9


@pytest.mark.parametrize("start", [1e5, 1e7, 1e9, 2.0**51])
def test_a_clock_that_is_far_ahead_goes_on(start):
    async def main():
        asyncio.get_running_loop()._jump_to(start)
        for _ in range(4):
            await asyncio.sleep(0.5)

    assert run_virtual(main()).seconds == start + 2


def test_a_wait_may_be_longer_than_a_selector_would_wait_at_once():
    assert run_virtual(asyncio.sleep(1e8, "awake")) == ("awake", 1e8)


def test_timeouts_and_cancellation_live_on_the_virtual_clock():
    async def main():
        loop = asyncio.get_running_loop()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.25):
                await asyncio.sleep(10)
        assert loop.time() == 0.25
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        return loop.time()

    assert run_virtual(main()) == (0.75, 0.75)


@PLACES
def test_it_runs_in_the_thread_that_calls_it(place):
    async def main():
        await asyncio.sleep(3600)
        return threading.get_ident(), threading.active_count()

    threads = threading.get_ident(), threading.active_count()
    assert place(lambda: run_virtual(main())) == (threads, 3600)


@PLACES
@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), SystemExit(3)])
def test_an_exception_comes_out_as_it_is(place, error):
    ended = []

    async def main():
        async def left_over():
            try:
                await asyncio.sleep(10)
            finally:
                ended.append("left over")

        task = asyncio.create_task(left_over())
        await asyncio.sleep(1)
        assert not task.done()
        raise error

    def attempt():
        with pytest.raises(type(error)) as caught:
            run_virtual(main())
        return caught.value

    assert place(attempt) is error
    assert ended == ["left over"]


def test_what_is_left_over_is_cancelled_and_closed():
    ended = []

    async def numbers():
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            ended.append("generator")

    async def main():
        async def left_over():
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(5)
                ended.append("task")

        loop = asyncio.get_running_loop()
        loop.task = asyncio.create_task(left_over())
        loop.numbers = numbers()
        assert await anext(loop.numbers) == 1
        return loop

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop, seconds = run_virtual(main())
        assert (ended, seconds) == (["task", "generator"], 0)  # their clean-up is not counted
        assert loop.task.cancelled()
        assert loop.is_closed()
        del loop
        gc.collect()


def test_an_error_in_the_clean_up_of_a_left_over_task_is_reported(caplog):
    async def main():
        async def left_over():
            try:
                await asyncio.Event().wait()
            finally:
                raise ValueError("in the clean-up")

        task = asyncio.create_task(left_over())
        await asyncio.sleep(1)
        return task.done()

    assert run_virtual(main()) == (False, 1)
    assert "while run_virtual() cancelled it" in caplog.text
    assert "in the clean-up" in caplog.text


@PLACES
def test_a_deadlock_says_who_waits_where_and_what_to_look_for(place):
    async def main():
        lock = asyncio.Lock()

        async def guest():
            async with lock:
                await asyncio.sleep(0.1)

        await lock.acquire()
        guests = [asyncio.create_task(guest()) for _ in range(3)]
        await asyncio.sleep(1)
        await asyncio.gather(*guests)

    def attempt():
        with pytest.raises(VirtualDeadlock) as caught:
            run_virtual(main())
        return str(caught.value)

    assert place(attempt) == (
        "Every task waits and no timer is set, so nothing can happen any more: "
        "3 × guest in Lock.acquire, 1 × main. Look for an event that nobody sets, "
        "a lock or a connection that nobody gives back, a queue that nobody fills, "
        "or work that was given to a thread."
    )


def test_sleeping_for_ever_is_a_deadlock_too():
    async def main():
        await asyncio.sleep(math.inf)

    with pytest.raises(VirtualDeadlock, match="1 × main in sleep"):
        run_virtual(main())


def test_a_task_that_refuses_to_end_does_not_hang(caplog):
    async def main():
        async def stubborn():
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        task = asyncio.create_task(stubborn(), name="stubborn")
        await asyncio.sleep(1)
        return task

    with pytest.raises(VirtualDeadlock, match=r"stubborn in Event\.wait"):
        run_virtual(main())
    gc.collect()  # asyncio reports the task that nothing could end
    assert "Task was destroyed but it is pending" in caplog.text


@pytest.mark.parametrize(
    ("needs", "names"),
    [
        (lambda: asyncio.to_thread(print), r"loop\.run_in_executor\(\)"),
        (lambda: asyncio.open_connection("127.0.0.1", 5432), r"loop\.create_connection\(\)"),
        (lambda: asyncio.open_connection("localhost", 5432), r"loop\.create_connection\(\)"),
        (lambda: asyncio.start_server(print, "127.0.0.1"), r"loop\.create_server\(\)"),
        (lambda: asyncio.create_subprocess_exec("true"), r"loop\.subprocess_exec\(\)"),
        (lambda: asyncio.get_running_loop().sock_recv(None, 1), r"loop\.sock_recv\(\)"),
    ],
)
def test_sockets_threads_and_processes_are_refused(needs, names):
    async def main():
        await needs()

    with pytest.raises(RuntimeError, match=rf"^{names} cannot work in run_virtual\(\)"):
        run_virtual(main())


def test_no_method_of_a_loop_fails_without_a_sentence():
    """Whatever the virtual loop lacks of asyncio's interface answers with our sentence."""
    fine = {"remove_reader", "remove_writer", "remove_signal_handler"}  # nothing to remove
    lacks = {
        name
        for name, method in vars(asyncio.AbstractEventLoop).items()
        if not name.startswith("_") and getattr(virtual.VirtualLoop, name) is method
    }
    assert lacks <= fine


def test_another_thread_cannot_wake_it():
    errors = []

    async def main():
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def work():
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError as error:
                errors.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        loop.call_soon_threadsafe(print)  # from its own thread it is an ordinary call
        await event.wait()

    with pytest.raises(VirtualDeadlock, match="work that was given to a thread"):
        run_virtual(main())
    assert len(errors) == 1
    assert errors[0].startswith("A call from another thread cannot work in run_virtual()")


@pytest.mark.parametrize("bad", [sixty_guests, None, 3, lambda: None])
def test_anything_but_a_coroutine_is_refused(bad):
    with pytest.raises(TypeError, match=r"call the async function, as in run_virtual\(main\(\)\)"):
        run_virtual(bad)


def test_context_variables_are_seen_inside_and_changes_stay_inside():
    table = contextvars.ContextVar("table")

    async def main():
        before = table.get()
        table.set("inner")
        await asyncio.sleep(1)
        return before, table.get()

    async def cell():
        table.set("outer")
        assert run_virtual(main()).result == ("outer", "inner")
        await asyncio.sleep(0)
        return table.get()

    assert asyncio.run(cell()) == "outer"


def test_an_outer_timeout_and_outer_tasks_still_work():
    async def cell():
        turns = []

        async def neighbour():
            while True:
                turns.append(None)
                await asyncio.sleep(0)

        task = asyncio.create_task(neighbour())
        await asyncio.sleep(0)
        before = len(turns)
        async with asyncio.timeout(60) as limit:
            assert run_virtual(sixty_guests()).seconds == 0.6
            await asyncio.sleep(0)
        assert not limit.expired()
        assert len(turns) == before + 1  # it stood still during the run, and went on afterwards

        async def too_late():
            async with asyncio.timeout(0):
                run_virtual(sixty_guests())
                await asyncio.sleep(60)

        with pytest.raises(TimeoutError):
            await too_late()
        task.cancel()
        return asyncio.current_task().cancelling()

    assert asyncio.run(cell()) == 0


def test_an_outer_cancellation_waits_until_the_outer_task_awaits():
    async def cell():
        asyncio.current_task().cancel()
        assert run_virtual(sixty_guests()) == ("served", 0.6)
        await asyncio.sleep(60)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cell())


@pytest.mark.parametrize("factory", FACTORIES)
def test_it_nests_in_and_around_eager_tasks(factory):
    async def inner():
        asyncio.get_running_loop().set_task_factory(factory)
        return await sixty_guests()

    async def cell():
        asyncio.get_running_loop().set_task_factory(factory)

        async def nested():
            me = asyncio.current_task()
            answer = run_virtual(inner())
            assert asyncio.current_task() is me
            await asyncio.sleep(0)
            return answer

        return await asyncio.gather(*(asyncio.create_task(nested()) for _ in range(3)))

    assert asyncio.run(cell()) == [("served", 0.6)] * 3


def test_tasks_are_left_and_entered_only_on_their_own_running_loop(monkeypatch):
    """Python 3.14 refuses anything else; here its rule is checked on every version."""
    calls = []

    def watch(name, real):
        def checked(loop, task):
            calls.append((name, asyncio._get_running_loop() is loop))
            real(loop, task)

        monkeypatch.setattr(asyncio, name, checked)

    watch("_leave_task", asyncio._leave_task)
    watch("_enter_task", asyncio._enter_task)
    under_a_loop(lambda: run_virtual(sixty_guests()))
    assert calls == [("_leave_task", True), ("_enter_task", True)]


def test_debug_mode_changes_nothing(monkeypatch):
    monkeypatch.setenv("PYTHONASYNCIODEBUG", "1")

    async def main():
        assert asyncio.get_running_loop().get_debug()
        return await sixty_guests()

    assert under_a_loop(lambda: run_virtual(main())) == ("served", 0.6)


def test_the_same_program_always_runs_the_same_way():
    async def main():
        order = []

        async def guest(n):
            for _ in range(3):
                await asyncio.sleep(n % 7 * 0.01)
                order.append((n, asyncio.get_running_loop().time()))

        await asyncio.gather(*map(guest, range(50)))
        return order

    first = run_virtual(main())
    assert [run_virtual(main()) for _ in range(3)] == [first] * 3


def test_it_needs_the_standard_library_alone():
    program = (
        f"import sys; sys.path.append({str(LABS)!r}); import asyncio\n"
        "from bench import run_virtual\n"
        "async def main(): return await asyncio.sleep(0.1, 'done')\n"
        "result, seconds = run_virtual(main()); print(result, seconds)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        capture_output=True,
        text=True,
        env=dict(os.environ),
    )
    assert (run.stdout, run.stderr) == ("done 0.1\n", "")
