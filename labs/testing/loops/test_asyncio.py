"""pytest-asyncio: each test has a loop of its own, unless `loop_scope` says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy.pool import NullPool

from three import ThreeTests, engine_at_import


@pytest.mark.asyncio
class TestEngineAtImport(ThreeTests):
    engine = engine_at_import()


@pytest.mark.asyncio
class TestPrePing(ThreeTests):
    engine = engine_at_import(pool_pre_ping=True)


@pytest.mark.asyncio
class TestNullPool(ThreeTests):
    engine = engine_at_import(poolclass=NullPool)


@pytest.mark.asyncio
class TestDispose(ThreeTests):
    engine = engine_at_import()

    @pytest_asyncio.fixture(autouse=True)
    async def dispose(self) -> AsyncIterator[None]:
        yield
        await self.engine.dispose()


@pytest.mark.asyncio(loop_scope="session")
class TestSessionLoop(ThreeTests):
    engine = engine_at_import()


@pytest.mark.asyncio
class TestPsycopg(ThreeTests):
    engine = engine_at_import("psycopg")
