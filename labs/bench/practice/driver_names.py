"""Drivers of PostgreSQL where none can be installed: their names are there, and cannot be used.

So a file that mentions `asyncpg.Pool` can be read in a browser's page. Needs the standard library
alone.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any, NoReturn

DRIVERS = "asyncpg", "psycopg"


class NoPostgres(BaseException):
    """A driver was asked for something. A BaseException: no `except Exception` may hide it."""


class _Name(type):
    """A class of a driver that cannot be called, and whose attributes cannot either."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise NoPostgres(cls.__qualname__)

    def __getattr__(cls, name: str) -> Any:
        return _name(cls.__qualname__, name)


class _Driver(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return _name(self.__name__, name)


def _name(owner: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    bases = (Exception,) if name.endswith("Error") else ()  # `except asyncpg.PostgresError`
    return _Name(f"{owner}.{name}", bases, {})


def stand_in() -> None:
    """Let the drivers that are not installed be imported from now on."""
    for name in DRIVERS:
        if name not in sys.modules and importlib.util.find_spec(name) is None:
            sys.modules[name] = _Driver(name)
