"""How a value travels: beside the text, in a message of its own, or written into the text.

A proxy keeps what each driver sends. psycopg's ClientCursor stands for drivers that write values
into the text themselves, as psycopg2 does: the driver quotes, and the server gets one text.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import psycopg

from bench import Postgres, claim
from bistro.database import prepare

NAME = "O'Neill' or true --"
NAMES = {"P": "Parse", "B": "Bind", "Q": "Query"}
MAY_WE_ENCRYPT = 80877103, 80877104


async def carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, kept: bytearray
) -> None:
    while data := await source.read(65536):
        kept += data
        target.write(data)
    target.close()


@asynccontextmanager
async def overheard(dsn: str) -> AsyncIterator[tuple[str, bytearray]]:
    """The address of a proxy, and all bytes that its one client sends to the server."""
    sent, server_at = bytearray(), urlsplit(dsn)

    async def serve(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        server_in, server_out = await asyncio.open_connection(server_at.hostname, server_at.port)
        await asyncio.gather(
            carry(client_in, server_out, sent), carry(server_in, client_out, bytearray())
        )

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as door:
        port = door.sockets[0].getsockname()[1]
        yield dsn.replace(f":{server_at.port}/", f":{port}/"), sent


def messages(sent: bytes) -> Iterator[tuple[str, bytes]]:
    """The client's messages after its start-up: letter and body."""
    while sent[4:8] and int.from_bytes(sent[4:8], "big") in MAY_WE_ENCRYPT:
        sent = sent[8:]
    sent = sent[int.from_bytes(sent[:4], "big") :]
    while sent:
        length = int.from_bytes(sent[1:5], "big")
        yield chr(sent[0]), sent[5 : 1 + length]
        sent = sent[1 + length :]


async def by_asyncpg(dsn: str) -> int:
    window = await asyncpg.connect(dsn)
    try:
        return len(await window.fetch("select 1 from guests where name = $1", NAME))
    finally:
        await window.close()


async def by_psycopg(dsn: str, cursor: type = psycopg.AsyncCursor) -> int:
    connect = psycopg.AsyncConnection.connect
    async with await connect(dsn, cursor_factory=cursor) as window:
        found = await window.execute("select 1 from guests where name = %s", [NAME])
        return len(await found.fetchall())


async def by_client_cursor(dsn: str) -> int:
    return await by_psycopg(dsn, psycopg.AsyncClientCursor)


async def carriers(dsn: str, ask: Callable[[str], Awaitable[int]]) -> tuple[dict[str, bytes], int]:
    """{message: its body} for the messages that hold the value or the query, and the rows found."""
    async with overheard(dsn) as (address, sent):
        rows = await ask(address)
        ours = [m for m in messages(bytes(sent)) if b"guests" in m[1] or b"true" in m[1]]
        return {NAMES[kind]: body for kind, body in ours}, rows


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        asks = by_asyncpg, by_psycopg, by_client_cursor
        seen = {ask.__name__: await carriers(pg.dsn, ask) for ask in asks}
    for name, (found, rows) in seen.items():
        print(f"{name.replace('_', ' ')}: {rows} rows")
        for kind, body in found.items():
            printable = "".join(chr(b) if 32 <= b < 127 else " " for b in body)
            print(f"  {kind:6} {' '.join(printable.split())}")
    apart = [found for found, _ in (seen["by_asyncpg"], seen["by_psycopg"])]
    inline = seen["by_client_cursor"][0]
    claim(
        "value-travels-apart",
        "asyncpg and psycopg: the text is in Parse, and the value in Bind, as it was given.",
        [(NAME.encode() in one.get("Bind", b""), list(one)) for one in apart]
        == [(True, ["Parse", "Bind"])] * 2
        and all(b"true" not in one["Parse"] for one in apart),
    )
    claim(
        "a-client-cursor-quotes-inline",
        "ClientCursor: one Query with the value inside, its quotes doubled; no row is found.",
        list(inline) == ["Query"]
        and NAME.replace("'", "''").encode() in inline["Query"]
        and [rows for _, rows in seen.values()] == [0, 0, 0],
    )


if __name__ == "__main__":
    # psycopg's AsyncConnection needs this kind of loop; on Windows it is not the default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
