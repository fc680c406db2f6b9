"""The guest has left. Does a route behind a BaseHTTPMiddleware receive the news?"""

import asyncio

from asgi import ask
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse


async def main():
    news = asyncio.Event()
    messages = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        if message := next(messages, None):
            return message
        await news.wait()
        return {"type": "http.disconnect"}

    async def route(scope, receive, send):
        async def left():
            while (await receive())["type"] != "http.disconnect":
                pass

        watcher = asyncio.create_task(left())
        await asyncio.sleep(0)
        news.set()
        done, _ = await asyncio.wait([watcher], timeout=1)
        print("hears it" if done else "hears nothing")
        watcher.cancel()
        await PlainTextResponse("")(scope, receive, send)

    async def stamp(request, call_next):
        return await call_next(request)

    await ask(BaseHTTPMiddleware(route, stamp), receive=receive)


asyncio.run(main())
