"""Which loop runs here, what kind of sockets it listens to, and how uvicorn chooses its loop."""

from __future__ import annotations

import asyncio
import socket
import sys
from types import ModuleType

import asyncpg
import psycopg
from uvicorn.loops.auto import auto_loop_factory

from bench import Postgres, claim


def chosen_with(uvloop: ModuleType | None) -> str:
    """The kind of loop that `uvicorn --loop auto` makes, with this uvloop installed, or none."""
    known = sys.modules.get("uvloop")
    sys.modules["uvloop"] = uvloop  # None makes `import uvloop` fail
    sys.modules.pop("uvicorn.loops.uvloop", None)
    try:
        loop = auto_loop_factory()()
    finally:
        sys.modules.pop("uvloop")
        if known:
            sys.modules["uvloop"] = known
    loop.close()
    return type(loop).__name__


class LoopOfUvloop(asyncio.SelectorEventLoop):
    """Stands for the loop of the real package, which this course does not install."""


def would_block(number: int) -> bool:
    """Whether a read of that socket blocks the thread while there is nothing to read."""
    with socket.fromfd(number, socket.AF_INET, socket.SOCK_STREAM) as twin:
        try:
            twin.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
    return True


async def sockets_of_drivers(dsn: str) -> dict[str, bool]:
    """For each driver: would a read of its socket block?"""
    window = await asyncpg.connect(dsn)
    blocks = {"asyncpg": would_block(window._transport.get_extra_info("socket").fileno())}
    await window.close()
    async with await psycopg.AsyncConnection.connect(dsn) as awaited:
        blocks["psycopg, awaited"] = would_block(awaited.fileno())
    with psycopg.connect(dsn) as sync:
        blocks["psycopg, blocking"] = would_block(sync.fileno())
    return blocks


async def main() -> None:
    loop = asyncio.get_running_loop()
    print(f"this loop: {type(loop).__name__} with {type(loop._selector).__name__}")
    async with Postgres() as pg:
        blocks = await sockets_of_drivers(pg.dsn)
    stand_in = ModuleType("uvloop")
    stand_in.new_event_loop = stand_in.Loop = LoopOfUvloop
    without, with_it = chosen_with(None), chosen_with(stand_in)
    for driver, would in blocks.items():
        print(f"{driver:18} a read of its socket {'blocks' if would else 'does not block'}")
    print(f"uvicorn takes {without}; with a package called uvloop it takes {with_it}")
    claim(
        "sockets-do-not-block",
        "asyncpg's and psycopg's sockets do not block, not even that of a blocking connection.",
        blocks == dict.fromkeys(("asyncpg", "psycopg, awaited", "psycopg, blocking"), False),
    )
    claim(
        "uvicorn-takes-uvloop-if-it-is-there",
        "uvicorn asks nobody: it takes uvloop if it is installed, and asyncio's loop if not.",
        with_it == "LoopOfUvloop" != without,
    )


if __name__ == "__main__":
    # psycopg's AsyncConnection needs this kind of loop; on Windows it is not the default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())
