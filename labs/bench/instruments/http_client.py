"""A lean HTTP client, so that a measurement is of the server and not of the client.

One asyncio.Protocol per connection, keep-alive, no dependency. A reply needs a
Content-Length header, as FastAPI's JSON replies have; a chunked reply is refused with an error.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import cast
from urllib.parse import urlsplit

NO_LENGTH = (
    "The reply to {what} (status {status}) has no Content-Length; this client reads no chunked or "
    "streamed replies. Use httpx for this route."
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered request. The three times are `time.perf_counter()` values, in seconds."""

    due: float
    """When the guest wanted to send it."""
    sent: float
    """When it was written to the connection: never before `due`."""
    done: float
    """When the last byte of the reply was read."""
    status: int
    body: bytes

    @property
    def latency(self) -> float:
        """Seconds from due to done: what the guest has waited."""
        return self.done - self.due

    def json(self) -> object:
        """The body, decoded as JSON."""
        return json.loads(self.body)


class Client:
    """Keep-alive connections to one server: `async with Client(url) as client`.

    `connections` are opened on entry, further ones when all are busy. The block's end closes all.
    """

    def __init__(self, url: str, connections: int = 1) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname is None:
            raise ValueError(f"This client needs an address like http://127.0.0.1:8000, not {url}.")
        self.url = url
        self._host, self._port = parts.hostname, parts.port or 80
        self._warm = connections
        self._open: set[_Connection] = set()
        self._free: list[_Connection] = []

    async def __aenter__(self) -> Client:
        try:
            for _ in range(self._warm):
                self._free.append(await self._connect())
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._close()
        await asyncio.sleep(0)  # one turn of the loop, in which the transports close their sockets

    async def get(self, path: str, *, due: float | None = None) -> Reply:
        """`send` a GET without a body."""
        return await self.send("GET", path, due=due)

    async def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        due: float | None = None,
    ) -> Reply:
        """Send one request and return the reply, of any status.

        `headers` come beside Host, and beside Content-Length where there is a body. `due` is when
        it should have been sent; now, if left out. Any number of calls may be in flight. Raises
        ValueError for a line break in method, path or a header, and for a reply without
        Content-Length; ConnectionError when the server closes the connection before the reply is
        complete. If the caller is cancelled, the connection is closed, since its reply would
        belong to nobody.
        """
        due = perf_counter() if due is None else due
        request = written(method, path, f"{self._host}:{self._port}", headers or {}, body)
        connection = self._take() or await self._connect()
        try:
            status, body, sent, done = await connection.ask(f"{method} {path}", request)
        except BaseException:
            connection.close()
            self._open.discard(connection)
            raise
        if connection.closed:  # it was the server's last reply on this connection
            connection.close()
            self._open.discard(connection)
        else:
            self._free.append(connection)
        return Reply(due, sent, done, status, body)

    def _take(self) -> _Connection | None:
        while self._free:
            connection = self._free.pop()
            if not connection.closed:
                return connection
            self._open.discard(connection)
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(_Connection, self._host, self._port)
        except ConnectionError as error:
            raise ConnectionError(f"No server answers at {self.url}: is it running?") from error
        self._open.add(connection)
        return connection

    def _close(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()
        self._free.clear()


def written(
    method: str, path: str, host: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """A request of HTTP/1.1 as bytes. Raises ValueError for a line break where none may be."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}"] * bool(body)
    if any(mark in line for line in lines for mark in "\r\n"):
        raise ValueError("A line break stands in the method, the path or a header.")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


_Received = tuple[int, bytes, float, float]  # status, body, sent, done


class _Connection(asyncio.Protocol):
    """One connection with at most one request in flight."""

    def __init__(self) -> None:
        self.closed = False
        self._reply: asyncio.Future[_Received] | None = None
        self._received = b""
        self._what = ""
        self._sent = 0.0

    def ask(self, what: str, request: bytes) -> asyncio.Future[_Received]:
        """Send a request, `what` in words. The future's result is (status, body, sent, done)."""
        self._reply = reply = asyncio.get_running_loop().create_future()
        self._what = what
        self._sent = perf_counter()
        if self.closed:  # between connecting and asking
            self.connection_lost(None)
        self._transport.write(request)
        return reply

    def close(self) -> None:
        self.closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        status = int(head[9:12])
        length = 0 if self._what.startswith("HEAD ") else _content_length(head, status)
        if length is None:
            self._finish(ValueError(NO_LENGTH.format(what=self._what, status=status)))
        elif len(body) >= length:
            self._received = b""
            # uvicorn closes after an unhandled exception, a moment after its reply with status 500
            self.closed |= status == 500 or b"\r\nconnection: close" in head.lower()
            self._finish((status, body[:length], self._sent, perf_counter()))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._finish(
            ConnectionError(
                f"The server closed the connection before its reply to {self._what} was "
                "complete. Look at the end of the server's log."
            )
        )

    def _finish(self, outcome: _Received | Exception) -> None:
        reply, self._reply = self._reply, None
        if reply is None or reply.done():
            return
        if isinstance(outcome, Exception):
            reply.set_exception(outcome)
        else:
            reply.set_result(outcome)


def _content_length(head: bytes, status: int) -> int | None:
    if status in (204, 304):
        return 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None
