"""The counting proxy of a visit: which statements went over which connection, and when."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.instruments.conversations import Conversation
from bench.instruments.roundtrips import RoundTrips

_ENCRYPTION = (80877103, 80877104)  # requests without a letter that are no startup yet


@dataclass
class Trip:
    """One round trip. Times are `time.perf_counter()` seconds, as the application sees them."""

    port: int
    """The application's local port of the connection."""
    begin: float
    end: float | None = None
    statements: list[str] = field(default_factory=list)
    """What was asked; empty while a connection opens."""
    letters: list[str] = field(default_factory=list)

    @property
    def opening(self) -> bool:
        """Whether it belongs to the opening of a connection."""
        return not self.statements and not set("PBQEX") & set(self.letters)


class Wire(RoundTrips):
    """`RoundTrips` that also keeps the statements and the times of each trip, in `log`."""

    def __init__(self, dsn: str, delay: float = 0.0) -> None:
        super().__init__(dsn, delay)
        self.log: list[Trip] = []
        self._listeners: list[_Listener] = []

    @property
    def refused_tls(self) -> bool:
        """Whether a client asked for TLS, which no proxy can read, and left without it."""
        return any(one.asked_tls and not one.started for one in self._listeners)

    def _converse(self, port: int) -> Conversation:
        self._listeners.append(_Listener(self._begin_trip, port, self.log, self.delay / 2))
        return self._listeners[-1]


class _Listener(Conversation):
    """Reads the whole messages of a client, and not only their names."""

    def __init__(
        self, begin_trip: Callable[[], list[str]], port: int, log: list[Trip], way: float
    ) -> None:
        super().__init__(begin_trip)
        self._port, self._log, self._way = port, log, way
        self._now: Trip | None = None
        self._bytes = b""
        self.started = self.asked_tls = False
        self._named: dict[bytes, str] = {}
        self._portals: dict[bytes, str] = {}

    def client_sent(self, data: bytes) -> None:
        before = self._trip
        super().client_sent(data)
        if self._trip is not None and self._trip is not before:
            self._now = Trip(self._port, time.perf_counter(), letters=self._trip)
            self._log.append(self._now)
        for text in self._texts(data):
            if self._now and text not in self._now.statements:
                self._now.statements.append(text)

    def server_sent(self, data: bytes) -> None:
        under_way = self._trip
        super().server_sent(data)
        if under_way is not None and self._trip is None:
            self._ended()

    def declined(self) -> None:
        super().declined()
        self._ended()

    def _ended(self) -> None:
        if self._now:
            self._now.end = time.perf_counter() + self._way

    def _texts(self, data: bytes) -> list[str]:
        """The statements of the messages that are complete now."""
        self._bytes += data
        found: list[str] = []
        while True:
            letter = self._bytes[:1] if self.started else b""
            size = int.from_bytes(self._bytes[len(letter) : len(letter) + 4])
            if len(self._bytes) < len(letter) + max(size, 4):
                return found
            body = self._bytes[len(letter) + 4 : len(letter) + size]
            self._bytes = self._bytes[len(letter) + size :]
            if not self.started:
                self.started = int.from_bytes(body[:4]) not in _ENCRYPTION
                self.asked_tls |= not self.started
            elif (text := self._statement(letter, body.split(b"\0"))) is not None:
                found.append(text)

    def _statement(self, letter: bytes, parts: list[bytes]) -> str | None:
        if letter == b"Q":
            return parts[0].decode(errors="replace")
        if letter == b"P" and len(parts) > 1:
            self._named[parts[0]] = parts[1].decode(errors="replace")
            return self._named[parts[0]]
        if letter == b"B" and len(parts) > 1:
            self._portals[parts[0]] = self._named.get(parts[1], "a statement prepared before")
            return self._portals[parts[0]]
        if letter == b"E":
            return self._portals.get(parts[0])
        return None


_LISTS = re.compile(r"\(\s*\?(?:\s*,\s*\?)+\s*\)")
_VALUES = re.compile(r"""E?'(?:[^']|'')*'|\$\d+|%s|%\(\w+\)s|(?<![\w"$])-?\d+(?:\.\d+)?\b""")
_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)


def shape(statement: str) -> str:
    """A statement without its values, comments and line breaks: what is stored and compared."""
    bare = _VALUES.sub("?", _COMMENTS.sub(" ", statement))
    return re.sub(r"\s+", " ", _LISTS.sub("(?, …)", bare)).strip()
