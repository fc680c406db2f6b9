"""The load client against small servers whose every step the test decides."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from bench.instruments.gates import until
from bench.instruments.http_client import Client, Reply
from bench.instruments.load_generators import closed_loop, open_loop

T = TypeVar("T")
Handler = Callable[[str], Awaitable[bytes | None]]


def run(test: Coroutine[None, None, T]) -> T:
    """Run one test; a minute is the sign that it hangs."""
    return asyncio.run(asyncio.wait_for(test, 60))


def reply(body: bytes = b"{}", status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


class Kitchen:
    """A server that answers each request with the bytes its handler returns; None: it hangs up."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.connections = self.open = self.inside = self.peak = self.requests = 0
        self.connections_at_first_request: int | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                if self.connections_at_first_request is None:
                    self.connections_at_first_request = self.connections
                self.requests += 1
                self.inside += 1
                self.peak = max(self.peak, self.inside)
                try:
                    answer = await self.handler(request.split()[1].decode())
                finally:
                    self.inside -= 1
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def kitchen(handler: Handler) -> AsyncIterator[tuple[str, Kitchen]]:
    served = Kitchen(handler)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", served
        await until(lambda: served.open == 0, what="the client to close everything")


async def at_once(path: str) -> bytes:
    return reply(path.encode())


def test_closed_loop_keeps_exactly_its_guests_in_flight() -> None:
    async def main() -> None:
        wave = asyncio.Barrier(5)

        async def when_all_five_are_here(_: str) -> bytes:
            await wave.wait()
            return reply()

        async with kitchen(when_all_five_are_here) as (url, served):
            replies = await closed_loop(url, "/", guests=5, orders=3)
        assert len(replies) == served.requests == 15
        assert served.peak == 5
        assert served.connections == served.connections_at_first_request == 5

    run(main())


def test_closed_loop_a_later_order_is_due_when_the_last_reply_is_done() -> None:
    async def main() -> None:
        async with kitchen(at_once) as (url, _):
            replies = await closed_loop(url, "/soup", guests=4, orders=3)
        assert all(r.status == 200 and r.body == b"/soup" for r in replies)
        assert all(r.due <= r.sent <= r.done for r in replies)
        assert [(r.due, r.sent) for r in replies] == sorted((r.due, r.sent) for r in replies)
        assert len({r.due for r in replies[:4]}) == 1
        assert {r.due for r in replies[4:]} <= {r.done for r in replies}
        assert replies[4].due > replies[0].due

    run(main())


def test_open_loop_goes_on_sending_while_the_server_stalls() -> None:
    async def main() -> None:
        arrived, all_are_here = 0, asyncio.Event()

        async def nobody_is_served_before_all_are_here(_: str) -> bytes:
            nonlocal arrived
            arrived += 1
            if arrived == 100:
                all_are_here.set()
            await all_are_here.wait()
            return reply()

        async with kitchen(nobody_is_served_before_all_are_here) as (url, served):
            replies = await open_loop(url, "/", rate=500, seconds=0.2)
        assert len(replies) == served.peak == served.connections == 100
        assert served.connections_at_first_request == 64
        first = replies[0].due
        assert [r.due - first for r in replies] == pytest.approx([i / 500 for i in range(100)])
        assert all(r.due <= r.sent for r in replies)
        # nobody was served before the last order, so the first guest waited for all the others
        assert min(r.done for r in replies) >= max(r.due for r in replies)
        assert replies[0].latency >= replies[99].due - first

    run(main())


def test_latency_counts_from_due_and_not_from_sent() -> None:
    assert Reply(due=1.0, sent=2.5, done=3.0, status=200, body=b"").latency == 2.0
    assert Reply(0, 0, 0, 200, b'{"began": 1}').json() == {"began": 1}


@pytest.mark.parametrize("last_words", [None, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
@pytest.mark.parametrize("loop", ["closed", "open"])
def test_a_server_that_hangs_up_is_a_clear_error(loop: str, last_words: bytes | None) -> None:
    async def guests(url: str) -> list[Reply]:
        if loop == "closed":
            return await closed_loop(url, "/soup", guests=1)
        return await open_loop(url, "/soup", rate=100, seconds=0.01)

    async def main() -> None:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(last_words or b"")
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ConnectionError, match=r"closed the connection.*GET /soup"):
                await guests(url)

    run(main())


def test_one_failure_ends_the_whole_run_and_closes_everything() -> None:
    async def main() -> None:
        never, first = asyncio.Event(), True

        async def one_is_dropped_and_the_rest_wait_for_ever(_: str) -> None:
            nonlocal first
            if not first:
                await never.wait()
            first = False

        async with kitchen(one_is_dropped_and_the_rest_wait_for_ever) as (url, served):
            with pytest.raises(ConnectionError):
                await closed_loop(url, "/", guests=5)
            never.set()
        assert served.connections == 5

    run(main())


def test_no_server_is_a_clear_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, but nobody listens
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"No server answers at {url}"):
            run(closed_loop(url, "/", guests=1))


def test_a_chunked_reply_is_refused() -> None:
    async def chunked(_: str) -> bytes:
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"

    async def main() -> None:
        async with kitchen(chunked) as (url, _):
            with pytest.raises(ValueError, match=r"GET /stream .*no Content-Length"):
                await closed_loop(url, "/stream", guests=1)

    run(main())


def test_only_plain_http_addresses() -> None:
    with pytest.raises(ValueError, match="https://example"):
        Client("https://example")


def test_sixty_in_flight_and_a_ping_between_them() -> None:
    async def main() -> None:
        opened = asyncio.Event()

        async def held(path: str) -> bytes:
            if path != "/ping":
                await opened.wait()
            return reply(path.encode(), "200 OK" if path == "/ping" else "503 Service Unavailable")

        async with kitchen(held) as (url, served), Client(url, connections=61) as client:
            orders = [asyncio.create_task(client.get(f"/{n}")) for n in range(60)]
            await until(lambda: served.inside == 60)
            async with asyncio.timeout(30):
                assert (await client.get("/ping")).body == b"/ping"
            assert not any(order.done() for order in orders)
            opened.set()
            replies = await asyncio.gather(*orders)
            assert [r.body for r in replies] == [b"/%d" % n for n in range(60)]
            assert {r.status for r in replies} == {503}
            assert served.connections == 61

    run(main())


def test_a_reply_may_come_in_pieces_and_without_a_body() -> None:
    async def main() -> None:
        async def byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            for byte in reply(b"onion soup"):
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            await reader.read()
            writer.close()

        server = await asyncio.start_server(byte_by_byte, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with Client(url) as client:
                assert (await client.get("/")).body == b"onion soup"
                assert (await client.get("/")).status == 204

    run(main())


def test_a_cancelled_request_leaves_no_reply_for_the_next_one() -> None:
    async def main() -> None:
        opened = asyncio.Event()

        async def slow_or_not(path: str) -> bytes:
            if path == "/slow":
                await opened.wait()
            return reply(path.encode())

        async with kitchen(slow_or_not) as (url, served), Client(url) as client:
            slow = asyncio.create_task(client.get("/slow"))
            await until(lambda: served.inside == 1)
            slow.cancel()
            await asyncio.gather(slow, return_exceptions=True)
            opened.set()
            assert (await client.get("/quick")).body == b"/quick"
            assert served.connections == 2

    run(main())


def test_connections_are_kept_until_the_server_ends_them() -> None:
    async def main() -> None:
        async def at_once_but_the_last_says_so(path: str) -> bytes:
            said = b"\r\nConnection: close" if path == "/last" else b""
            return reply(path.encode()).replace(b" OK", b" OK" + said)

        async with (
            kitchen(at_once_but_the_last_says_so) as (url, served),
            Client(url) as client,
        ):
            for _ in range(3):
                await client.get("/")
            assert served.connections == 1
            assert (await client.get("/last")).body == b"/last"
            assert (await client.get("/again")).body == b"/again"
            assert served.connections == 2

    run(main())


def test_a_connection_is_not_used_again_after_a_500() -> None:
    """uvicorn closes it, a moment later than it replies."""

    async def main() -> None:
        async def broken_or_not(path: str) -> bytes:
            return reply(status="500 No" if path == "/broken" else "503 Busy")

        async with kitchen(broken_or_not) as (url, served), Client(url) as client:
            for path in ("/busy", "/busy", "/broken", "/busy"):
                await client.get(path)
            assert served.connections == 2

    run(main())


def test_an_idle_connection_that_the_server_has_closed_is_replaced() -> None:
    async def main() -> None:
        lines: list[asyncio.StreamWriter] = []

        async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.append(writer)
            while await reader.readline():
                pass

        server = await asyncio.start_server(keep, "127.0.0.1", 0)
        async with server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with Client(url) as client:
                (connection,) = client._free
                await until(lambda: len(lines) == 1)
                lines[0].close()
                await until(lambda: connection.closed)
                again = asyncio.create_task(client.get("/"))
                await until(lambda: len(lines) == 2)
                lines[1].write(reply(b"again"))
                assert (await again).body == b"again"
            for line in lines:  # from Python 3.12 on, a server waits for its connections
                line.close()

    run(main())


# ---- methods, headers, bodies ----


@asynccontextmanager
async def echo() -> AsyncIterator[str]:
    """A server that answers with the request itself, as it came."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                found = re.search(rb"Content-Length: (\d+)", head)
                body = await reader.readexactly(int(found[1])) if found else b""
                writer.write(reply(head + body))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_both_loops_send_methods_headers_and_bodies() -> None:
    async def main() -> None:
        order = {"method": "POST", "headers": {"X-Table": "7"}, "body": b"soup"}
        async with echo() as url:
            replies = await closed_loop(url, "/order", guests=2, orders=2, **order)
            replies += await open_loop(url, "/order", rate=100, seconds=0.03, **order)
        assert len(replies) == 7
        for one in replies:
            assert one.body.startswith(b"POST /order HTTP/1.1\r\nHost: 127.0.0.1:")
            assert b"\r\nX-Table: 7\r\nContent-Length: 4\r\n\r\nsoup" in one.body

    run(main())


def test_a_get_has_no_body() -> None:
    async def main() -> bytes:
        async with echo() as url, Client(url) as client:
            return (await client.get("/menu")).body

    assert b"Content-Length" not in run(main())


@pytest.mark.parametrize(
    "request_", [("GET\r\nX: y", "/", {}), ("GET", "/\n", {}), ("GET", "/", {"X": "a\r\nY: b"})]
)
def test_a_line_break_cannot_smuggle_a_header(request_: tuple[str, str, dict[str, str]]) -> None:
    method, path, headers = request_

    async def main() -> None:
        async with echo() as url, Client(url) as client:
            await client.send(method, path, headers=headers)

    with pytest.raises(ValueError, match="line break"):
        run(main())
