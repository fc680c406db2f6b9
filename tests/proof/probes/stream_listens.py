"""The guest has left, and a stream has nothing to send. Does it end, by the version of ASGI?"""

import asyncio
import sys

from asgi import ask
from starlette.responses import StreamingResponse


async def main():
    ended = []

    async def lines():
        yield "ordered"
        try:
            await asyncio.sleep(1)  # the query
        finally:
            ended.append(asyncio.get_running_loop().time())

    begun = asyncio.get_running_loop().time()
    await ask(StreamingResponse(lines()), spec=sys.argv[1])
    print("stops" if ended[0] - begun < 0.5 else "goes on")


asyncio.run(main())
