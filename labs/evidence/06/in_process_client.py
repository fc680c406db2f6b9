"""What a test that calls the app in its own process sees differently from a guest.

httpx's ASGITransport runs the app inside the client's task. So the client waits for more than the
answer, and whoever cancels the client cancels the route. No server does that.
"""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import httpx
from fastapi import BackgroundTasks, FastAPI

from bench import claim, until

diary: list[str] = []
last_guest: ContextVar[str] = ContextVar("last_guest", default="nobody")
app = FastAPI()


async def note() -> None:
    await asyncio.sleep(0.02)
    diary.append("the note is written")


@app.get("/background")
async def background(after: BackgroundTasks) -> str:
    after.add_task(note)
    return "accepted"


@app.get("/slow")
async def slow() -> str:
    diary.append("begun")
    try:
        await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        diary.append("cancelled")
        raise
    return "done"


@app.get("/guest/{name}")
async def greet(name: str) -> str:
    before = last_guest.get()
    last_guest.set(name)
    return before


async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bistro") as guest:
        await guest.get("/background")
        order = [*diary, "the guest has the answer"]

        in_spite_of_it = (await guest.get("/slow", timeout=0.001)).status_code

        diary.clear()
        leaving = asyncio.create_task(guest.get("/slow"))
        await until(lambda: diary == ["begun"])
        leaving.cancel()
        await asyncio.wait([leaving])
        left = list(diary)

        greeted = [(await guest.get(f"/guest/{name}")).json() for name in ("Ann", "Ben")]
    print("a background task:          " + ", then ".join(order))
    print(f"timeout=0.001, route 0.05 s: status {in_spite_of_it}")
    print(f"the guest's task is cancelled: the route has {', '.join(left)}")
    print(f"Ann and Ben meet, as the guest before them: {', '.join(greeted)}")
    claim(
        "transport-waits-for-background-tasks",
        "In process the answer comes after the background task has ended.",
        order == ["the note is written", "the guest has the answer"],
    )
    claim(
        "transport-ignores-the-timeout",
        "In process a timeout of 1 ms does nothing: the route takes 50 ms, and status 200 comes.",
        in_spite_of_it == 200,
    )
    claim(
        "transport-cancels-the-route",
        "In process a guest who leaves cancels a plain route.",
        left == ["begun", "cancelled"],
    )
    claim(
        "transport-shares-the-context",
        "In process the second request reads the context variable that the first one set.",
        greeted == ["nobody", "Ann"],
    )


if __name__ == "__main__":
    asyncio.run(main())
