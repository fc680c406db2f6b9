"""Hold queries inside the database, count who waits there, then let them go."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

from bench.instruments.in_vain import WaitedInVain

T = TypeVar("T")

# All locks of the holder's session, that is: this one. Unlocking one that is not held would warn.
_UNLOCK = "select pg_advisory_unlock_all()"
_ENTRY_SECONDS = 30.0


@overload
async def until(
    condition: Callable[[], Awaitable[T]],
    timeout: float = 30,  # noqa: ASYNC109
    *,
    what: str | None = None,
) -> T: ...


@overload
async def until(
    condition: Callable[[], T],
    timeout: float = 30,  # noqa: ASYNC109
    *,
    what: str | None = None,
) -> T: ...


async def until(
    condition: Callable[[], T | Awaitable[T]],
    timeout: float = 30,  # noqa: ASYNC109 -- the error must say what was waited for
    *,
    what: str | None = None,
) -> T:
    """Wait until `condition()` is true and return its value.

    The condition may be a plain or an async function. It is asked at once, then about every
    5 ms, and the last time after the deadline. Exceptions of the condition are raised here.

    Raises TimeoutError with `what` in its text after `timeout` seconds, or as soon as one call of
    an async condition has lasted that long. `what` completes "waited for …"; without it the text
    names the function. Uncaught, this error is shown as one line, also out of a TaskGroup.
    """
    loop = asyncio.get_running_loop()
    what = what or f"{getattr(condition, '__qualname__', 'the condition')} to become true"
    deadline = loop.time() + timeout
    while True:
        last_try = loop.time() >= deadline
        answer: Any = condition()
        if inspect.isawaitable(answer):
            answer = await _within(timeout, answer, what)
        if answer:
            return answer
        if last_try:
            raise WaitedInVain(f"Waited {timeout:g} s for {what}; the last answer was {answer!r}.")
        await asyncio.sleep(0.005)


async def _within(seconds: float, answer: Awaitable[T], what: str) -> T:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await answer
    except TimeoutError:
        if not limit.expired():
            raise  # the condition's own time-out
        raise WaitedInVain(f"Waited {seconds:g} s for {what}; it gave no answer.") from None


class Gate:
    """A gate inside PostgreSQL that queries cannot pass until it is opened.

    The gate is an advisory lock. Every query that takes the same key in shared mode waits at it,
    whichever process, thread or driver sent it:

        select pg_advisory_xact_lock_shared(7)      -- the bistro's cook() begins like this

    So "n queries ran at the same time" becomes a number that the database counts:

        async with Gate(pg.dsn) as gate:            # closed on entry
            tasks = [asyncio.create_task(query()) for _ in range(60)]
            await gate.until_waiting(10)
            print(await gate.waiting())
            await gate.open()
            await asyncio.gather(*tasks)

    Entry waits for queries that are already behind the gate, at most 30 seconds. The gate uses
    two connections of its own and closes both on exit; the end of its session opens the gate even
    when the body failed or was cancelled. It holds in one database: use the DSN of the
    queries, and no transaction pooler (PgBouncer) between the gate and the server.
    """

    def __init__(self, dsn: str, key: int = 7) -> None:
        self.key = key
        self._dsn = dsn
        self._connections: list[Any] = []
        self._asking = asyncio.Lock()  # one asyncpg connection answers one question at a time

    async def __aenter__(self) -> Gate:
        import asyncpg

        try:
            for application in ("gate: holder", "gate: watcher"):
                patience = f"{_ENTRY_SECONDS * 1000:.0f}ms"
                settings = {"application_name": application, "lock_timeout": patience}
                connection = await asyncpg.connect(self._dsn, server_settings=settings)
                self._connections.append(connection)
            await self._holder.execute(f"select pg_advisory_lock({int(self.key)})")
        except asyncpg.LockNotAvailableError:
            await self._disconnect()
            raise WaitedInVain(
                f"Somebody has held advisory lock {self.key} for {_ENTRY_SECONDS:g} s: "
                "close the other gate, or use another key."
            ) from None
        except BaseException:
            await self._disconnect()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            # Unlock first: the gate is then open when the block ends, not shortly afterwards.
            # If that fails, the end of the session opens it.
            with contextlib.suppress(Exception):
                await self._holder.execute(_UNLOCK, timeout=5)
        finally:
            await self._disconnect()

    @property
    def _holder(self) -> Any:
        return self._connections[0]

    @property
    def _watcher(self) -> Any:
        return self._connections[1]

    async def waiting(self) -> int:
        """Return how many backends wait at the gate now.

        Exact: PostgreSQL's own list of locks, this database and this key, not granted. A backend
        is on the list when its query has arrived and waits; one that is on its way is not.
        """
        async with self._asking:
            return await self._watcher.fetchval(
                """
                select count(*) from pg_locks
                where locktype = 'advisory' and not granted and objsubid = 1
                  and database = (select oid from pg_database where datname = current_database())
                  and classid = $1 and objid = $2
                """,
                self.key >> 32 & 0xFFFFFFFF,
                self.key & 0xFFFFFFFF,
            )

    async def until_waiting(self, n: int, timeout: float = 30) -> int:  # noqa: ASYNC109
        """Wait until at least `n` backends wait at the gate; return how many do.

        Raises TimeoutError, with the last count, after `timeout` seconds.
        """
        seen = 0

        async def enough() -> bool:
            nonlocal seen
            seen = await self.waiting()
            return seen >= n

        try:
            await until(enough, timeout)
        except TimeoutError:
            raise WaitedInVain(
                f"Waited {timeout:g} s for {n} queries at gate {self.key}, but {seen} wait there."
            ) from None
        return seen

    async def open(self) -> None:
        """Let every query pass, now and later. Opening an open gate changes nothing."""
        await self._holder.execute(_UNLOCK)

    async def _disconnect(self) -> None:
        try:
            for connection in self._connections:
                with contextlib.suppress(Exception):
                    await connection.close(timeout=5)
        finally:
            # After an error, a time-out or a cancellation there is no time for a farewell. The
            # server ends a session whose socket is gone, and with it the session's locks.
            for connection in self._connections:
                connection.terminate()
