"""The program that does its work and does not end: an aiosqlite connection that nobody closed.

Each case is a program of its own, in a process of its own. It says "done" as its last act; then we
see whether it ends. One that hangs is given two seconds and is then killed.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import aiosqlite

from bench import claim

CASES = {
    "closed": "the connection is closed by async with",
    "kept": "the connection is kept in a global variable, and not closed",
    "dropped": "the connection is not closed, and nothing refers to it any more",
    "twice": "the connection is awaited, then entered with async with",
}
keep: list[aiosqlite.Connection] = []


async def closed() -> None:
    async with aiosqlite.connect(":memory:") as book:
        await book.execute("select 1")


async def kept() -> None:
    keep.append(await aiosqlite.connect(":memory:"))


async def dropped() -> None:
    await aiosqlite.connect(":memory:")


async def twice() -> None:
    book = await aiosqlite.connect(":memory:")
    try:
        async with book:
            pass
    except RuntimeError as error:
        print(f"RuntimeError: {error}")
    await book.close()


def ending_of(case: str) -> tuple[bool, str, str]:
    """(it ended by itself, what it said, its warnings)."""
    command = [sys.executable, "-W", "always", __file__, case]
    quiet = {**os.environ, "PYTHONDEVMODE": ""}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=quiet
    ) as process:
        said = []
        for line in process.stdout:
            said.append(line.strip())
            if said[-1] == "done":
                break
        try:
            process.wait(60 if case != "kept" else 2)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
        return ended, " ".join(said), process.stderr.read()


def main() -> None:
    endings = {case: ending_of(case) for case in CASES}
    for case, words in CASES.items():
        ended, said, _ = endings[case]
        print(f"{words}: {said}, then {'it ended' if ended else 'it had to be killed'}")
    claim(
        "closed-aiosqlite-ends",
        "A program that closes its aiosqlite connection ends by itself.",
        endings["closed"][0],
    )
    claim(
        "unclosed-aiosqlite-hangs",
        "A program that keeps an open one says done, and does not end.",
        not endings["kept"][0] and endings["kept"][1] == "done",
    )
    claim(
        "dropped-aiosqlite-warns",
        "One that is dropped open ends, with a ResourceWarning.",
        endings["dropped"][0] and "ResourceWarning" in endings["dropped"][2],
    )
    claim(
        "aiosqlite-starts-once",
        "Await it and enter it: threads can only be started once.",
        "RuntimeError: threads can only be started once" in endings["twice"][1],
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case [name]:
            asyncio.run(
                {"closed": closed, "kept": kept, "dropped": dropped, "twice": twice}[name]()
            )
            print("done", flush=True)
        case _:
            main()
