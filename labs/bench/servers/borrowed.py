"""A database of our own on somebody's server.

Needs psycopg, which knows every way to log in (TLS, SCRAM, sockets); a hand-written protocol would
know fewer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def borrowed_database(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Create `job["database"]`; afterwards drop it, together with the connections to it.

    The connection stays open in between: at the end the server may have no free one left.
    """
    import psycopg
    from psycopg import sql

    def execute(server: psycopg.Connection, statement: str) -> None:
        server.execute(sql.SQL(statement).format(sql.Identifier(job["database"])))

    def connect() -> contextlib.closing[psycopg.Connection]:
        return contextlib.closing(psycopg.connect(**job["connect"], autocommit=True))

    with connect() as server:
        execute(server, "CREATE DATABASE {} TEMPLATE template0")
        try:
            yield {"database": job["database"]}
        finally:
            drop = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
            try:
                try:
                    execute(server, drop)
                except psycopg.OperationalError:  # the connection was cut; once more with a new one
                    with connect() as again:
                        execute(again, drop)
            except psycopg.Error as problem:
                text = f"the database {job['database']} is still there: {problem}"
                raise RuntimeError(text) from None
