"""The checks' instruments in front of the stand-in: the gate, a line, a door."""

from __future__ import annotations

from typing import Self

from bench.practice.stand_ins.kitchen import Line, now


class Gate:
    """`bench.Gate` in front of the stand-in."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn

    async def __aenter__(self) -> Self:
        now.kitchen.gate = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._let_all_through()

    async def waiting(self) -> int:
        return now.kitchen.at_the_gate()

    async def open(self) -> None:
        self._let_all_through()

    def _let_all_through(self) -> None:
        now.kitchen.gate = False
        now.kitchen.changed()


class SilentLine:
    """`bench.RoundTrips` in front of the stand-in, for a line that falls silent."""

    def __init__(self, dsn: str) -> None:
        self.dsn = f"{dsn}-silent-{len(now.kitchen.lines)}"
        self.line: Line = now.kitchen.line(self.dsn)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.line.silent = False
        now.kitchen.changed()

    @property
    def trips(self) -> int:
        return self.line.trips

    @property
    def delay(self) -> float:
        return 3600.0 * self.line.silent

    @delay.setter
    def delay(self, seconds: float) -> None:
        self.line.silent = seconds > 0


class Door:
    """A socket that nobody listens at, and later one that lets everybody in and says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.silent = False
        now.kitchen.changed()

    def bind(self, address: tuple[str, int]) -> None:
        self.line = now.kitchen.line("postgresql://nobody:nothing@127.0.0.1:1/nowhere")
        self.line.refuses = True

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    def listen(self) -> None:
        self.line.refuses, self.line.silent, self.line.knocks = False, True, 0

    def setblocking(self, flag: bool) -> None:
        """It never does."""

    def accept(self) -> tuple[Door, None]:
        if not self.line.knocks:
            raise BlockingIOError
        return self, None

    def close(self) -> None:
        """Nothing is to be closed."""
