"""Starlette's TestClient: without `with` each request has a loop of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from three import engine_at_import


def app_on(engine: AsyncEngine) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def ask() -> int:
        async with engine.connect() as connection:
            return await connection.scalar(text("select 1"))

    return app


class ThreeRequests:
    def test_one(self, client: TestClient) -> None:
        assert client.get("/").json() == 1

    def test_two(self, client: TestClient) -> None:
        assert client.get("/").json() == 1

    def test_three(self, client: TestClient) -> None:
        assert client.get("/").json() == 1


class TestWithoutWith(ThreeRequests):
    app = app_on(engine_at_import())

    @pytest.fixture
    def client(self) -> TestClient:
        return TestClient(self.app)


class TestWithForEachTest(ThreeRequests):
    app = app_on(engine_at_import())

    @pytest.fixture
    def client(self) -> Iterator[TestClient]:
        with TestClient(self.app) as client:
            yield client


class TestWithForAll(ThreeRequests):
    app = app_on(engine_at_import())

    @pytest.fixture(scope="class")
    def client(self) -> Iterator[TestClient]:
        with TestClient(self.app) as client:
            yield client
