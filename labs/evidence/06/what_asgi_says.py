"""The news that the guest has left is a message. Here we are the server, so no clock is needed.

First, `is_disconnected()` asks for a message that is there already, a thousand times: in a bare
app, and behind a `BaseHTTPMiddleware`. Then a stream: Starlette listens for the news while it sends
only if the server announces an ASGI version below 2.4. uvicorn 0.54 announces 2.3.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import Response

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

LOOKS = 1000
BODY = {"type": "http.request", "body": b"", "more_body": False}
Message = dict[str, Any]


def request_of(path: str, spec: str) -> Message:
    asgi = {"version": "3.0", "spec_version": spec}
    return {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": b"",
        "query_string": b"", "headers": [], "asgi": asgi,
    }  # fmt: skip


def inbox(left: asyncio.Event) -> Callable[[], Awaitable[Message]]:
    """What a server hands out: the body, and then, when the guest has left, the news of it."""
    messages = iter([BODY])

    async def receive() -> Message:
        if body := next(messages, None):
            return body
        await left.wait()
        return {"type": "http.disconnect"}

    return receive


async def send(message: Message) -> None:
    """Nobody reads it."""


async def looks_until_heard(behind: bool) -> int:
    """How often is_disconnected() is asked until it says so; LOOKS + 1: it never did."""
    looks, left = 0, asyncio.Event()
    left.set()

    async def app(scope: Message, receive: Any, send: Any) -> None:
        nonlocal looks
        request = Request(scope, receive)
        heard = False
        while not heard and looks <= LOOKS:
            looks += 1
            heard = await request.is_disconnected()
            await asyncio.sleep(0)
        await Response()(scope, receive, send)

    async def stamp(request: Request, call_next: Callable) -> Response:
        return await call_next(request)

    inner = BaseHTTPMiddleware(app, stamp) if behind else app
    await inner(request_of("/", "2.3"), inbox(left), send)
    return looks


async def stream_goes_on(dsn: str, spec: str) -> bool:
    """Whether the order of a stream is still at the gate after the news has come."""
    from bistro import leaving

    left = asyncio.Event()
    async with leaving.app.router.lifespan_context(leaving.app), Gate(dsn) as gate:
        stream = leaving.app(request_of("/stream", spec), inbox(left), send)
        order = asyncio.create_task(stream)
        await gate.until_waiting(1)
        left.set()

        async def stopped() -> bool:
            return await gate.waiting() == 0

        with suppress(TimeoutError):
            await until(stopped, 0.5 if spec == "2.4" else 30)
        goes_on = await gate.waiting() == 1
        await gate.open()
        await order
    return goes_on


async def main() -> None:
    bare, behind = await looks_until_heard(False), await looks_until_heard(True)
    async with Postgres() as pg:
        await prepare(pg.dsn)
        os.environ["BISTRO_DSN"] = pg.dsn
        old, new = [await stream_goes_on(pg.dsn, spec) for spec in ("2.3", "2.4")]
    print(f"the news is there: a bare app hears it at look {bare}", end=", ")
    print("behind the middleware", "never" if behind > LOOKS else f"at look {behind}")
    for spec, goes_on in {"2.3": old, "2.4": new}.items():
        print(f"a stream, ASGI {spec}: the order {'goes on' if goes_on else 'stops'}")
    claim(
        "a-thousand-looks-hear-nothing",
        "The news is there: a bare app hears it at its second look, behind the middleware never.",
        (bare, behind) == (2, LOOKS + 1),
    )
    claim(
        "a-stream-listens-below-asgi-2-4",
        "A stream stops if the server announces ASGI 2.3, and goes on if it announces 2.4.",
        (old, new) == (False, True),
    )


if __name__ == "__main__":
    asyncio.run(main())
