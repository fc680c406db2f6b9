"""Deadlines that PostgreSQL keeps by itself, whatever has become of the client.

Each is a setting of the session. We look at the SQLSTATE, at what the other guests see, and at what
asyncpg tells of it. Then two clients that cannot speak: one is stuck, the other is gone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter

import asyncpg
import psycopg

from bench import Gate, Postgres, claim, until
from bistro.database import open_pool, prepare

CREDIT = "update guests set credit_cents = credit_cents - 1 where id = 1"
DEADLINES = "statement_timeout", "idle_in_transaction_session_timeout"
CHECK = "client_connection_check_interval"
OVER = "select state = 'idle' and query like '%%cook%%' from pg_stat_activity where pid = %s"


async def of_a_statement(dsn: str) -> dict[str, tuple[str, int]]:
    """SQLSTATE of a query that waits for a lock too long, and whether the connection goes on."""
    seen, window = {}, await asyncpg.connect(dsn)
    async with Gate(dsn):
        for name in "statement_timeout", "lock_timeout":
            try:
                await window.execute(f"begin; set local {name} = '50ms'; select cook(0)")
            except asyncpg.PostgresError as error:
                await window.execute("rollback")
                seen[name] = error.sqlstate, await window.fetchval("select 1")
    await window.close()
    return seen


def of_a_transaction(dsn: str) -> str:
    """SQLSTATE that ends a transaction of many short statements."""
    window = psycopg.connect(dsn)
    try:
        window.execute("set local transaction_timeout = '100ms'")
        window.execute("; ".join(["select pg_sleep(0.01)"] * 6000))  # a minute, in small steps
    except psycopg.Error as error:
        return error.sqlstate
    finally:
        window.close()


def forgotten(dsn: str) -> tuple[str, list[str]]:
    """What another guest gets who waits for the lock of an idle transaction; its SQLSTATE."""
    forgetful, other = psycopg.connect(dsn), psycopg.connect(dsn, autocommit=True)
    states: list[str] = []
    forgetful.add_notice_handler(lambda notice: states.append(notice.sqlstate))
    forgetful.execute(CREDIT)  # this locks the guest's row
    forgetful.execute("set local idle_in_transaction_session_timeout = '50ms'")
    done = other.execute(CREDIT).statusmessage  # waits for the lock, until the server ends us
    with suppress(psycopg.OperationalError):  # that the connection is closed, we know
        forgetful.pgconn.consume_input()  # the server's last words have been sent before
    forgetful.pgconn.notifies()  # this reads them
    forgetful.close()
    other.close()
    return done, states


async def forgotten_by_asyncpg(dsn: str) -> str:
    """What asyncpg says at the end of a block that did nothing for too long."""
    window = await asyncpg.connect(dsn)
    try:
        async with window.transaction():
            await window.execute("set local idle_in_transaction_session_timeout = '50ms'")
            await until(window.is_closed, what="asyncpg to hear of it")
    except asyncpg.InterfaceError as error:
        return str(error).partition(": ")[2]


async def stuck(dsn: str) -> bool:
    """Whether a query ends while its client's loop stands still, with the client's deadline."""
    boss, window = psycopg.connect(dsn, autocommit=True), await asyncpg.connect(dsn)
    pid, over, start = window.get_server_pid(), False, perf_counter()
    await window.execute("set statement_timeout = '100ms'")
    async with Gate(dsn):
        query = asyncio.create_task(window.execute("select cook(0)", timeout=0.02))
        await asyncio.sleep(0)  # now it is sent
        while not over and perf_counter() - start < 30:  # this blocks the loop, on purpose
            over = boss.execute(OVER, [pid]).fetchone()[0]
        await asyncio.gather(query, return_exceptions=True)
    await window.close()
    boss.close()
    return over


async def vanished(dsn: str) -> dict[str, int]:
    """Queries that wait at the gate after their client's socket is closed, for two settings."""
    waiting = {}
    async with Gate(dsn) as gate:

        async def nobody() -> bool:
            return await gate.waiting() == 0

        for interval in "20ms", "0":
            window = await asyncpg.connect(dsn, server_settings={CHECK: interval})
            query = asyncio.create_task(window.execute("select cook(0)"))
            await gate.until_waiting(1)
            window.terminate()  # closes the socket, as the end of the process would
            await asyncio.gather(query, return_exceptions=True)
            with suppress(TimeoutError):
                await until(nobody, 30 if interval != "0" else 0.3)
            waiting[interval] = await gate.waiting()
    return waiting


async def asked(pool: asyncpg.Pool) -> list[str]:
    """The deadlines of a session of that pool, as it is lent."""
    return [await pool.fetchval(f"show {name}") for name in DEADLINES]


async def of_two_sessions(dsn: str) -> dict[str, list[str]]:
    """What a session of its own says of its deadlines, and what one of the bistro's pool says."""
    said = {}
    async with asyncpg.create_pool(dsn, min_size=1, max_size=1) as own:
        said["own"] = await asked(own)
    async with open_pool(dsn, size=1) as pool:
        said["bistro"] = await asked(pool)
    return said


async def main() -> None:
    async with Postgres(embedded=True) as pg:
        await prepare(pg.dsn)
        said_of = await of_two_sessions(pg.dsn)
        statement = await of_a_statement(pg.dsn)
        whole = await asyncio.to_thread(of_a_transaction, pg.dsn)
        other, states = await asyncio.to_thread(forgotten, pg.dsn)
        said = await forgotten_by_asyncpg(pg.dsn)
        over = await stuck(pg.dsn)
        waiting = await vanished(pg.dsn)
    for name, (sqlstate, answer) in statement.items():
        print(f"{name}: {sqlstate}, and the connection answers {answer}")
    print(
        f"asked on a session of its own: {said_of['own']}, on one of the pool: {said_of['bistro']}"
    )
    print(f"transaction_timeout: {whole}, and the session is over")
    print(f"idle_in_transaction_session_timeout: {states[0]}, another guest has {other!r}")
    print(f"  asyncpg's word for it: {said!r}")
    print(f"the loop stands still: the query is over all the same: {over}")
    print(f"the client's socket is closed: {waiting['0']} query goes on,", end=" ")
    print(f"{waiting['20ms']} if the server checks every 20 ms")
    claim(
        "server-ends-a-statement",
        "statement_timeout is SQLSTATE 57014, lock_timeout 55P03; the connection goes on.",
        statement == {"statement_timeout": ("57014", 1), "lock_timeout": ("55P03", 1)},
    )
    claim(
        "deadlines-belong-to-a-session",
        "A session of its own says 0; one of the bistro's pool says 6s and 10s.",
        said_of == {"own": ["0", "0"], "bistro": ["6s", "10s"]},
    )
    claim(
        "server-ends-a-transaction",
        "transaction_timeout (PostgreSQL 17) ends a transaction of short statements: 25P04.",
        whole == "25P04",
    )
    claim(
        "server-ends-an-idle-transaction",
        "An idle transaction is ended with 25P03, and who waited for its lock goes on.",
        (other, states) == ("UPDATE 1", ["25P03"]),
    )
    claim(
        "asyncpg-hides-the-cause",
        "asyncpg tells of that end no more than: the underlying connection is closed.",
        said == "the underlying connection is closed",
    )
    claim(
        "server-ends-for-a-stuck-loop",
        "The client's loop stands still and misses its deadline; the server keeps its own.",
        over,
    )
    claim(
        "server-may-check-for-the-client",
        "A query outlives its client's socket, unless client_connection_check_interval is set.",
        waiting == {"20ms": 0, "0": 1},
    )


if __name__ == "__main__":
    asyncio.run(main())
