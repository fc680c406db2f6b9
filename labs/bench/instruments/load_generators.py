"""Guests that order: in a closed loop, and in an open one.

`closed_loop`: a guest orders again only after the reply, so a stall of the server also stops the
guests. `open_loop`: orders come at their due times, whatever the server does. Latency counts from
the due time in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from time import perf_counter

from bench.instruments.http_client import Client, Reply


def makespan(replies: Iterable[Reply]) -> float:
    """Seconds from the moment the first order was due to the moment the last reply was done."""
    replies = list(replies)
    return max(reply.done for reply in replies) - min(reply.due for reply in replies)


async def closed_loop(
    url: str,
    path: str,
    guests: int = 20,
    orders: int = 1,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> list[Reply]:
    """`guests` send a request at the same moment, each `orders` times, one after the other.

    Each guest has a connection of its own, opened before the first order is due. The first order
    of all guests is due at one moment; every later one is due when the guest's last reply is done.
    So at most `guests` requests are in flight. Returns guests * orders replies, by due, then sent.

    Any status is a reply. Raises ConnectionError when the server closes a connection too early.
    """
    async with Client(url, connections=guests) as client:
        start = perf_counter()

        async def guest() -> list[Reply]:
            replies: list[Reply] = []
            for _ in range(orders):
                due = replies[-1].done if replies else start
                replies.append(await client.send(method, path, headers=headers, body=body, due=due))
            return replies

        async with _together() as group:
            served = [group.create_task(guest()) for _ in range(guests)]
    return _in_order(reply for task in served for reply in task.result())


async def open_loop(
    url: str,
    path: str,
    rate: float,
    seconds: float,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> list[Reply]:
    """Send a request `rate` times a second for `seconds` seconds, without waiting for replies.

    Order number i is due i / rate seconds after the first, also while the server stalls. Returns
    round(rate * seconds) replies, by due, then sent, as soon as the last one is done.

    Up to 64 connections are opened before the first order is due, further ones when all are busy.
    Any status is a reply. Raises ConnectionError when the server closes a connection too early.
    """
    total = round(rate * seconds)
    async with Client(url, connections=min(total, 64)) as client, _together() as group:
        start = perf_counter()
        sent = []
        for i in range(total):
            due = start + i / rate
            await _sleep_until(due)
            one = client.send(method, path, headers=headers, body=body, due=due)
            sent.append(group.create_task(one))
    return _in_order(task.result() for task in sent)


async def _sleep_until(due: float) -> None:
    while (early := due - perf_counter()) > 0:  # noqa: ASYNC110
        await asyncio.sleep(early)  # again, if the timer fires a little too early


@asynccontextmanager
async def _together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group in which the first failure is raised as itself, not inside a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


def _in_order(replies: Iterable[Reply]) -> list[Reply]:
    return sorted(replies, key=lambda reply: (reply.due, reply.sent))
