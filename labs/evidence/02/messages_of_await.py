"""What Python says when an `await` is missing, when there is one too many, and without a loop.

Each line is a mistake of one word, and the message for it. The words are those of Python itself, so
they are the same for every library.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable

from bench import claim


async def fetch() -> list[int]:
    return [1]


async def get_db() -> AsyncIterator[str]:
    yield "session"


async def awaits(thing: Awaitable[object]) -> object:
    return await thing


async def enters(manager) -> None:
    async with manager:
        pass


async def awaits_twice() -> None:
    answer = fetch()
    await answer
    await answer


async def message(call: Callable[[], object]) -> str:
    """Class and words of what a call raises, or its awaitable."""
    try:
        answer = call()
        if asyncio.iscoroutine(answer):
            await answer
    except (AttributeError, RuntimeError, TypeError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


async def unread_future() -> list[str]:
    """What the loop says of a future whose error nobody has read."""
    loop, heard = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
    loop.create_future().set_exception(ValueError("nobody reads this"))
    gc.collect()
    return heard


async def main() -> None:
    warnings.simplefilter("ignore")  # of the coroutines that nobody awaits here
    loop = asyncio.get_running_loop()
    missing = [
        ("fetch().all()", lambda: fetch().all()),
        ("fetch()[0]", lambda: fetch()[0]),
        ("list(fetch())", lambda: list(fetch())),
        ("async with fetch()", lambda: enters(fetch())),
    ]
    needless = [
        ("await [1]", lambda: awaits([1])),
        ("await None", lambda: awaits(None)),
        ("the same coroutine twice", awaits_twice),
    ]
    generator = [
        ("get_db().execute", lambda: get_db().execute),
        ("list(get_db())", lambda: list(get_db())),
        ("await get_db()", lambda: awaits(get_db())),
        ("async with get_db()", lambda: enters(get_db())),
    ]
    loops = [
        ("create_task() in a thread", lambda: asyncio.to_thread(asyncio.create_task, fetch())),
        ("get_event_loop() there", lambda: asyncio.to_thread(asyncio.get_event_loop)),
        ("run_until_complete() here", lambda: loop.run_until_complete(fetch())),
        ("… of another loop", lambda: asyncio.new_event_loop().run_until_complete(fetch())),
    ]
    said = {}
    for mistakes in (missing, needless, generator, loops):
        for name, call in mistakes:
            said[name] = await message(call)
            print(f"{name:25} {said[name]}")
    unread = await unread_future()
    print(f"{'a future with an error':25} {', '.join(unread)}")
    claim(
        "a-missing-await-is-a-coroutine",
        "A forgotten await: a 'coroutine' object has no attribute, no item, and is not iterable.",
        [said[name] for name, _ in missing[:3]]
        == [
            "AttributeError: 'coroutine' object has no attribute 'all'",
            "TypeError: 'coroutine' object is not subscriptable",
            "TypeError: 'coroutine' object is not iterable",
        ]
        and "'coroutine' object does not support" in said["async with fetch()"],
    )
    claim(
        "an-await-too-many",
        "An await too many: the object can't be awaited; a coroutine cannot be awaited twice.",
        "list" in said["await [1]"]
        and "NoneType" in said["await None"]
        and all("await" in said[name] for name, _ in needless[:2])
        and said["the same coroutine twice"].endswith("cannot reuse already awaited coroutine"),
    )
    claim(
        "a-dependency-called-by-hand",
        "A yield dependency that is called by hand is an 'async_generator' object, no session.",
        all("async_generator" in said[name] for name, _ in generator),
    )
    claim(
        "a-thread-has-no-loop",
        "In a thread: no running event loop. A loop that is running cannot be run again.",
        [said[name].partition(" in thread")[0] for name, _ in loops]
        == [
            "RuntimeError: no running event loop",
            "RuntimeError: There is no current event loop",
            "RuntimeError: This event loop is already running",
            "RuntimeError: Cannot run the event loop while another loop is running",
        ],
    )
    claim(
        "an-unread-future-is-told",
        "A future with an error that nobody reads: Future exception was never retrieved.",
        unread == ["Future exception was never retrieved"],
    )


if __name__ == "__main__":
    asyncio.run(main())
