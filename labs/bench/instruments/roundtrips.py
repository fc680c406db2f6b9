"""Count network round trips to PostgreSQL exactly, and make each of them as slow as you like."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit, urlunsplit

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
_PIECE = 65536  # bytes
_LONGEST_LINE = 256  # pieces under way in one direction; then the sender has to wait
_ASKS_FOR_MORE = {2, 3, 5, 7, 8, 9, 10, 11}  # authentication codes that the client must answer


class RoundTrips:
    """A proxy in front of one PostgreSQL server that counts network round trips.

        async with RoundTrips(pg.dsn) as net:
            connection = await asyncpg.connect(net.dsn)
            net.reset()
            await connection.fetchval("select 1")
            print(net.trips, net.messages)

    A round trip begins when a client sends a message while nothing that it sent before is still
    without an answer, and it ends when everything sent meanwhile is answered. Messages sent
    together (a pipeline) are therefore one trip, and so is an answer of any size. The proxy
    reads the messages of the protocol and not the packets: how TCP cuts the bytes does not matter.
    A trip is counted before its bytes go on, so `trips` is exact as soon as the answer is there.

    Counted too: the question for encryption (asyncpg and libpq ask it first unless told
    otherwise; the proxy itself answers "no", so the traffic stays readable), each step of the
    authentication, and the request on an extra connection by which a driver cancels a query
    (asyncpg sends it in the background; its next query waits for that). Not counted: the TCP
    handshake, and Terminate, which nobody answers.

    `delay` is the time in seconds added to each trip, one half on the way to the server and one
    half on the way back. It delays, it does not narrow: a pipeline is delayed once. Each
    half ends at the loop's next timer, so a trip is up to some milliseconds longer than asked:
    measure a trip before you draw over it. A timer may also fire early by the clock's resolution.

    The proxy lives on the running loop: call a blocking driver in a thread, or it waits for a
    proxy that waits for the loop. Exit ends the connections that are still open.
    """

    def __init__(self, dsn: str, delay: float = 0.0) -> None:
        address = urlsplit(dsn)
        if not address.hostname or "," in address.netloc:
            raise ValueError("RoundTrips needs a DSN with one TCP host: postgresql://user@host/db.")
        if delay < 0:
            raise ValueError("The delay of RoundTrips must not be negative.")
        self.delay = delay
        self.connections = 0
        self.dsn = ""
        self._address = address
        self._trips: list[list[str]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> RoundTrips:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._address.netloc.rpartition("@")
        self.dsn = urlunsplit(self._address._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def trips(self) -> int:
        """Round trips begun on all connections since entry or the last `reset()`."""
        return len(self._trips)

    @property
    def messages(self) -> list[str]:
        """What the client sent on each trip, in the order in which the trips began.

        One letter per message as in the PostgreSQL manual (P parse, B bind, D describe, E execute,
        S sync, Q query, p password …), or a name: "SSLRequest", "Startup", "CancelRequest".
        """
        return ["".join(letters) for letters in self._trips]

    def reset(self) -> None:
        """Count from zero again: `trips`, `messages`, `connections`. Open connections stay open."""
        self._trips = []
        self.connections = 0

    def _begin_trip(self) -> list[str]:
        self._trips.append([])
        return self._trips[-1]

    def _accept(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        if not self._server.is_serving():  # it knocked while __aexit__ closed the door
            client_out.transport.abort()
            return
        self.connections += 1
        task = asyncio.create_task(self._serve(client_in, client_out))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: client_out.close())  # also if it never began

    async def _serve(
        self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter
    ) -> None:
        outs = [client_out]
        try:
            await self._relay(client_in, outs)
        except asyncio.CancelledError:
            for out in outs:
                out.transport.abort()
            raise
        finally:
            for out in outs:
                out.close()
            for out in outs:
                with contextlib.suppress(OSError):
                    await out.wait_closed()

    async def _relay(
        self, client_in: asyncio.StreamReader, outs: list[asyncio.StreamWriter]
    ) -> None:
        """Carry both directions until either end closes. `outs` gets the writer to the server."""
        conversation = Conversation(self._begin_trip)
        try:
            start = await self._decline_encryption(client_in, outs[0], conversation)
            address = self._address.hostname, self._address.port or 5432
            server_in, server_out = await asyncio.open_connection(*address)
            outs.append(server_out)
            to_server, to_client = (asyncio.Queue(_LONGEST_LINE) for _ in range(2))
            async with asyncio.TaskGroup() as ways:
                tell = conversation.client_sent
                ways.create_task(self._receive(client_in, to_server, tell, start))
                ways.create_task(self._deliver(to_server, server_out))
                tell = conversation.server_sent
                ways.create_task(self._receive(server_in, to_client, tell))
                ways.create_task(self._deliver(to_client, outs[0]))
        except* (OSError, EOFError):
            pass  # a lost connection is an end like any other: the caller closes both ends

    async def _decline_encryption(
        self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter, talk: Conversation
    ) -> bytes:
        """Answer "no" to each request for encryption; return the start of what comes next."""
        while True:
            start = await client_in.readexactly(8)  # length and number
            if _NAMES.get(int.from_bytes(start[4:])) not in ("SSLRequest", "GSSENCRequest"):
                return start
            talk.client_sent(start)
            await asyncio.sleep(self.delay)
            talk.declined()
            client_out.write(b"N")

    async def _receive(
        self,
        source: asyncio.StreamReader,
        line: asyncio.Queue[tuple[float, bytes]],
        tell: Callable[[bytes], None],
        data: bytes = b"",
    ) -> None:
        """Put what arrives on the line, each piece with the time when it is due at the far end."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            data = data or await source.read(_PIECE)
            while data:
                tell(data)
                await line.put((loop.time() + self.delay / 2, data))
                data = await source.read(_PIECE)
        await line.put((loop.time() + self.delay / 2, b""))

    async def _deliver(
        self, line: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due, data = await line.get()
            if due > loop.time():
                await asyncio.sleep(due - loop.time())
            if not data:
                target.close()
                return
            target.write(data)
            await target.drain()


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
                name = _NAMES.get(int.from_bytes(body), "Startup")
                self._started = name in ("Startup", "CancelRequest")
                yield name, body
            self._skip = letter + length
