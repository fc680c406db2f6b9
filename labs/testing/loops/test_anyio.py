"""AnyIO's plugin: its loop lives as long as an async fixture does, not as long as its backend."""

from __future__ import annotations

import pytest

from three import ThreeTests, engine_at_import


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.anyio
class TestSessionBackend(ThreeTests):
    engine = engine_at_import()


@pytest.mark.anyio
class TestSessionBackendAndFixture(ThreeTests):
    engine = engine_at_import()

    @pytest.fixture(scope="session", autouse=True)
    async def one_loop(self, anyio_backend: str) -> None:
        return
