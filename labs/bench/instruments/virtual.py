"""An event loop on a virtual clock: waiting becomes exact, and it costs no time.

Needs the standard library alone and starts no thread, so it also runs in the reader's browser.
"""

from __future__ import annotations

import asyncio
import math
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, NamedTuple, NoReturn, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_TICK_DIGITS = 9  # the virtual clock counts whole nanoseconds


class VirtualDeadlock(RuntimeError):
    """Every task waits and no timer is set: on a real loop this program would hang for ever."""


class VirtualRun(NamedTuple, Generic[T]):
    """What `run_virtual` returns; it unpacks as `result, seconds = run_virtual(...)`."""

    result: T
    seconds: float


def run_virtual(coro: Coroutine[Any, Any, T]) -> VirtualRun[T]:
    """Run a coroutine to its end on a private loop whose clock jumps from timer to timer.

    Returns the result and the virtual seconds that passed until the coroutine returned.
    Equality is exact: the clock is rounded to whole nanoseconds after every jump, so ten waits
    of 0.1 s end at 1.0 and not at 0.9999999999999999. Only the difference of two instants
    (`loop.time() - start`) is ordinary float arithmetic. Delays with more than nine decimals
    are rounded to nanoseconds too; round random delays yourself before you compare sums.

    The call blocks its thread and returns when the coroutine is done. It works in a plain
    program, inside a running loop (Jupyter) and inside another `run_virtual`; the outer loop
    stands still meanwhile. Context variables are visible inside, changes stay inside.
    An exception of the coroutine is raised here. Tasks that are left over are cancelled and
    asynchronous generators are closed before the call returns.

    Raises VirtualDeadlock when every task waits and no timer is set, RuntimeError when the
    program asks for a socket, a thread or a process, and TypeError for anything but a coroutine.
    `time.sleep` and computing do not move the virtual clock.
    """
    if not asyncio.iscoroutine(coro):
        raise TypeError(
            f"run_virtual() needs a coroutine, not {type(coro).__name__}: "
            "call the async function, as in run_virtual(main())."
        )
    outer_loop = asyncio._get_running_loop()
    outer_task = asyncio.current_task(outer_loop) if outer_loop else None
    # asyncio offers no public way to nest loops. These four functions are what it offers to
    # authors of loops and tasks. The order matters from Python 3.14 on: a task can be left or
    # entered only while its own loop is the running one.
    if outer_loop and outer_task:
        asyncio._leave_task(outer_loop, outer_task)
    asyncio._set_running_loop(None)
    try:
        return _run(VirtualLoop(), coro)
    finally:
        asyncio._set_running_loop(outer_loop)
        if outer_loop and outer_task:
            asyncio._enter_task(outer_loop, outer_task)


def _run(loop: VirtualLoop, coro: Coroutine[Any, Any, T]) -> VirtualRun[T]:
    try:
        try:
            return VirtualRun(loop.run_until_complete(coro), loop.time())
        finally:
            _cancel_leftovers(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


def _cancel_leftovers(loop: VirtualLoop) -> None:
    leftovers = asyncio.all_tasks(loop)
    for task in leftovers:
        task.cancel()
    if leftovers:
        loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
    for task in leftovers:
        if not task.cancelled() and (error := task.exception()):
            message = "A task raised an exception while run_virtual() cancelled it."
            loop.call_exception_handler({"message": message, "exception": error, "task": task})


class VirtualLoop(asyncio.BaseEventLoop):
    """The loop of `run_virtual`: asyncio's own scheduler, with a clock in place of a selector."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self  # the base class asks its selector to wait: see select()
        self._home = threading.get_ident()
        self._jump_to(0.0)

    def time(self) -> float:
        """Virtual seconds since the loop was made, in whole nanoseconds."""
        return self._now

    def _jump_to(self, instant: float) -> None:
        self._now = round(instant, _TICK_DIGITS)
        # A timer is due within one clock resolution. Half a nanosecond tells ticks apart; after
        # 48 virtual days a float is coarser than that, and a smaller number would never be due.
        self._clock_resolution = max(0.5e-9, math.ulp(self._now))

    def select(self, timeout: float | None) -> list[Any]:
        """Wait like a selector: the clock jumps to the next timer instead."""
        if timeout is None:
            raise VirtualDeadlock(_describe_deadlock(asyncio.all_tasks(self)))
        if timeout > 0:
            self._jump_to(self._now + timeout)
        return []

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        if when == math.inf:  # `sleep(inf)` means for ever: no timer, so a deadlock is noticed
            return asyncio.TimerHandle(when, callback, args, self, context)
        return super().call_at(round(when, _TICK_DIGITS), callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() != self._home:
            raise RuntimeError(_ONLY_WAITING.format("A call from another thread"))
        return self.call_soon(callback, *args, context=context)

    def _process_events(self, event_list: list[Any]) -> None:
        """There are no events: nothing but a timer can end a wait."""

    def _write_to_self(self) -> None:
        """There is no other thread that could have to wake this loop."""


_ONLY_WAITING = (
    "{} cannot work in run_virtual(): a virtual clock has no sockets, threads or processes. "
    "Replace the wait by asyncio.sleep(), or await this on a normal loop."
)


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(self: VirtualLoop, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(_ONLY_WAITING.format(f"loop.{name}()"))

    return refuse


_NEEDS_THE_OUTSIDE = """
    run_in_executor getaddrinfo getnameinfo add_signal_handler add_reader add_writer
    create_connection create_server create_unix_connection create_unix_server
    create_datagram_endpoint connect_accepted_socket start_tls sendfile
    sock_connect sock_accept sock_recv sock_recv_into sock_recvfrom sock_recvfrom_into
    sock_sendall sock_sendto sock_sendfile
    connect_read_pipe connect_write_pipe subprocess_exec subprocess_shell
"""
for _name in _NEEDS_THE_OUTSIDE.split():
    setattr(VirtualLoop, _name, _refuse(_name))


def _describe_deadlock(tasks: set[asyncio.Task[Any]]) -> str:
    waiting = Counter(_place(task.get_coro()) for task in tasks)
    places = ", ".join(f"{n} × {place}" for place, n in sorted(waiting.items()))
    return (
        f"Every task waits and no timer is set, so nothing can happen any more: {places}. "
        "Look for an event that nobody sets, a lock or a connection that nobody gives back, "
        "a queue that nobody fills, or work that was given to a thread."
    )


def _place(coro: Any) -> str:
    """Name a suspended coroutine and the innermost coroutine it waits in."""
    inner = coro
    while getattr(getattr(inner, "cr_await", None), "cr_code", None):
        inner = inner.cr_await
    # Without "<locals>" the name is the same in a notebook, a script and a test.
    names = [getattr(c, "__qualname__", "?").rpartition("<locals>.")[2] for c in (coro, inner)]
    return names[0] if inner is coro else f"{names[0]} in {names[1]}"
