"""The rules that an event loop keeps, each as a small test: for asyncio, and for your own loop.

A loop is seen through six names. An object, a module or a namespace that has them will do:

    run(coroutine)      run it to its end; return its result or raise its error
    spawn(coroutine)    start a task; return it at once
    join(task)          awaitable: the task's result, or its error is raised
    turn()              awaitable: let every other ready task run once
    recv(sock, size)    awaitable: exactly that many bytes; EOFError when the other side hangs up
    send(sock, data)    awaitable: all bytes are handed to the operating system

Needs the standard library alone. The tests use pairs of connected sockets and no network.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from bench.open_files import allow_open_files

Rule = Callable[[Any], Awaitable[bool]]

LOOP_RULES: dict[str, Rule] = {}
"""Every rule by its name: a coroutine function of a loop, which returns whether it is kept."""

OPEN_FILES = 512  # a hundred pairs of sockets, and what a notebook has open already
TURNS = 1000  # more than any loop needs; a broken one must come to an end, too


def broken_rules(loop: Any) -> list[str]:
    """The names of the rules that `loop` does not keep, in the order of LOOP_RULES.

    Each rule runs in a `loop.run` of its own; an exception breaks the rule. A loop that never
    wakes somebody can make this call wait for ever. Raises OSError when the system allows fewer
    open files than the hundred pairs of sockets need: that is no fault of the loop.
    """
    allow_open_files(OPEN_FILES)
    return [name for name, rule in LOOP_RULES.items() if not kept(loop, rule)]


def kept(loop: Any, rule: Rule) -> bool:
    try:
        return bool(loop.run(rule(loop)))
    except Exception:
        return False


class AsyncioLoop:
    """asyncio through the six names. `run` uses a thread, so that it works in a notebook."""

    @staticmethod
    def run(coroutine: Any) -> Any:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, coroutine).result()

    @staticmethod
    def spawn(coroutine: Any) -> asyncio.Task[Any]:
        return asyncio.create_task(coroutine)

    @staticmethod
    async def join(task: asyncio.Task[Any]) -> Any:
        return await task

    @staticmethod
    async def turn() -> None:
        await asyncio.sleep(0)

    @staticmethod
    async def recv(sock: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = await asyncio.get_running_loop().sock_recv(sock, size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    @staticmethod
    async def send(sock: socket.socket, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(sock, data)


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets, each the other end of the other."""
    ends = socket.socketpair()
    for end in ends:
        end.setblocking(False)
    try:
        yield ends
    finally:
        for end in ends:
            end.close()


def rule(test: Rule) -> Rule:
    """Add a test to LOOP_RULES. The first line of its docstring is the name of the rule."""
    told = inspect.getdoc(test) or test.__name__
    LOOP_RULES[told.splitlines()[0].rstrip(".")] = test
    return test


# -- tasks -----------------------------------------------------------------------------------------


@rule
async def returns(loop: Any) -> bool:
    """A task's result is what its coroutine returns."""

    async def cook() -> str:
        return "soup"

    return await loop.join(loop.spawn(cook())) == "soup"


@rule
async def raises(loop: Any) -> bool:
    """Who waits for a task that fails gets its error."""

    async def burn() -> None:
        raise ValueError("burnt")

    try:
        await loop.join(loop.spawn(burn()))
    except ValueError as error:
        return str(error) == "burnt"
    return False


@rule
async def begins_later(loop: Any) -> bool:
    """To start a task runs none of its lines: it waits for its turn."""
    seen = []

    async def cook() -> None:
        seen.append("cooks")

    task = loop.spawn(cook())
    seen.append("goes on")
    await loop.join(task)
    return seen == ["goes on", "cooks"]


@rule
async def first_come(loop: Any) -> bool:
    """Ready tasks run in the order in which they were started."""
    seen: list[int] = []

    async def note(number: int) -> None:
        seen.append(number)

    for task in [loop.spawn(note(number)) for number in range(5)]:
        await loop.join(task)
    return seen == [0, 1, 2, 3, 4]


@rule
async def await_alone_keeps_the_turn(loop: Any) -> bool:
    """An await that stops nowhere lets nobody else run."""
    seen = []

    async def nothing() -> None:
        pass

    async def other() -> None:
        seen.append("other")

    task = loop.spawn(other())
    for _ in range(100):
        await nothing()
    alone = not seen
    await loop.join(task)
    return alone


@rule
async def turns_are_fair(loop: Any) -> bool:
    """A turn lets every other ready task run once."""
    seen = []

    async def walk(name: str) -> None:
        for step in range(3):
            seen.append(f"{name}{step}")
            await loop.turn()

    for task in [loop.spawn(walk("a")), loop.spawn(walk("b"))]:
        await loop.join(task)
    return seen == ["a0", "b0", "a1", "b1", "a2", "b2"]


@rule
async def grandchildren(loop: Any) -> bool:
    """A task may start tasks of its own."""

    async def family(generations: int) -> int:
        if not generations:
            return 0
        return 1 + await loop.join(loop.spawn(family(generations - 1)))

    return await family(5) == 5


@rule
async def done_is_done(loop: Any) -> bool:
    """To wait for a task that is done gives up no turn."""
    seen = []

    async def cook() -> str:
        return "soup"

    async def other() -> None:
        seen.append("other")

    task = loop.spawn(cook())
    await loop.join(task)
    late = loop.spawn(other())
    at_once = await loop.join(task) == "soup" and not seen
    await loop.join(late)
    return at_once


@rule
async def all_who_wait(loop: Any) -> bool:
    """Everybody who waits for a task gets its result, in the order in which they came."""
    seen: list[tuple[int, str]] = []

    async def cook() -> str:
        await loop.turn()
        return "soup"

    async def guest(number: int) -> None:
        seen.append((number, await loop.join(dish)))

    dish = loop.spawn(cook())
    for task in [loop.spawn(guest(number)) for number in range(3)]:
        await loop.join(task)
    return seen == [(0, "soup"), (1, "soup"), (2, "soup")]


@rule
async def errors_stay_at_home(loop: Any) -> bool:
    """The error of one task stops no other task."""

    async def burn() -> None:
        raise ValueError

    async def cook() -> str:
        await loop.turn()
        return "soup"

    burning, cooking = loop.spawn(burn()), loop.spawn(cook())
    try:
        await loop.join(burning)
    except ValueError:
        return await loop.join(cooking) == "soup"
    return False


# -- sockets ---------------------------------------------------------------------------------------


@rule
async def others_run_meanwhile(loop: Any) -> bool:
    """While one task waits for a socket, others run."""
    seen = []

    async def wait() -> None:
        seen.append(await loop.recv(here, 4))

    with pair() as (here, there):
        task = loop.spawn(wait())
        for _ in range(10):
            await loop.turn()
            seen.append(b"turn")
        await loop.send(there, b"soup")
        await loop.join(task)
    return seen == [b"turn"] * 10 + [b"soup"]


@rule
async def ready_first_wakes_first(loop: Any) -> bool:
    """The task whose bytes are there wakes, not the one that has waited longest."""
    seen = []

    async def wait(name: str, sock: socket.socket) -> None:
        await loop.recv(sock, 1)
        seen.append(name)

    with pair() as (here, there), pair() as (near, far):
        first, second = loop.spawn(wait("first", here)), loop.spawn(wait("second", near))
        await loop.turn()
        await loop.send(far, b"!")
        await loop.join(second)
        await loop.send(there, b"!")
        await loop.join(first)
    return seen == ["second", "first"]


@rule
async def busy_tasks_starve_nobody(loop: Any) -> bool:
    """A task that is always ready keeps no socket from being looked at."""
    woken = []

    async def wait() -> None:
        woken.append(await loop.recv(here, 1))

    with pair() as (here, there):
        task = loop.spawn(wait())
        await loop.send(there, b"!")
        for _ in range(TURNS):
            if woken:
                break
            await loop.turn()
        in_time = bool(woken)
        await loop.join(task)
    return in_time


@rule
async def early_bytes_are_kept(loop: Any) -> bool:
    """Bytes that come before anybody waits are not lost."""
    with pair() as (here, there):
        await loop.send(there, b"soup")
        for _ in range(10):
            await loop.turn()
        return await loop.recv(here, 4) == b"soup"


@rule
async def pieces_are_joined(loop: Any) -> bool:
    """A message that comes in pieces is read whole."""
    with pair() as (here, there):

        async def wait() -> bytes:
            return await loop.recv(here, 4)

        task = loop.spawn(wait())
        for letter in b"soup":
            await loop.send(there, bytes([letter]))
            await loop.turn()
        return await loop.join(task) == b"soup"


@rule
async def a_full_socket_waits(loop: Any) -> bool:
    """A sender waits while the other side reads too slowly, and no byte is lost."""
    dish = bytes(range(256)) * 8192  # two megabytes: more than a socket holds
    with pair() as (here, there):
        sending = loop.spawn(loop.send(there, dish))
        for _ in range(10):
            await loop.turn()
        arrived = await loop.recv(here, len(dish))
        await loop.join(sending)
        return arrived == dish


@rule
async def hanging_up_is_an_error(loop: Any) -> bool:
    """Who waits for a side that hangs up gets an error and does not wait for ever."""
    with pair() as (here, there):

        async def wait() -> None:
            await loop.recv(here, 4)

        task = loop.spawn(wait())
        await loop.turn()
        there.close()
        try:
            await loop.join(task)
        except EOFError:
            return True
    return False


@rule
async def a_hundred_wait_on_one_thread(loop: Any) -> bool:
    """A hundred tasks wait for a hundred sockets on one thread."""
    threads = {threading.get_ident()}

    async def wait(sock: socket.socket) -> bytes:
        threads.add(threading.get_ident())
        dish = await loop.recv(sock, 1)
        threads.add(threading.get_ident())
        return dish

    pairs = [socket.socketpair() for _ in range(100)]
    try:
        for end in (end for ends in pairs for end in ends):
            end.setblocking(False)
        tasks = [loop.spawn(wait(here)) for here, _ in pairs]
        await loop.turn()
        for number, (_, there) in enumerate(pairs):
            await loop.send(there, bytes([number]))
        dishes = [await loop.join(task) for task in tasks]
    finally:
        for end in (end for ends in pairs for end in ends):
            end.close()
    return dishes == [bytes([number]) for number in range(100)] and len(threads) == 1
