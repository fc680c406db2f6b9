"""What asyncpg and PostgreSQL say to each other, message by message, and when.

    async with Wiretap(connection) as wire:
        await connection.fetchval("select price_cents from dishes where id = $1", 1)
    print(wire.transcript())

`protocol_messages.py` says what the bytes mean.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import asyncpg

from bench.instruments.looptrace import LoopTrace
from bench.instruments.protocol_messages import RECEIVED, SENT, Message, meaning, messages
from bench.traces.building import build_trace


class Event(NamedTuple):
    """Something happened at `at` (time.perf_counter()).

    `what` is "sent" (the operating system has the bytes), "received" (the loop gives bytes to
    asyncpg) or "decoded" (asyncpg is done with them; same messages as the "received" before).
    """

    at: float
    what: str
    messages: list[Message]

    def __str__(self) -> str:
        letters = " ".join(message.letter for message in self.messages)
        return f"{self.what} {letters}"


class Wiretap:
    """Listens to one open asyncpg connection, inside `async with`. It changes no byte.

    `tell`, if given, is called with each Event at once. The connection must be on a selector
    loop of asyncio (not uvloop: RuntimeError) and without TLS. Both ends of a conversation run
    on the loop's thread, so the order of events is their true order. On exit the connection is
    as it was.
    """

    def __init__(
        self, connection: asyncpg.Connection, tell: Callable[[Event], object] | None = None
    ) -> None:
        self.events: list[Event] = []
        self._tell = tell or (lambda event: None)
        private: Any = connection  # asyncpg shows nobody its transport
        self._transport = private._transport

    @property
    def socket(self) -> int:
        """The file descriptor of the connection's socket, to ask the operating system about."""
        return self._transport.get_extra_info("socket").fileno()

    async def __aenter__(self) -> Wiretap:
        transport = self._transport
        self._protocol = transport.get_protocol()
        write = transport.write

        def write_and_note(data: bytes) -> None:
            write(data)
            what = "buffered" if transport.get_write_buffer_size() else "sent"
            self._note(what, list(messages(bytes(data), SENT)))

        try:
            transport.write = write_and_note
        except AttributeError:
            raise RuntimeError("Wiretap needs a loop of asyncio; uvloop lets nobody in.") from None
        transport.set_protocol(_Listener(self._protocol, self))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        del self._transport.write
        self._transport.set_protocol(self._protocol)

    def _note(self, what: str, heard: list[Message]) -> None:
        self.events.append(Event(time.perf_counter(), what, heard))
        self._tell(self.events[-1])

    def life(self, trace: LoopTrace) -> dict[str, Any]:
        """The life of one query in the trace format: the task's lane, asyncpg's, the server's.

        For a cached query that one task asked inside both blocks: one "sent", one answer, and two
        steps of the task. Raises ValueError for anything else.
        """
        at = {event.what: event.at - trace.began for event in self.events}
        if list(at) != ["sent", "received", "decoded"] or len(self.events) != 3:
            raise ValueError(f"This is not the life of one cached query: {', '.join(at)}.")
        asks, goes_on = trace.steps
        sent, received, decoded = at.values()
        task = [
            ("running", asks.begin, asks.end, "asks"),
            ("database", asks.end, decoded, None),
            ("ready", decoded, goes_on.begin, None),
            ("running", goes_on.begin, goes_on.end, "goes on"),
        ]
        return build_trace(
            [
                ("your task", task),
                ("server", [("database", sent, received, None)]),
                ("asyncpg reads", [("running", received, decoded, "decodes the rows")]),
            ],
            duration=trace.duration,
            title="The life of one query",
            summary="Your task asks and stops, the server works, asyncpg decodes the answer, "
            "and your task goes on.",
        ).to_json()

    def transcript(self) -> str:
        """A line for each message: direction, letter, name, length in bytes, what it says."""
        lines = []
        for event in self.events:
            arrow = {"sent": "→", "buffered": "→", "received": "←"}.get(event.what)
            for message in event.messages if arrow else []:
                length = 1 + 4 + len(message.body)
                line = f"{arrow} {message.letter} {message.name:<16}{length:3}  {meaning(message)}"
                lines.append(line.rstrip())
        return "\n".join(lines)


class _Listener(asyncio.Protocol):
    """Stands in for asyncpg's protocol, and hands everything on."""

    def __init__(self, protocol: Any, wire: Wiretap) -> None:
        self._protocol = protocol
        self._wire = wire
        for name in "connection_lost", "pause_writing", "resume_writing", "eof_received":
            if hasattr(protocol, name):
                setattr(self, name, getattr(protocol, name))

    def data_received(self, data: bytes) -> None:
        heard = list(messages(data, RECEIVED))
        self._wire._note("received", heard)
        self._protocol.data_received(data)
        self._wire._note("decoded", heard)
