"""The wiretap hears every message in its order, changes nothing, and leaves no trace."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import asyncpg
import pytest

from bench import LoopTrace, Wiretap
from bench.traces.trace import check_trace

ASK = "select $1::int + 1"


def test_a_cached_query_is_three_messages_and_four(dsn: str) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.fetchval(ASK, 1)
        told = []
        async with Wiretap(connection, told.append) as wire:
            assert await connection.fetchval(ASK, 41) == 42
        assert told == wire.events
        assert [str(event) for event in wire.events] == [
            "sent B E S",
            "received 2 D s Z",
            "decoded 2 D s Z",
        ]
        lines = wire.transcript().splitlines()
        assert [line[:3] for line in lines] == ["→ B", "→ E", "→ S", "← 2", "← D", "← s", "← Z"]
        assert lines[0].endswith("with 00 00 00 29")
        assert lines[4].endswith("00 00 00 2a")
        assert lines[6].endswith("idle")
        await connection.close()

    asyncio.run(main())


def test_the_connection_is_afterwards_as_it_was(dsn: str) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(dsn)
        transport = connection._transport
        before = transport.get_protocol()
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with Wiretap(connection) as wire:
                await connection.fetchval("select 1 / 0")
        assert transport.get_protocol() is before
        assert "write" not in vars(transport)
        heard = len(wire.events)
        assert await connection.fetchval(ASK, 1) == 2
        assert len(wire.events) == heard
        await connection.close()

    asyncio.run(main())


def test_the_life_of_a_query_is_a_trace_without_gaps(dsn: str) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.fetchval(ASK, 1)

        async def ask() -> int:
            return await connection.fetchval(ASK, 1)

        async with LoopTrace() as trace, Wiretap(connection) as wire:
            await asyncio.create_task(ask())
        life = wire.life(trace)
        check_trace(life)
        task, server, reads = (lane["spans"] for lane in life["lanes"])
        assert [span["state"] for span in task] == ["running", "database", "ready", "running"]
        assert all(a["to"] == b["from"] for a, b in pairwise(task))
        assert task[0]["from"] <= server[0]["from"] <= task[0]["to"]
        assert server[0]["to"] == reads[0]["from"]
        assert reads[0]["to"] == task[1]["to"]
        async with LoopTrace() as trace, Wiretap(connection) as wire:
            await asyncio.create_task(connection.fetchval("select now()"))
        with pytest.raises(ValueError, match="not the life of one cached query"):
            wire.life(trace)
        await connection.close()

    asyncio.run(main())
