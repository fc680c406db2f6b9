"""The instrument `roundtrips`: exact counts, however TCP cuts the bytes."""

from __future__ import annotations

import asyncio
import time

import asyncpg
import psycopg
import pytest

from bench import Postgres
from bench.instruments.conversations import Conversation
from bench.instruments.gates import until
from bench.instruments.roundtrips import RoundTrips

CONNECT = {
    "trust": ["SSLRequest", "Startup"],
    "scram": ["SSLRequest", "Startup", "p", "p"],
}


@pytest.fixture(scope="module", params=["trust", "scram"])
def auth(request):
    return request.param


@pytest.fixture(scope="module")
def dsn(auth):
    pg = Postgres(auth=auth, embedded=True)
    asyncio.run(pg.start())
    yield pg.dsn
    asyncio.run(pg.stop())


async def trips_of(net, work):
    """Run `work()` and return what the client sent on each of its round trips."""
    net.reset()
    await work()
    assert net.trips == len(net.messages)
    return net.messages


def test_connect_costs_two_trips_or_four_with_scram(dsn, auth):
    async def main():
        async with RoundTrips(dsn) as net:
            for _ in range(20):
                net.reset()
                connection = await asyncpg.connect(net.dsn)
                assert (net.messages, net.connections) == (CONNECT[auth], 1)
                await connection.close()
                assert net.trips == len(CONNECT[auth])  # Terminate is not a round trip

    asyncio.run(main())


def test_the_question_for_encryption_is_one_of_them(dsn, auth):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await asyncpg.connect(net.dsn, ssl=False)
            assert net.messages == CONNECT[auth][1:]
            await connection.close()
            with pytest.raises(ConnectionError):  # the proxy answers no
                await asyncpg.connect(net.dsn, ssl="require")

    asyncio.run(main())


def test_queries_of_asyncpg_twenty_times(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await asyncpg.connect(net.dsn)
            pool = await asyncpg.create_pool(net.dsn, min_size=1, max_size=1)

            async def cached():
                assert await connection.fetchval("select $1::int", 5) == 5

            async def pooled():
                assert await pool.fetchval("select $1::int", 5) == 5

            async def borrowed():
                async with pool.acquire() as lease:
                    await lease.fetchval("select $1::int", 5)
                    await lease.fetchval("select $1::int", 5)

            async def transaction():
                async with connection.transaction():
                    await connection.fetchval("select $1::int", 5)

            async def simple():
                await connection.execute("select 1; select 2")

            assert await trips_of(net, cached) == ["PDH", "BES"]  # prepare, then run
            assert await trips_of(net, pooled) == ["PDH", "BES", "Q"]
            for _ in range(20):
                assert await trips_of(net, cached) == ["BES"]
                assert await trips_of(net, pooled) == ["BES", "Q"]
                assert await trips_of(net, borrowed) == ["BES", "BES", "Q"]
                assert await trips_of(net, transaction) == ["Q", "BES", "Q"]
                assert await trips_of(net, simple) == ["Q"]
                assert net.connections == 0
            await pool.close()
            await connection.close()

    asyncio.run(main())


def test_the_first_array_costs_eight_trips_or_six_without_jit(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            for jit, trips in (("on", 8), ("off", 6)):
                settings = {"jit": jit}  # asyncpg switches it off for its question, and on again
                connection = await asyncpg.connect(net.dsn, server_settings=settings)
                query = "select '{1,2}'::int[]"
                assert len(await trips_of(net, lambda c=connection, q=query: c.fetch(q))) == trips
                assert len(await trips_of(net, lambda c=connection, q=query: c.fetch(q))) == 1
                await connection.close()

    asyncio.run(main())


def test_a_large_answer_and_a_large_question_are_one_trip(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await asyncpg.connect(net.dsn)
            one_row = await connection.prepare("select repeat('x', 1000000)")
            rows = await connection.prepare(
                "select repeat('x', 100) from generate_series(1, 10000)"
            )
            length = await connection.prepare("select length($1)")
            for _ in range(5):
                net.reset()
                assert len(await one_row.fetchval()) == 1_000_000
                assert net.messages == ["BES"]
                assert len(await rows.fetch()) == 10_000
                assert net.messages == ["BES"] * 2
                assert await length.fetchval("x" * 1_000_000) == 1_000_000
                assert net.messages == ["BES"] * 3
            await connection.close()

    asyncio.run(main())


def test_pipelines_are_one_trip(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            one = await asyncpg.connect(net.dsn)
            await one.execute("create temp table numbers (n int)")
            insert = await one.prepare("insert into numbers values ($1)")
            other = await psycopg.AsyncConnection.connect(net.dsn, autocommit=True)

            async def pipeline():
                async with other.pipeline():
                    for n in range(500):
                        await other.execute("select repeat('x', 5000), %s::int", (n,))

            for _ in range(5):
                many = await trips_of(net, lambda: insert.executemany([(n,) for n in range(1000)]))
                assert many == ["BE" * 1000 + "S"]
                (letters,) = await trips_of(net, pipeline)
                assert letters.count("E") == 500
                assert letters.rstrip("H").endswith("S")
            await one.close()
            await other.close()

    asyncio.run(main())


def test_psycopg(dsn, auth):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await psycopg.AsyncConnection.connect(net.dsn)
            assert net.messages == CONNECT[auth]

            async def transaction():
                await connection.execute("select 1")
                await connection.execute("select %s::int", (1,))
                await connection.commit()

            def blocking():
                with psycopg.connect(net.dsn) as other:
                    other.execute("select 1")

            unprepared = ["Q", "Q", "PBDES", "Q"]  # begin, two queries, commit
            prepares = ["Q", "PS", "BDES", "PS", "BDES", "Q"]  # after five runs of a query
            prepared = ["Q", "BDES", "BDES", "Q"]
            for expected in [unprepared] * 5 + [prepares] + [prepared] * 5:
                assert await trips_of(net, transaction) == expected
                in_a_thread = await trips_of(net, lambda: asyncio.to_thread(blocking))
                assert in_a_thread == [*CONNECT[auth], "Q", "Q", "Q"]
            await connection.close()

    asyncio.run(main())


def test_errors_end_their_trip(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await asyncpg.connect(net.dsn)
            other = await psycopg.AsyncConnection.connect(net.dsn, autocommit=True)

            async def divide():
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await connection.fetchval("select 1 / $1::int", 0)

            async def nonsense():
                with pytest.raises(asyncpg.PostgresSyntaxError):
                    await connection.fetchval("selec 1")

            async def divide_too():
                with pytest.raises(psycopg.errors.DivisionByZero):
                    await other.execute("select 1 / %s::int", (0,))

            assert await trips_of(net, divide) == ["PDH", "BES"]
            for _ in range(5):
                assert await trips_of(net, divide) == ["BES"]
                assert await trips_of(net, nonsense) == ["PDH", "S"]
                assert await trips_of(net, divide_too) == ["PBDES"]
                assert await trips_of(net, lambda: connection.execute("select 1")) == ["Q"]
            await connection.close()
            await other.close()

    asyncio.run(main())


def test_copy(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            one = await asyncpg.connect(net.dsn)
            two = await psycopg.AsyncConnection.connect(net.dsn, autocommit=True)
            await one.execute("create table copied (n int)")
            rows = [(n,) for n in range(60_000)]  # more than one buffer of asyncpg
            await one.copy_records_to_table("copied", records=rows[:1])

            async def write():
                async with two.cursor().copy("copy copied from stdin") as copy:
                    for row in rows[:2_000]:
                        await copy.write_row(row)

            async def write_nonsense():
                with pytest.raises(psycopg.errors.InvalidTextRepresentation):
                    async with two.cursor().copy("copy copied from stdin") as copy:
                        await copy.write("nonsense\n" * 20_000)

            async def read():
                async with two.cursor().copy("copy copied to stdout") as copy:
                    assert len([row async for row in copy.rows()]) == 2_000

            for _ in range(3):
                # asyncpg sends its data at once; psycopg waits until the server asks for them
                by_asyncpg = await trips_of(
                    net, lambda: one.copy_records_to_table("copied", records=rows)
                )
                assert [trip.replace("d", "") for trip in by_asyncpg] == ["Qc"]
                assert by_asyncpg[0].count("d") > 1
                await one.execute("truncate copied")
                by_psycopg = await trips_of(net, write)
                assert [trip.replace("d", "") for trip in by_psycopg] == ["Q", "c"]
                assert await trips_of(net, read) == ["Q"]
                refused = await trips_of(net, write_nonsense)
                assert len(refused) == 2  # the error came while it sent, or when it had ended
                assert await trips_of(net, lambda: one.execute("select 1")) == ["Q"]
            await one.execute("drop table copied")
            await one.close()
            await two.close()

    asyncio.run(main())


def test_connections_are_added_up(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            pool = await asyncpg.create_pool(net.dsn, min_size=5, max_size=5)
            assert net.connections == 5
            await asyncio.gather(*(pool.fetchval("select pg_sleep(0.05)") for _ in range(5)))
            net.reset()
            await asyncio.gather(*(pool.fetchval("select pg_sleep(0.05)") for _ in range(20)))
            assert net.trips == 2 * 20
            assert sorted(net.messages) == ["BES"] * 20 + ["Q"] * 20
            await pool.close()
            assert (net.trips, net.connections) == (40, 0)

    asyncio.run(main())


def test_cancelling_a_query_costs_a_connection(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            connection = await asyncpg.connect(net.dsn)
            await connection.fetchval("select pg_sleep(0)")
            net.reset()
            with pytest.raises(TimeoutError):
                await connection.fetchval("select pg_sleep(3600)", timeout=0.05)
            assert await connection.fetchval("select 1") == 1  # waits for the cancellation
            assert net.connections == 1
            assert sorted(net.messages) == sorted(
                ["PDH", "BES", "SSLRequest", "CancelRequest", "PDH", "BES"]
            )
            await connection.close()

    asyncio.run(main())


@pytest.mark.parametrize("delay", [0.0, 0.02])
def test_the_delay_is_added_to_every_trip(dsn, auth, delay):
    async def main():
        async with RoundTrips(dsn, delay=delay) as net:
            began = time.perf_counter()
            connection = await asyncpg.connect(net.dsn)
            for _ in range(3):
                await connection.execute("select 1")
            assert len(await connection.fetchval("select repeat('x', 1000000)")) == 1_000_000
            seconds = time.perf_counter() - began
            assert net.trips == len(CONNECT[auth]) + 3 + 2
            assert seconds >= 0.95 * net.trips * delay
            await connection.close()

    asyncio.run(main())


def test_the_exit_ends_what_is_still_open(dsn):
    async def main():
        async with RoundTrips(dsn, delay=0.001) as net:
            connection = await asyncpg.connect(net.dsn)
            query = asyncio.create_task(connection.execute("select pg_sleep(3600)"))
            idle = await asyncpg.connect(net.dsn)
            await until(lambda: "Q" in net.messages)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await query
        await until(idle.is_closed)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with pytest.raises(OSError, match=r"(?i)connect"):
            await asyncpg.connect(net.dsn)
        direct = await asyncpg.connect(dsn)
        me = "select count(*) from pg_stat_activity where query like '%3600%' and pid <> "

        async def gone():
            await direct.execute(  # a backend that sleeps does not look at its socket
                "select pg_cancel_backend(pid) from pg_stat_activity"
                " where query = 'select pg_sleep(3600)'"
            )
            return await direct.fetchval(me + "pg_backend_pid()") == 0

        await until(gone)
        await direct.close()

    asyncio.run(main())


def test_either_end_may_hang_up(dsn):
    async def main():
        async with RoundTrips(dsn) as net:
            direct = await asyncpg.connect(dsn)
            connection = await asyncpg.connect(net.dsn)
            pid = connection.get_server_pid()
            await direct.execute("select pg_terminate_backend($1::int)", pid)
            await until(connection.is_closed)

            connection = await asyncpg.connect(net.dsn)
            pid = connection.get_server_pid()
            connection.terminate()
            backends = "select count(*) from pg_stat_activity where pid = $1"

            async def gone():
                return await direct.fetchval(backends, pid) == 0

            await until(gone, what="the backend to end with its client")
            await direct.close()

    asyncio.run(main())


def test_a_server_that_is_not_there_is_an_error_of_the_driver():
    async def main():
        async with RoundTrips("postgresql://nobody@127.0.0.1:1/none") as net:
            with pytest.raises((OSError, asyncpg.PostgresError)):
                await asyncpg.connect(net.dsn)
            assert net.trips >= 1

    asyncio.run(main())


@pytest.mark.parametrize("bad", ["postgresql:///db", "dbname=db", "postgresql://a:1,b:2/db"])
def test_a_dsn_without_one_host_is_refused(bad):
    with pytest.raises(ValueError, match="one TCP host"):
        RoundTrips(bad)


def test_the_dsn_keeps_all_but_the_address():
    async def main():
        dsn = "postgresql://a%40b:p%2Fw@localhost:5433/my%20db?application_name=x"
        async with RoundTrips(dsn) as net:
            before, _, rest = net.dsn.partition("127.0.0.1:")
            assert before == "postgresql://a%40b:p%2Fw@"
            assert rest.partition("/")[2] == "my%20db?application_name=x"

    asyncio.run(main())


def test_a_negative_delay_is_refused():
    with pytest.raises(ValueError, match="must not be negative"):
        RoundTrips("postgresql://a@127.0.0.1/db", delay=-1)


def startup():
    return (8).to_bytes(4) + (196608).to_bytes(4)


def message(letter, body=b""):
    return letter.encode() + (4 + len(body)).to_bytes(4) + body


def talk(steps, piece):
    """Feed a conversation in pieces of so many bytes; return the trips."""
    trips = []

    def begin():
        trips.append([])
        return trips[-1]

    conversation = Conversation(begin)
    for who, data in steps:
        hear = conversation.client_sent if who == "client" else conversation.server_sent
        for start in range(0, len(data), piece):
            hear(data[start : start + piece])
    return ["".join(letters) for letters in trips]


ZERO, SASL, SASL_CONTINUE = (n.to_bytes(4) for n in (0, 10, 11))
LOGIN = [
    ("client", startup()),
    ("server", message("R", SASL + b"SCRAM-SHA-256\0\0")),
    ("client", message("p", b"x" * 50)),
    ("server", message("R", SASL_CONTINUE + b"y" * 90)),
    ("client", message("p", b"x" * 90)),
    ("server", message("R", ZERO) + message("S", b"a\0b\0") + message("Z", b"I")),
]
ROWS = message("D", b"z" * 300) * 40


@pytest.mark.parametrize("piece", [1, 2, 3, 4, 5, 7, 1000, 10**6])
@pytest.mark.parametrize(
    ("steps", "trips"),
    [
        pytest.param([], [], id="login"),
        pytest.param(
            [
                ("client", message("Q", b"select 1\0")),
                ("server", message("T") + ROWS + message("C") + message("Z", b"I")),
                ("client", message("X")),
            ],
            ["Q"],
            id="simple query, then goodbye",
        ),
        pytest.param(
            [
                ("client", message("P") + message("B") + message("E")),
                ("server", message("1") + message("2") + ROWS),  # its buffer was full
                ("server", message("C")),
                ("client", message("S")),  # on its way all the time
                ("server", message("Z", b"I")),
                ("client", message("B") + message("E") + message("S")),
                ("server", message("2") + message("s") + message("Z", b"T")),
            ],
            ["PBES", "BES"],
            id="an answer before the Sync",
        ),
        pytest.param(
            [
                ("client", message("P") + message("S") + message("P") + message("S")),
                ("server", message("1") + message("Z", b"I")),
                ("client", message("P") + message("S")),  # sent before everything was answered
                ("server", message("1") + message("Z", b"I") + message("1")),
                ("server", message("Z", b"I")),
                ("client", message("S")),
                ("server", message("Z", b"I")),
            ],
            ["PSPSPS", "S"],
            id="pipeline",
        ),
        pytest.param(
            [
                ("client", message("P") + message("B") + message("E")),
                ("server", message("E", b"SERROR\0\0")),  # the client is still sending
                ("client", message("P") + message("B") + message("E") + message("S")),
                ("server", message("Z", b"I")),
                ("client", message("P") + message("D") + message("H")),
                ("server", message("E", b"SERROR\0\0")),  # the client waits: it asked for it
                ("client", message("S")),
                ("server", message("Z", b"I")),
            ],
            ["PBEPBES", "PDH", "S"],
            id="errors",
        ),
        pytest.param(
            [
                ("client", message("P") + message("B") + message("E") + message("S")),
                ("server", message("1") + message("2") + message("G", b"\0\0\0")),
                ("client", message("d", b"q" * 900) + message("d", b"q" * 900)),
                ("client", message("c") + message("S")),  # the first Sync was swallowed
                ("server", message("C") + message("Z", b"I")),
                ("client", message("Q")),
                ("server", message("I") + message("Z", b"I")),
            ],
            ["PBES", "ddcS", "Q"],
            id="extended copy",
        ),
        pytest.param(
            [
                ("client", message("Q") + message("d", b"q" * 900)),
                ("server", message("G", b"\0\0\0")),
                ("client", message("d", b"q" * 900) + message("c")),
                ("server", message("C") + message("Z", b"I")),
                ("client", message("Q") + message("N")),
            ],
            ["Qddc", "QN"],
            id="copy that does not wait",
        ),
        pytest.param(
            [
                ("client", message("Q")),
                ("server", message("G", b"\0\0\0")),
                ("client", message("d", b"nonsense") * 3),
                ("server", message("E", b"SERROR\0\0") + message("Z", b"I")),
                ("client", message("d", b"nonsense") + message("c")),  # too late: nobody answers
                ("client", message("Q")),
            ],
            ["Q", "ddd", "Q"],
            id="copy that is refused",
        ),
        pytest.param(
            [
                ("server", message("A", b"news") + message("N") + message("S")),
                ("client", message("H")),
                ("client", message("F")),
                ("server", message("V") + message("N") + message("Z", b"I")),
            ],
            ["F"],
            id="what nobody asked for",
        ),
    ],
)
def test_tcp_may_cut_the_bytes_anywhere(steps, trips, piece):
    assert talk(LOGIN + steps, piece) == ["Startup", "p", "p", *trips]
