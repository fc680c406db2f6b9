"""One PostgreSQL for the run; its address is known before a module makes its engine at import."""

from __future__ import annotations

import asyncio
import os

import pytest

from bench import Postgres


def pytest_configure(config: pytest.Config) -> None:
    server = asyncio.run(Postgres().start())
    os.environ["APP_DATABASE"] = server.dsn
    config.add_cleanup(lambda: asyncio.run(server.stop()))
