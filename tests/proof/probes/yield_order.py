"""When does a `yield` dependency end: before the reply, or after it?"""

import asyncio

from asgi import ask
from fastapi import Depends, FastAPI

order = []


async def transaction():
    yield
    order.append("ends")


app = FastAPI()


@app.get("/", dependencies=[Depends(transaction)])
async def route():
    return "booked"


asyncio.run(ask(app, lambda message: order.append("reply")))
print("after the reply" if order.index("ends") else "before the reply")
