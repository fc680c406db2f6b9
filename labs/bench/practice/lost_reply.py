"""A line to PostgreSQL that loses one reply and its connection, delivers one late, or is silent.

Without the reply the client cannot know whether its commit has been done. It has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit, urlunsplit

PIECE = 65536  # bytes
Condition = Callable[[], Awaitable[bool]]


class Line:
    """A proxy in front of the PostgreSQL of `dsn`. Made by `line`; `dsn` leads through it."""

    def __init__(self, dsn: str) -> None:
        self._address = urlsplit(dsn)
        self._lose: Condition | None = None
        self._late: Condition | None = None
        self._held, self._on = asyncio.Event(), asyncio.Event()
        self._asking = asyncio.Lock()
        self._speaks = asyncio.Event()
        self._speaks.set()
        self.questions = 0  # pieces that clients have sent
        self.tasks: set[asyncio.Task[None]] = set()
        self.dsn = ""

    def lose(self, when: Condition | None) -> None:
        """Lose the first reply at which `when()` is true. None: lose none any more.

        PostgreSQL answers a commit when it is done, so whoever asks whether a row is there loses
        the reply to the commit of that row.
        """
        self._lose = when

    @property
    def lost(self) -> bool:
        """Whether nothing more is to be lost."""
        return self._lose is None

    @contextmanager
    def late(self, when: Condition) -> Iterator[asyncio.Event]:
        """The first reply at which `when()` is true comes when the block ends.

        Gives an event that is set as soon as that reply is held back.
        """
        self._late, self._held, self._on = when, asyncio.Event(), asyncio.Event()
        try:
            yield self._held
        finally:
            self._late = None
            self._on.set()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Questions arrive, and until the block ends no reply does."""
        self._speaks.clear()
        try:
            yield
        finally:
            self._speaks.set()

    def listens_at(self, port: int) -> None:
        user, at, _ = self._address.netloc.rpartition("@")
        self.dsn = urlunsplit(self._address._replace(netloc=f"{user}{at}127.0.0.1:{port}"))

    def accept(self, asks: asyncio.StreamReader, hears: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(asks, hears))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _carry(self, asks: asyncio.StreamReader, hears: asyncio.StreamWriter) -> None:
        ends = [hears]
        try:
            address = self._address.hostname, self._address.port or 5432
            answers, asked = await asyncio.open_connection(*address)
            ends.append(asked)
            ways = [
                asyncio.create_task(self._questions(asks, asked)),
                asyncio.create_task(self._replies(answers, hears)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        finally:
            for end in ends:
                end.transport.abort()

    async def _questions(self, asks: asyncio.StreamReader, asked: asyncio.StreamWriter) -> None:
        while data := await asks.read(PIECE):
            self.questions += 1
            asked.write(data)
            await asked.drain()

    async def _replies(self, answers: asyncio.StreamReader, hears: asyncio.StreamWriter) -> None:
        while data := await answers.read(PIECE):
            async with self._asking:
                if self._lose and await self._lose():
                    self._lose = None
                    return
                if late := bool(self._late and await self._late()):
                    self._late = None
            if late:
                self._held.set()
                await self._on.wait()
            await self._speaks.wait()
            hears.write(data)
            await hears.drain()


@asynccontextmanager
async def line(dsn: str) -> AsyncIterator[Line]:
    """Such a line, until the block ends. It ends the connections that are still open."""
    made = Line(dsn)
    async with await asyncio.start_server(made.accept, "127.0.0.1", 0) as server:
        made.listens_at(server.sockets[0].getsockname()[1])
        try:
            yield made
        finally:
            for task in made.tasks:
                task.cancel()
            await asyncio.gather(*made.tasks, return_exceptions=True)
