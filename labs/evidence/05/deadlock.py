"""Two transfers lock two rows in opposite orders. The database ends one of them; we choose which.

A session looks for a deadlock when it has waited `deadlock_timeout` for a lock, one second by
default. Here Ann looks after 30 ms and Ben after an hour, so Ann finds the circle and is the
victim. She asks for her second row when Ben is seen waiting for his: a session looks only once.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Postgres, claim, until

TABLE = """
    drop table if exists accounts;
    create table accounts (id int primary key, n int not null);
    insert into accounts values (1, 100), (2, 100);"""
ADD = "update accounts set n = n + $2 where id = $1"
SUM = "select array_agg(n order by id) from accounts"


async def settings(window: asyncpg.Connection, **values: str) -> None:
    for name, value in values.items():
        await window.execute(f"set {name} = '{value}'")


async def crossed(
    ann: asyncpg.Connection, ben: asyncpg.Connection, desk: asyncpg.Connection
) -> list[str]:
    """Two opposite transfers, each with its first row locked before it asks for the second."""
    both = asyncio.Barrier(2)

    async def ben_waits() -> bool:
        return await desk.fetchval(
            "select cardinality(pg_blocking_pids($1)) > 0", ben.get_server_pid()
        )

    async def transfer(window: asyncpg.Connection, rows: tuple[int, int]) -> None:
        async with window.transaction():
            await window.execute(ADD, rows[0], -10)
            await both.wait()
            if window is ann:
                await until(ben_waits)
            await window.execute(ADD, rows[1], 10)

    ends = await asyncio.gather(
        transfer(ann, (1, 2)), transfer(ben, (2, 1)), return_exceptions=True
    )
    return states(ends)


async def in_order(window: asyncpg.Connection, rows: tuple[int, int]) -> None:
    """The same, but whoever comes locks the smaller number first."""
    async with window.transaction():
        await window.execute("select from accounts where id = any($1) order by id for update", rows)
        await window.execute(ADD, rows[0], -10)
        await window.execute(ADD, rows[1], 10)


def states(ends: list) -> list[str]:
    return [end.sqlstate if end else "ok" for end in ends]


async def without_waiting(ann: asyncpg.Connection, ben: asyncpg.Connection) -> dict[str, str]:
    """What Ben gets who does not want to wait for Ann's row, and how he says so."""
    said = {}
    async with ann.transaction():
        await ann.execute(ADD, 1, -10)
        for how, limit, end in (
            ("lock_timeout", "20ms", ""),
            ("nowait", "0", "nowait"),
            ("skip locked", "0", "skip locked"),
        ):
            await settings(ben, lock_timeout=limit)
            try:
                rows = await ben.fetch(f"select id from accounts order by id for update {end}")
                said[how] = f"rows {[row['id'] for row in rows]}"
            except asyncpg.LockNotAvailableError as error:
                said[how] = error.sqlstate
    return said


async def main() -> None:
    async with Postgres(embedded=True) as pg:  # deadlock_timeout belongs to the superuser
        ann, ben, desk = [await asyncpg.connect(pg.dsn) for _ in range(3)]
        found = {}
        for name, bens in ("Ben looks after 1 h", "1h"), ("both look after 30 ms", "30ms"):
            await ann.execute(TABLE)
            await settings(ann, deadlock_timeout="30ms")
            await settings(ben, deadlock_timeout=bens)
            found[name] = await crossed(ann, ben, desk), await ann.fetchval(SUM)
        await ann.execute(TABLE)
        crowd = [await asyncpg.connect(pg.dsn) for _ in range(8)]
        moves = [in_order(one, (1, 2) if k % 2 else (2, 1)) for k, one in enumerate(crowd)]
        ordered = states(await asyncio.gather(*moves, return_exceptions=True))
        total = sum(await ann.fetchval(SUM))
        impatient = await without_waiting(ann, ben)
        for window in ann, ben, desk, *crowd:
            await window.close()
    for name, (ends, accounts) in found.items():
        print(f"{name}: {ends}, accounts {accounts}" if "1 h" in name else f"{name}: one 40P01")
    print(f"the same order for all, eight transfers: {ordered.count('ok')} ok, sum {total}")
    print("Ben does not wait:", ", ".join(f"{how}: {what}" for how, what in impatient.items()))
    claim(
        "the-one-who-looks-is-the-victim",
        "Ann looks for the deadlock and gets SQLSTATE 40P01; Ben's transfer is kept.",
        found["Ben looks after 1 h"] == (["40P01", "ok"], [110, 90]),
    )
    claim(
        "a-deadlock-has-one-victim",
        "Both look: exactly one of the two is ended, and the sum stays 200.",
        sorted(found["both look after 30 ms"][0]) == ["40P01", "ok"]
        and sum(found["both look after 30 ms"][1]) == 200,
    )
    claim(
        "one-order-no-deadlock",
        "Eight opposite transfers that lock the smaller number first: all are kept.",
        (ordered, total) == (["ok"] * 8, 200),
    )
    claim(
        "waiting-for-a-lock-can-be-limited",
        "lock_timeout and NOWAIT refuse with SQLSTATE 55P03; SKIP LOCKED takes the free row.",
        impatient == {"lock_timeout": "55P03", "nowait": "55P03", "skip locked": "rows [2]"},
    )


if __name__ == "__main__":
    asyncio.run(main())
