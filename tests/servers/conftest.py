"""What these tests need: PostgreSQL, web servers of their own, or both.

`postgres` is one private server for the tests of a file; `dsn` is its address. A file that needs
other settings names them in `POSTGRES`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bench.servers.postgres import Postgres


@pytest.fixture(scope="module")
def postgres(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    server = asyncio.run(Postgres(**getattr(request.module, "POSTGRES", {})).start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="module")
def dsn(postgres: Postgres) -> str:
    return postgres.dsn
