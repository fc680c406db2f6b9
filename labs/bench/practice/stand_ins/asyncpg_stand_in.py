"""asyncpg in front of the stand-in for PostgreSQL: what labs 2 and 6 call, and the checks.

Needs the standard library alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bench.practice.stand_ins.driver_names import Driver
from bench.practice.stand_ins.kitchen import UnknownToTheStandIn, now
from bench.practice.stand_ins.statements import LOCK, TABLES, Connection, plain


class PostgresError(Exception):
    """asyncpg's."""


class AsyncpgConnection(Connection):
    refusal = PostgresError

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.in_transaction = False
        self.locked: list[str] = []

    async def execute(self, sql: str, *args: object, **options: Any) -> str:
        if self.of_the_checks(sql, args) is None:
            await self.fetch(sql, *args, **options)
        return "DONE"

    async def fetchval(self, sql: str, *args: object, **options: Any) -> Any:
        if (known := self.of_the_checks(sql, args)) is not None:
            return known
        row = await self.fetchrow(sql, *args, **options)
        return row[0] if row else None

    async def fetchrow(self, sql: str, *args: object, **options: Any) -> Any:
        return next(iter(await self.fetch(sql, *args, **options)), None)

    async def fetch(self, sql: str, *args: object, **options: Any) -> list[Any]:
        if "from pg_class" in sql:
            return [{"relname": name} for name in TABLES]
        async with asyncio.timeout(options.get("timeout")):
            rows = await self.answer(sql, args)
        if not self.in_transaction:
            self.commit_notes()
        return rows

    def of_the_checks(self, sql: str, args: Sequence[object]) -> int | None:
        """The answer to a statement of the checks themselves; None for any other one."""
        kitchen, sql = now.kitchen, plain(sql)
        if lock := LOCK.fullmatch(sql):
            kitchen.locks.append(lock[1])
            self.locked.append(lock[1])
        elif "from pg_locks" in sql and args:
            return kitchen.at_the_table(str(args[0]))
        elif sql == "select count(*) from looks":
            return kitchen.looks
        elif sql.startswith("insert into orders (guest_id, dish_id, portions) values"):
            kitchen.takings += 3 * 1350 + 600 * sql.count("(2, 7, 1)")
            if "update" in sql:  # lab 2: the guest has paid with his credit
                kitchen.portions -= 3
                kitchen.credit -= 4050
        elif sql.startswith("alter table looks"):
            kitchen.full = "add constraint" in sql
        else:
            return None
        return 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self.in_transaction, self.locked = True, []
        try:
            yield
        except BaseException:
            self.notes = 0
            raise
        finally:
            self.in_transaction = False
            self.commit_notes()
            for name in self.locked:
                now.kitchen.locks.remove(name)
            now.kitchen.changed()

    async def close(self, **_: object) -> None:
        """Nothing is to be closed."""

    def terminate(self) -> None:
        """The same."""

    def __getattr__(self, name: str) -> Any:
        raise UnknownToTheStandIn(f"a connection of asyncpg, `{name}`")


class Pool:
    """At most `max_size` connections, lent in the order in which they are asked for."""

    def __init__(self, dsn: str, *, max_size: int = 10, **_: object) -> None:
        self.size = max_size
        self.idle = [AsyncpgConnection(dsn) for _ in range(max_size)]
        self.places = asyncio.Semaphore(max_size)

    def __await__(self) -> Generator[Any, None, Pool]:
        return self._opened().__await__()

    async def _opened(self) -> Pool:
        return self

    async def __aenter__(self) -> Pool:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def acquire(self, *, timeout: float | None = None) -> Acquired:
        return Acquired(self, timeout)

    async def release(self, connection: AsyncpgConnection, **_: object) -> None:
        self.idle.append(connection)
        self.places.release()

    async def close(self) -> None:
        """Nothing is to be closed."""

    def terminate(self) -> None:
        """The same."""

    def get_size(self) -> int:
        return self.size

    def get_idle_size(self) -> int:
        return len(self.idle)

    def __getattr__(self, name: str) -> Any:
        if name not in ("execute", "fetch", "fetchrow", "fetchval"):
            raise UnknownToTheStandIn(f"a pool of asyncpg, `{name}`")

        async def ask(*args: Any, **options: Any) -> Any:
            async with self.acquire() as connection:
                return await getattr(connection, name)(*args, **options)

        return ask


class Acquired:
    """What `acquire` gives: to be awaited, or a block that gives the connection back."""

    def __init__(self, pool: Pool, timeout: float | None) -> None:
        self.pool, self.timeout = pool, timeout

    def __await__(self) -> Generator[Any, None, AsyncpgConnection]:
        return self._connection().__await__()

    async def _connection(self) -> AsyncpgConnection:
        async with asyncio.timeout(self.timeout):
            await self.pool.places.acquire()
        return self.pool.idle.pop()

    async def __aenter__(self) -> AsyncpgConnection:
        self.connection = await self
        return self.connection

    async def __aexit__(self, *_: object) -> None:
        await self.pool.release(self.connection)


async def connect(dsn: str, **_: object) -> AsyncpgConnection:
    return AsyncpgConnection(dsn)


def asyncpg_module() -> Driver:
    module = Driver("asyncpg")
    vars(module).update(
        connect=connect,
        create_pool=Pool,
        Pool=Pool,
        Connection=AsyncpgConnection,
        PostgresError=PostgresError,
    )
    return module
