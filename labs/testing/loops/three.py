"""The same three tests for every file: each asks once, through an engine made at import."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def engine_at_import(driver: str = "asyncpg", **settings: Any) -> AsyncEngine:
    url = os.environ["APP_DATABASE"].replace("postgresql", f"postgresql+{driver}", 1)
    return create_async_engine(url, **settings)


class ThreeTests:
    engine: AsyncEngine

    async def ask(self) -> None:
        async with self.engine.connect() as connection:
            assert await connection.scalar(text("select 1")) == 1

    async def test_one(self) -> None:
        await self.ask()

    async def test_two(self) -> None:
        await self.ask()

    async def test_three(self) -> None:
        await self.ask()
