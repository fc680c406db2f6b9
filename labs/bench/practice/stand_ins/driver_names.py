"""A driver as a module in which every name is there, and can be mentioned and not used.

Needs the standard library alone.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, NoReturn

from bench.practice.stand_ins.kitchen import UnknownToTheStandIn


class _Name(type):
    """A class of a driver that nobody can use."""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UnknownToTheStandIn(f"`{cls.__qualname__}`")

    def __getattr__(cls, name: str) -> Any:
        return _name(cls.__qualname__, name)


class Driver(ModuleType):
    """A module in which every name is there."""

    def __getattr__(self, name: str) -> Any:
        return _name(self.__name__, name)


def _name(owner: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    bases = (Exception,) if name.endswith("Error") else ()  # `except asyncpg.PostgresError`
    return _Name(f"{owner}.{name}", bases, {})
