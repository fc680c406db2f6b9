"""What a client and PostgreSQL owe each other: a connection's messages, cut into round trips."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

# First messages of a connection have no letter but a number (PostgreSQL manual, chapter
# "Frontend/Backend Protocol", section "Message Formats").
_NAMES = {80877102: "CancelRequest", 80877103: "SSLRequest", 80877104: "GSSENCRequest"}

# Which answer of the server settles which message of the client.
_SETTLES = {
    "1": "P",  # ParseComplete
    "2": "B",  # BindComplete
    "3": "C",  # CloseComplete
    "T": "D",  # RowDescription, after Describe
    "n": "D",  # NoData, after Describe
    "C": "E",  # CommandComplete, after Execute
    "s": "E",  # PortalSuspended
    "I": "E",  # EmptyQueryResponse
}
_UNTIL_READY = ("Startup", "Q", "F", "S")  # settled by ReadyForQuery
_COPY = "dcf"  # CopyData, CopyDone, CopyFail: the tail of a COPY, not a question of their own
_ASKS_FOR_MORE = {2, 3, 5, 7, 8, 9, 10, 11}  # authentication codes that the client must answer


def first_message(body: bytes) -> str:
    """The name of a message without a letter, from the number at the start of its body."""
    return _NAMES.get(int.from_bytes(body), "Startup")


class Conversation:
    """The messages of one connection, read from both directions, cut into round trips.

    Keeps the list of messages that the server still owes an answer. A trip is over when the
    list is empty and the client's last message was one that makes the server send what it has:
    Sync, Flush, a simple query. (After Execute alone, an early answer only means that the
    server's buffer was full.) The server can also give the turn back before the end: it asks
    for a password, or for the data of a COPY.
    """

    def __init__(self, begin_trip: Callable[[], list[str]]) -> None:
        self._begin_trip = begin_trip
        self._trip: list[str] | None = None
        self._owed: deque[str] = deque()
        self._client_waits = False
        self._copying = False
        self._from_client = Messages(started=False)
        self._from_server = Messages(started=True)

    def client_sent(self, data: bytes) -> None:
        for name, _ in self._from_client.feed(data):
            self._ask(name)

    def server_sent(self, data: bytes) -> None:
        for letter, body in self._from_server.feed(data):
            self._answer(letter, body)

    def declined(self) -> None:
        """The proxy itself has answered a request for encryption."""
        self._owed.clear()
        self._trip = None

    def _ask(self, letter: str) -> None:
        if letter == "X":  # Terminate: nobody answers
            return
        in_copy = self._copying and letter in "SH"  # the server ignores these during a COPY
        if self._trip is None:
            if in_copy or letter == "H" or (letter in _COPY and not self._owed):
                return  # nothing is asked: the tail of something that is over
            self._trip = self._begin_trip()
        self._trip.append(letter)
        if letter in "cf":
            self._copying = False
        if letter not in _COPY and letter not in "pH" and not in_copy:
            self._owed.append(letter)
        self._client_waits = letter not in "PBDECd"

    def _answer(self, letter: str, body: bytes) -> None:
        owed = self._owed
        if letter == "R" and int.from_bytes(body) in _ASKS_FOR_MORE:
            self._trip = None
            return
        if letter in "GW":  # CopyInResponse, CopyBothResponse: send your data
            self._copying = True
            self._owed = deque(message for message in owed if message != "S")
            if self._trip and self._trip[-1] not in _COPY:  # asyncpg does not wait to be told
                self._trip = None
            return
        if letter == "Z":  # ReadyForQuery
            while owed and owed.popleft() not in _UNTIL_READY:
                pass
        elif letter == "E":  # ErrorResponse: the server skips to the next Sync
            self._copying = False
            while owed and owed[0] not in _UNTIL_READY:
                owed.popleft()
        elif owed and owed[0] == _SETTLES.get(letter):
            owed.popleft()
        if not owed and (self._client_waits or letter == "Z"):
            self._trip = None


class Messages:
    """Cuts a stream of bytes into messages, however TCP has cut it before.

    A message is reported with its name and the first four bytes of its body as soon as these
    have arrived, not when it is complete: that is when the sender began to send it.
    """

    def __init__(self, started: bool) -> None:
        self._started = started  # a client's first messages have no letter
        self._buffer = bytearray()
        self._skip = 0

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        self._buffer += data
        while True:
            del self._buffer[: (skipped := min(self._skip, len(self._buffer)))]
            self._skip -= skipped
            letter = 1 if self._started else 0
            length = int.from_bytes(self._buffer[letter : letter + 4])
            if len(self._buffer) < letter + min(8, max(4, length)):
                return
            body = bytes(self._buffer[letter + 4 : letter + min(8, length)])
            if self._started:
                yield chr(self._buffer[0]), body
            else:
                name = first_message(body)
                self._started = name in ("Startup", "CancelRequest")
                yield name, body
            self._skip = letter + length
