"""psycopg in front of the stand-in for PostgreSQL: connections that block, and such that do not.

Needs the standard library alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from bench.practice.stand_ins.driver_names import Driver
from bench.practice.stand_ins.kitchen import (
    HoldsTheLoop,
    UnknownToTheStandIn,
    Wait,
    WaitsInAThread,
    now,
)
from bench.practice.stand_ins.replayed_threads import once
from bench.practice.stand_ins.statements import Connection, Row


class OperationalError(Exception):
    """psycopg's."""


class Rows:
    """The rows of a statement, which a cursor gives once."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def one(self) -> Row | None:
        return self.rows.pop(0) if self.rows else None

    def all(self) -> list[Row]:
        rows, self.rows = self.rows, []
        return rows

    def __getattr__(self, name: str) -> Any:
        raise UnknownToTheStandIn(f"a cursor of psycopg, `{name}`")


class Cursor(Rows):
    def fetchone(self) -> Row | None:
        return self.one()

    def fetchall(self) -> list[Row]:
        return self.all()


class AsyncCursor(Rows):
    async def fetchone(self) -> Row | None:
        return self.one()

    async def fetchall(self) -> list[Row]:
        return self.all()


class PsycopgConnection(Connection):
    refusal = OperationalError

    def __init__(self, dsn: str, autocommit: bool) -> None:
        super().__init__(dsn)
        self.autocommit = autocommit

    @classmethod
    def connect(cls, dsn: str, *, autocommit: bool = False, **_: object) -> PsycopgConnection:
        made = PsycopgConnection(dsn, autocommit)

        def call() -> PsycopgConnection:
            made.line.knocks += 1
            made.line.trips += 1
            if made.line.refuses:
                raise OperationalError("connection failed: Connection refused")
            now.kitchen.passes_or_blocks(Wait(made.line))
            return made

        return once(call)

    def execute(self, sql: str, params: object = None) -> Cursor:
        rows = self.answer_blocking(sql)
        if self.autocommit:
            self.commit()
        return Cursor(list(rows))

    @contextmanager
    def cursor(self) -> Iterator[CursorOf]:
        yield CursorOf(self)

    def commit(self) -> None:
        once(self.commit_notes)

    def rollback(self) -> None:
        self.notes = 0

    def close(self) -> None:
        self.notes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        elif not issubclass(kind, (HoldsTheLoop, WaitsInAThread)):
            self.close()

    def __getattr__(self, name: str) -> Any:
        raise UnknownToTheStandIn(f"a connection of psycopg, `{name}`")


class CursorOf(Cursor):
    """A cursor that is asked itself."""

    def __init__(self, connection: PsycopgConnection) -> None:
        super().__init__([])
        self.connection = connection

    def execute(self, sql: str, params: object = None) -> CursorOf:
        self.rows = self.connection.execute(sql, params).rows
        return self


class PsycopgAsyncConnection(Connection):
    refusal = OperationalError

    @classmethod
    async def connect(cls, dsn: str, **_: object) -> Self:
        made = cls(dsn)
        made.line.knocks += 1
        made.line.trips += 1
        if made.line.refuses:
            raise OperationalError("connection failed: Connection refused")
        await now.kitchen.passes(Wait(made.line))
        return made

    async def execute(self, sql: str, params: object = None) -> AsyncCursor:
        return AsyncCursor(await self.answer(sql))

    async def commit(self) -> None:
        self.commit_notes()

    async def close(self) -> None:
        self.notes = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.commit_notes()

    def __getattr__(self, name: str) -> Any:
        raise UnknownToTheStandIn(f"a connection of psycopg, `{name}`")


def psycopg_module() -> Driver:
    module = Driver("psycopg")
    vars(module).update(
        connect=PsycopgConnection.connect,
        Connection=PsycopgConnection,
        AsyncConnection=PsycopgAsyncConnection,
        OperationalError=OperationalError,
        Error=OperationalError,
    )
    return module
