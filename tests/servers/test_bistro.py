"""The bistro's first course, against a real PostgreSQL and a real uvicorn."""

from __future__ import annotations

import ast
import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import asyncpg
import httpx
import pytest
from fastapi import HTTPException

import bistro.waiting
from bench.instruments.gates import Gate, until
from bench.instruments.http_client import Client
from bench.instruments.load_generators import closed_loop
from bench.servers.postgres import Postgres
from bench.servers.serving import serve
from bistro.app import app
from bistro.database import PREPARING, open_pool, prepare
from bistro.lease import lease


@pytest.fixture(scope="module", autouse=True)
def _prepared(postgres: Postgres) -> None:
    asyncio.run(prepare(postgres.dsn))


@pytest.fixture
def dsn(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("BISTRO_DSN", postgres.dsn)
    return postgres.dsn


@asynccontextmanager
async def guest() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app in this process: only for what is not about time."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bistro") as client,
    ):
        yield client


# ---- waiting ----


def test_the_two_routes_differ_by_one_word() -> None:
    source = Path(bistro.waiting.__file__).read_text(encoding="utf-8")
    routes = {
        node.name: node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    plain, word = routes["order_def"], routes["order_async_def"]
    assert type(plain) is ast.FunctionDef
    assert type(word) is ast.AsyncFunctionDef
    for part in ("args", "returns"):
        assert ast.dump(getattr(plain, part)) == ast.dump(getattr(word, part))
    assert [ast.dump(line) for line in plain.body] == [ast.dump(line) for line in word.body]
    shown = source[source.index('@router.get("/def")') :].splitlines()
    assert max(map(len, shown)) <= 60  # these lines stand in the lesson


def test_sixty_guests_at_the_gate(dsn: str) -> None:
    """`def`: forty queries in the database, and /ping answers. `async def`: one, and silence."""

    async def main() -> None:
        async with (
            serve("bistro.app:app", env={"BISTRO_DSN": dsn}) as server,
            Client(server.url, connections=61) as client,
        ):
            for path, inside, answers in (("/def", 40, True), ("/async-def", 1, False)):
                async with Gate(dsn) as gate:
                    orders = [
                        asyncio.create_task(client.get(f"{path}?seconds=0")) for _ in range(60)
                    ]
                    await gate.until_waiting(inside)
                    ping = asyncio.create_task(client.get("/ping"))
                    if answers:  # twice, so that the server has also read what came before
                        assert (await ping).json() == "pong"
                        assert (await client.get("/ping")).status == 200
                    assert await gate.waiting() == inside
                    assert ping.done() is answers
                    assert not any(order.done() for order in orders)
                    opened = perf_counter()
                    await gate.open()
                    served = await asyncio.gather(*orders)
                    pong = await ping
                assert (pong.done > opened) is not answers
                assert [reply.status for reply in served] == [200] * 60
                assert len({reply.json()["thread"] for reply in served}) == inside

    asyncio.run(main())


def test_the_replies_tell_when_and_in_which_thread_the_query_ran(dsn: str) -> None:
    async def main() -> None:
        async with serve("bistro.app:app", env={"BISTRO_DSN": dsn}) as server:
            apart = await closed_loop(server.url, "/def?seconds=0.02", guests=5)
            one_by_one = await closed_loop(server.url, "/async-def?seconds=0.02", guests=5)
        for replies in (apart, one_by_one):
            cooked = [reply.json() for reply in replies]
            assert all(c["ended"] - c["began"] >= 0.95 * 0.02 for c in cooked)
            assert all(
                reply.sent <= c["began"] and c["ended"] <= reply.done
                for reply, c in zip(replies, cooked, strict=True)
            )
        assert len({c["thread"] for c in cooked}) == 1
        spans = sorted((c["began"], c["ended"]) for c in cooked)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))

    asyncio.run(main())


def test_the_length_of_a_query_has_limits(dsn: str) -> None:
    async def main() -> None:
        async with guest() as client:
            for path in ("/def", "/async-def"):
                for seconds in ("-0.1", "5.1", "soon", "nan", "inf"):
                    reply = await client.get(path, params={"seconds": seconds})
                    assert reply.status_code == 422
                assert (await client.get(path, params={"seconds": 0})).status_code == 200

    asyncio.run(main())


def test_each_thread_keeps_one_connection_and_replaces_a_dead_one(dsn: str) -> None:
    first = bistro.waiting.kitchen_window()
    assert bistro.waiting.kitchen_window() is first
    with asyncio.Runner() as runner:
        other = runner.run(asyncio.to_thread(bistro.waiting.kitchen_window))
        assert other is not first
        other.close()
    first.close()
    second = bistro.waiting.kitchen_window()
    assert second is not first
    assert second.autocommit
    second.close()


# ---- the menu and the lease ----


def test_the_menu(dsn: str) -> None:
    async def main() -> None:
        async with guest() as client:
            dishes = (await client.get("/dishes")).json()
            assert [dish["id"] for dish in dishes] == list(range(1, 9))
            soup = {"id": 1, "name": "Onion soup", "price_cents": 650, "portions_left": 40}
            assert dishes[0] == (await client.get("/dishes/1")).json() == soup
            for dish_id, status in (("9", 404), ("0", 422), ("99999999999", 422), ("1 or 1", 422)):
                assert (await client.get(f"/dishes/{dish_id}")).status_code == status

    asyncio.run(main())


def test_no_free_connection_is_a_503_with_retry_after(dsn: str) -> None:
    async def main() -> None:
        async with guest() as client:
            pool = app.state.pool
            async with AsyncExitStack() as held:
                for _ in range(pool.get_max_size()):
                    await held.enter_async_context(lease(pool, deadline=30))
                busy = await client.get("/dishes/1")
                assert busy.status_code == 503
                assert busy.headers["Retry-After"] == "1"
            assert (await client.get("/dishes/1")).status_code == 200
            assert pool.get_idle_size() == pool.get_size() == pool.get_max_size()

    asyncio.run(main())


def test_a_lease_gives_its_connection_back_in_every_case(dsn: str) -> None:
    async def main() -> None:
        async with open_pool(dsn, size=2) as pool:

            def all_idle() -> bool:
                return pool.get_idle_size() == pool.get_size() == 2

            async with lease(pool, 30) as one, lease(pool, 30) as two:
                assert one is not two
                assert pool.get_idle_size() == 0
                with pytest.raises(HTTPException) as busy:
                    async with lease(pool, deadline=0.01):
                        pytest.fail("there was a third connection")
                assert busy.value.status_code == 503
                assert busy.value.headers == {"Retry-After": "1"}
            assert all_idle()

            with pytest.raises(asyncpg.DivisionByZeroError):
                async with lease(pool, 30) as connection:
                    await connection.fetchval("select 1 / 0")
            assert all_idle()

            async def cook() -> None:
                async with lease(pool, 30) as connection:
                    await connection.fetchval("select cook(0)")

            async with Gate(dsn) as gate:  # cancelled during the query
                cooks = [asyncio.create_task(cook()) for _ in range(2)]
                await gate.until_waiting(2)
                waiter = asyncio.create_task(cook())  # cancelled while it waits for a connection
                await asyncio.sleep(0)
                for task in (waiter, *cooks):
                    task.cancel()
                await asyncio.gather(waiter, *cooks, return_exceptions=True)
                assert all(task.cancelled() for task in (waiter, *cooks))
                await until(all_idle)

                async def nobody_cooks() -> bool:
                    return await gate.waiting() == 0

                await until(nobody_cooks)
            await asyncio.gather(cook(), cook())
            assert all_idle()

    asyncio.run(main())


# ---- the database and the start ----


def test_prepare_may_run_again_and_twice_at_once(dsn: str) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(
                "drop table bookings, orders, reservations, guests, dishes; drop function cook"
            )
            async with Gate(dsn, key=PREPARING) as gate:
                both = asyncio.gather(prepare(dsn), prepare(dsn))
                await gate.until_waiting(2)  # neither has begun: one will wait for the other
                await gate.open()
                await both
            await connection.execute("update dishes set portions_left = 3 where id = 1")
            await connection.execute("delete from dishes where id = 8")
            await prepare(dsn)
            assert await connection.fetchval("select portions_left from dishes where id = 1") == 3
            assert await connection.fetchval("select count(*) from dishes") == 8
            assert await connection.fetchval("select count(*) from guests") == 60
            assert await connection.fetchval("select cook(0.001)") == 0.001
            await connection.execute("update dishes set portions_left = 40 where id = 1")
        finally:
            await connection.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statement", "refusal"),
    [
        ("update dishes set portions_left = -1 where id = 1", asyncpg.CheckViolationError),
        ("update dishes set price_cents = 0 where id = 1", asyncpg.CheckViolationError),
        ("update dishes set name = 'Apple tart' where id = 1", asyncpg.UniqueViolationError),
        ("update guests set credit_cents = -1 where id = 1", asyncpg.CheckViolationError),
        ("insert into orders (guest_id, dish_id, portions) values (1, 1, 0)",
         asyncpg.CheckViolationError),
        ("insert into orders (guest_id, dish_id, portions) values (1, 9, 1)",
         asyncpg.ForeignKeyViolationError),
    ],
)  # fmt: skip
def test_the_kitchen_book_refuses_nonsense(
    dsn: str, statement: str, refusal: type[Exception]
) -> None:
    async def main() -> None:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with pytest.raises(refusal):
        asyncio.run(main())


def test_every_pooled_connection_has_a_name_and_limits(dsn: str) -> None:
    async def main() -> None:
        async with guest(), lease(app.state.pool, deadline=30) as connection:
            for setting, value in (
                ("application_name", "bistro"),
                ("statement_timeout", "6s"),
                ("idle_in_transaction_session_timeout", "10s"),
            ):
                assert await connection.fetchval(f"show {setting}") == value

    asyncio.run(main())


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "BISTRO_DSN is not set"),
        ("postgresql://nobody:secret@127.0.0.1:1/bistro", "cannot connect to the database"),
        ("mysql://127.0.0.1/bistro", "cannot connect to the database"),
    ],
)
def test_without_a_database_the_app_says_what_to_do(address: str, said: str) -> None:
    async def main() -> None:
        async with serve("bistro.app:app", env={"BISTRO_DSN": address}):
            pytest.fail("it has started")

    with pytest.raises(RuntimeError, match=said) as failure:
        asyncio.run(main())
    assert "secret" not in str(failure.value)
