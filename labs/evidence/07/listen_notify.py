"""LISTEN and NOTIFY: the server speaks first. When it speaks, to whom, and what it forgets."""

from __future__ import annotations

import asyncio
import warnings

import asyncpg

from bench import Postgres, RoundTrips, claim, until

TELL = "select pg_notify('orders', $1)"


async def listener(dsn: str, heard: list[str]) -> asyncpg.Connection:
    """A connection that notes every message on the channel `orders`, as long as it is open."""
    window = await asyncpg.connect(dsn)
    await window.add_listener("orders", lambda _, pid, channel, text: heard.append(text))
    return window


async def tell(window: asyncpg.Connection, text: str, *, commit: bool = True) -> None:
    """Send a message inside a transaction that ends as you say."""
    transaction = window.transaction()
    await transaction.start()
    await window.execute(TELL, text)
    await (transaction.commit() if commit else transaction.rollback())


async def reset_by_a_pool(dsn: str) -> tuple[list[str], bool]:
    """What a listener of a pooled connection hears after it was given back; is there a warning?"""
    heard: list[str] = []
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            async with pool.acquire() as window:
                await window.add_listener("orders", lambda *message: heard.append(message[-1]))
        channels = await pool.fetch("select pg_listening_channels()")
        return [row[0] for row in channels], bool(warned)


async def main() -> None:
    heard, late = [], []
    async with Postgres() as pg, RoundTrips(pg.dsn) as net:
        ear, boss = await listener(net.dsn, heard), await asyncpg.connect(pg.dsn)
        net.reset()
        transaction = boss.transaction()
        await transaction.start()
        await boss.execute(TELL, "soup")
        await boss.execute(TELL, "soup")
        await ear.fetchval("select 1")  # had anything been sent to this ear, it would be here now
        before_commit = list(heard)
        await transaction.commit()
        await until(lambda: heard, what="the first message")
        net.reset()
        await tell(boss, "stew", commit=False)
        await tell(boss, "tart")  # committed after it: if "stew" were sent, it would come first
        await until(lambda: "tart" in heard, what="the message after the rollback")
        trips = net.trips
        second = await listener(pg.dsn, late)
        await tell(boss, "trout")
        await until(lambda: "trout" in late, what="the second listener's first message")
        channels, warned = await reset_by_a_pool(pg.dsn)
        for window in ear, second, boss:
            await window.close()
    print(f"heard before the commit: {before_commit}, afterwards: {heard}")
    print(f"round trips of the listener while two messages were sent: {trips}")
    print(f"a second listener, who came later, heard: {late}")
    print(f"channels of a pooled connection that was given back: {channels}, a warning: {warned}")
    claim(
        "notify-comes-with-the-commit",
        "A message comes with the commit, once for the same text; after a rollback, never.",
        before_commit == [] and heard[:2] == ["soup", "tart"],
    )
    claim(
        "listening-asks-nothing",
        "The listener sends nothing while it waits: no round trip, only a socket in the selector.",
        trips == 0,
    )
    claim(
        "who-comes-late-hears-nothing-old",
        "A message goes to those who listen now; a listener who comes later never hears it.",
        late == ["trout"],
    )
    claim(
        "a-pool-forgets-its-listeners",
        "A connection given back to the pool listens no more, and asyncpg warns.",
        channels == [] and warned,
    )


if __name__ == "__main__":
    asyncio.run(main())
