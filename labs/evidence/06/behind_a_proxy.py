"""A proxy stands between the guest and uvicorn. The guest leaves. Who hears of it?

Our proxy is a few lines: it hands on every byte. When the guest closes the connection, it either
closes its own connection to uvicorn, or keeps it until the answer has come. Real proxies do both:
nginx closes unless `proxy_ignore_client_abort` is on; HAProxy keeps unless `abortonclose` is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import asyncpg

from bench import Client, Gate, Postgres, claim, serve, until
from bistro.database import prepare

PATHS = "/listening", "/stream"  # both hear a guest who leaves them directly
WRITTEN = "select count(*) from looks"
Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Hands on what a guest and the server at `url` say to each other."""

    def __init__(self, url: str, keeps: bool) -> None:
        self.server, self.keeps = urlsplit(url), keeps
        self.left = 0  # guests who have closed their connection

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer, upstream = await asyncio.open_connection(self.server.hostname, self.server.port)
        back = asyncio.create_task(self.hand_on(answer, writer))
        await self.hand_on(reader, upstream)
        self.left += 1
        if self.keeps:
            await back  # whoever asked is gone; the answer is read all the same
        upstream.close()
        await asyncio.gather(back, return_exceptions=True)
        writer.close()

    async def hand_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not writer.is_closing():
                writer.write(data)


@asynccontextmanager
async def proxied(url: str, keeps: bool) -> AsyncIterator[tuple[Proxy, str, int]]:
    """A proxy on 127.0.0.1, its host and its port."""
    proxy = Proxy(url, keeps)
    async with await asyncio.start_server(proxy.handle, "127.0.0.1", 0) as listener:
        yield proxy, *listener.sockets[0].getsockname()


async def leaves(dsn: str, url: str, path: str, keeps: bool) -> tuple[bool, int]:
    """Whether the order goes on after its guest has left through a proxy; rows written for it."""
    desk = await asyncpg.connect(dsn)
    before = await desk.fetchval(WRITTEN)
    async with (
        Gate(dsn) as gate,
        Client(url) as other,
        proxied(url, keeps) as (proxy, host, port),
    ):
        _, guest = await asyncio.open_connection(host, port)
        guest.write(f"GET {path} HTTP/1.1\r\nHost: bistro\r\nConnection: close\r\n\r\n".encode())
        await gate.until_waiting(1)
        guest.close()
        await until(lambda: proxy.left == 1, what="the proxy to see that the guest has left")

        async def stopped() -> bool:
            return await gate.waiting() == 0

        if not keeps:
            with suppress(TimeoutError):
                await until(stopped, 20)
        for _ in range(20):  # the server answers others, so its loop has had its turns
            await other.get("/ping")
        goes_on = await gate.waiting() == 1
        await gate.open()
    async with Gate(dsn):  # whoever was at the gate is through
        rows = await desk.fetchval(WRITTEN) - before
    await desk.close()
    return goes_on, rows


async def main() -> None:
    seen = {}
    async with Postgres() as pg:
        await prepare(pg.dsn)
        async with serve("bistro.leaving:app", env={"BISTRO_DSN": pg.dsn}) as server:
            for keeps in False, True:
                for path in PATHS:
                    seen[keeps, path] = await leaves(pg.dsn, server.url, path, keeps)
    for (keeps, path), (goes_on, rows) in seen.items():
        proxy = "keeps its connection" if keeps else "closes it, too"
        print(f"the proxy {proxy:21}{path:11} {'goes on' if goes_on else 'stops'}, {rows} written")
    claim(
        "a-proxy-that-closes-passes-it-on",
        "A proxy that closes as well: a route that listens and a stream stop.",
        [seen[False, path] for path in PATHS] == [(False, 0)] * 2,
    )
    claim(
        "a-proxy-that-keeps-hides-the-leaving",
        "A proxy that keeps its connection: both go on, and write orders for nobody.",
        [seen[True, path] for path in PATHS] == [(True, 1)] * 2,
    )


if __name__ == "__main__":
    asyncio.run(main())
