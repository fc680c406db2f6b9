"""`gather` on the connection of a transaction. The error leaves, and the transaction stays.

The first update passes the gate late, so it is still running when the second one is refused. Then
the rollback is refused for the same reason. A `TaskGroup` ends the first update and waits for it;
after that the rollback finds a free connection.
"""

from __future__ import annotations

import asyncio

import asyncpg

from bench import Gate, Postgres, claim, until
from bistro.database import prepare

SLOW = "update dishes set portions_left = 0 where id = 1 returning cook(0)"
FAST = "update dishes set portions_left = 0 where id = 2"
STATE = "select state from pg_stat_activity where pid = $1"
LOCKED = "select id from dishes where id = 1 for update nowait"


async def second(window: asyncpg.Connection, gate: Gate) -> None:
    """The second update comes when the first one is seen in the database."""
    await gate.until_waiting(1)
    await window.execute(FAST)


async def with_gather(window: asyncpg.Connection, gate: Gate) -> None:
    async with window.transaction():
        await asyncio.gather(window.execute(SLOW), second(window, gate))


async def with_group(window: asyncpg.Connection, gate: Gate) -> None:
    async with window.transaction(), asyncio.TaskGroup() as group:
        group.create_task(window.execute(SLOW))
        group.create_task(second(window, gate))


async def settled(desk: asyncpg.Connection, pid: int) -> str:
    """What the backend does when its last query has ended."""

    async def at_rest() -> str:
        state = await desk.fetchval(STATE, pid)
        return "" if state == "active" else state

    return await until(at_rest)


async def row_is_free(desk: asyncpg.Connection) -> bool:
    try:
        return await desk.fetchval(LOCKED) == 1
    except asyncpg.LockNotAvailableError:
        return False


async def after(dsn: str, work) -> tuple[str, str, bool, bool, int]:
    """The error's name, the backend's state, whether its row is free: then, and when given back.

    Last, how often asyncpg complained to the loop when it took the connection back.
    """
    desk = await asyncpg.connect(dsn)
    complaints: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as pool:
        async with pool.acquire() as window:
            async with Gate(dsn) as gate:
                try:
                    await work(window, gate)
                except* asyncpg.InterfaceError as group:
                    error = type(group.exceptions[0]).__name__
                await gate.open()
            state = await settled(desk, window.get_server_pid())
            free = await row_is_free(desk)
        free_later = await row_is_free(desk)
    await desk.close()
    return error, state, free, free_later, len(complaints)


async def left_alone(dsn: str) -> tuple[str, bool]:
    """How the server ends a transaction that nobody goes on with, and whether its row is free."""
    window, desk = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    transaction = window.transaction()
    await transaction.start()
    await window.execute(SLOW)
    await window.execute("set idle_in_transaction_session_timeout = '50ms'")  # from now on
    await until(window.is_closed)
    free = await until(lambda: row_is_free(desk))
    try:
        await transaction.rollback()
        end = "nothing"
    except asyncpg.InterfaceError as error:
        end = type(error).__name__
    await desk.close()
    return end, free


async def main() -> None:
    async with Postgres() as pg:
        await prepare(pg.dsn)
        gathered = await after(pg.dsn, with_gather)
        grouped = await after(pg.dsn, with_group)
        end, freed = await left_alone(pg.dsn)
    for name, (error, state, free, later, said) in ("gather", gathered), ("TaskGroup", grouped):
        print(f"{name:9} {error}; then {state!r}, row free: {free}; given back: {later}", end="")
        print(", with a complaint" if said else "")
    print(f"left alone for 50 ms: the server closes it, row free: {freed}; then {end}")
    claim(
        "gather-leaves-the-transaction-open",
        "After gather the connection is idle in transaction, and it keeps the lock of its row.",
        gathered[:3] == ("InterfaceError", "idle in transaction", False),
    )
    claim(
        "task-group-ends-the-transaction",
        "After a TaskGroup with the same error the connection is idle, and the row is free.",
        grouped[:3] == ("InterfaceError", "idle", True),
    )
    claim(
        "the-pool-ends-what-was-left",
        "Giving the connection back to its pool rolls the transaction back, and asyncpg complains.",
        (gathered[3:], grouped[3:]) == ((True, 1), (True, 0)),
    )
    claim(
        "the-server-ends-an-idle-transaction",
        "With idle_in_transaction_session_timeout the server ends the session and frees the row.",
        (end, freed) == ("InterfaceError", True),
    )


if __name__ == "__main__":
    asyncio.run(main())
