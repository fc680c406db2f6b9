"""SQLite by aiosqlite: who commits, whose transaction it is, and why BEGIN IMMEDIATE.

`timeout` is how long SQLite waits for a lock. Here it is an hour wherever a refusal must not be
the end of a wait: these refusals come at once, or the script would not end.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import aiosqlite

from bench import claim

HOUR, SIX, JOURNALS = 3600, 6, ("delete", "wal")
READ = "select n from counter"
WRITE = "update counter set n = n + 1"
TABLE = """
    drop table if exists counter;
    create table counter (n int);
    insert into counter values (0);"""


async def number(file: Path) -> int:
    async with aiosqlite.connect(file) as book:
        [(n,)] = await book.execute_fetchall(READ)
        return n


async def fresh(file: Path, journal: str = "delete") -> Path:
    async with aiosqlite.connect(file) as book:
        await book.execute_fetchall(f"pragma journal_mode = {journal}")
        await book.executescript(TABLE)
    return file


async def left_by_async_with(file: Path, commit: bool) -> int:
    """The number after a block that adds one, seen by another connection."""
    async with aiosqlite.connect(file) as book:
        await book.execute("update counter set n = n + 1")
        if commit:
            await book.commit()
    return await number(file)


async def begin_twice(file: Path) -> str:
    """Two tasks share a connection, and each begins a transaction of its own. Or tries to."""
    async with aiosqlite.connect(file, isolation_level=None) as book:
        await book.execute("begin")
        try:
            await book.execute("begin")
        except sqlite3.OperationalError as error:
            return str(error)


async def somebody_elses_rollback(file: Path) -> int:
    """A begins and rolls back; B adds one in between, on the same connection, without a begin."""
    async with aiosqlite.connect(file, isolation_level=None) as book:
        await book.execute("begin")  # A
        await book.execute("update counter set n = n + 1")  # B: saved at once, B believes
        await book.execute("rollback")  # A
    return await number(file)


async def six_writers(file: Path, begin: str) -> Counter:
    """How six writers end. Each reads and adds one; all read first, if `begin` lets them."""
    all_read, all_refused, ends = asyncio.Barrier(SIX), asyncio.Event(), Counter()

    async def add(book: aiosqlite.Connection) -> None:
        try:
            await book.execute(begin)
            [(n,)] = await book.execute_fetchall(READ)
            if begin != "begin immediate":
                await all_read.wait()
            await book.execute("update counter set n = ?", (n + 1,))
            if begin == "begin":  # keep the lock until everybody else has been told
                await all_refused.wait()
            await book.execute("commit" if begin else "")
            ends["ok"] += 1
        except sqlite3.OperationalError as error:
            ends[error.sqlite_errorname] += 1
            await book.execute("rollback")
            if ends["SQLITE_BUSY"] == SIX - 1:
                all_refused.set()

    async with AsyncExitStack() as stack:
        connections = [
            aiosqlite.connect(file, timeout=HOUR, isolation_level=None) for _ in range(SIX)
        ]
        books = [await stack.enter_async_context(one) for one in connections]
        await asyncio.gather(*(add(book) for book in books))
    return ends


async def waits_in_vain(file: Path, begin: str) -> str:
    """What a writer gets whose timeout passes while another one holds the lock."""
    async with (
        aiosqlite.connect(file, isolation_level=None) as other,
        aiosqlite.connect(file, timeout=0.05, isolation_level=None) as book,
    ):
        await other.execute("begin immediate")
        try:
            await book.execute(begin)
        except sqlite3.OperationalError as error:
            return str(error)
        finally:
            await other.execute("rollback")
    return "no refusal"


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "book.db"
        kept = [await left_by_async_with(await fresh(file), commit) for commit in (False, True)]
        twice = await begin_twice(await fresh(file))
        in_vain = [
            await waits_in_vain(await fresh(file), one) for one in (WRITE, "begin immediate")
        ]
        lost = await somebody_elses_rollback(await fresh(file))
        ends = {}
        for journal in JOURNALS:
            for begin in "", "begin", "begin immediate":
                await fresh(file, journal)
                ends[journal, begin] = await six_writers(file, begin), await number(file)
    print(f"after `async with` without commit: {kept[0]}; with commit: {kept[1]}")
    print(f"a second begin: {twice}; after somebody else's rollback: {lost}")
    print(f"a timeout of 0.05 s has passed: {', '.join(in_vain)}")
    for (journal, begin), (end, n) in ends.items():
        print(f"{journal:6} {begin or 'no begin':15} ends at {n}: {dict(sorted(end.items()))}")
    claim(
        "async-with-does-not-commit",
        "aiosqlite: without commit the block leaves 0 behind, with it 1; neither is an error.",
        kept == [0, 1],
    )
    claim(
        "one-connection-one-transaction",
        "Two tasks on one connection cannot both begin.",
        twice == "cannot start a transaction within a transaction",
    )
    claim(
        "a-rollback-takes-everything",
        "The rollback of one task takes the other task's change with it.",
        lost == 0,
    )
    claim(
        "sqlite-loses-updates-too",
        "Six read first and write without a begin: the row ends at 1, and nobody gets an error.",
        all(ends[journal, ""] == ({"ok": SIX}, 1) for journal in JOURNALS),
    )
    claim(
        "begin-refuses-at-once",
        "BEGIN: one of six writes; five get SQLITE_BUSY at once, with a timeout of an hour.",
        all(ends[journal, "begin"] == ({"ok": 1, "SQLITE_BUSY": 5}, 1) for journal in JOURNALS),
    )
    claim(
        "a-timeout-is-database-is-locked",
        "A writer whose timeout passes hears the same, also with BEGIN IMMEDIATE.",
        in_vain == ["database is locked"] * 2,
    )
    claim(
        "begin-immediate-takes-turns",
        "BEGIN IMMEDIATE: all six wait for their turn, and the row ends at 6.",
        all(ends[journal, "begin immediate"] == ({"ok": SIX}, SIX) for journal in JOURNALS),
    )


if __name__ == "__main__":
    asyncio.run(main())
