"""Count network round trips to PostgreSQL exactly, and make each of them as slow as you like."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from bench.instruments.conversations import Conversation, first_message

_PIECE = 65536  # bytes
_LONGEST_LINE = 256  # pieces under way in one direction; then the sender has to wait

Line = asyncio.Queue[tuple[float, bytes]]
"""Pieces under way in one direction, each with the time when it is due at the far end."""


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
        self.server_ports: set[int] = set()
        """By which `pg_stat_activity.client_port` tells our connections, also closed ones."""
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

    def _converse(self, port: int) -> Conversation:
        """How the connection from that local port of a client is read."""
        return Conversation(self._begin_trip)

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
        conversation = self._converse(outs[0].get_extra_info("peername")[1])
        try:
            start = await self._decline_encryption(client_in, outs[0], conversation)
            address = self._address.hostname, self._address.port or 5432
            server_in, server_out = await asyncio.open_connection(*address)
            outs.append(server_out)
            self.server_ports.add(server_out.get_extra_info("sockname")[1])
            to_server: Line = asyncio.Queue(_LONGEST_LINE)
            to_client: Line = asyncio.Queue(_LONGEST_LINE)
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
        """Answer "no" to each request for encryption; return the whole message that comes next.

        Whole, since PgBouncer refuses a start that arrives in pieces.
        """
        while True:
            start = await client_in.readexactly(8)  # length and number
            if first_message(start[4:]) not in ("SSLRequest", "GSSENCRequest"):
                rest = int.from_bytes(start[:4]) - len(start)
                return start + await client_in.readexactly(max(rest, 0))
            talk.client_sent(start)
            await asyncio.sleep(self.delay)
            talk.declined()
            client_out.write(b"N")

    async def _receive(
        self,
        source: asyncio.StreamReader,
        line: Line,
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

    async def _deliver(self, line: Line, target: asyncio.StreamWriter) -> None:
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
