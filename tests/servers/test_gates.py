"""The instrument `gates`: queries wait inside the database until they are let go."""

from __future__ import annotations

import asyncio
import sys

import asyncpg
import pytest

from bench.instruments import gates
from bench.instruments.gates import Gate, until

POSTGRES = {"embedded": True, "max_connections": 40}
PASS = "select pg_advisory_xact_lock_shared({key})"


async def query(dsn, key=7):
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(PASS.format(key=key))
    finally:
        await connection.close(timeout=5)
    return "passed"


async def no_gate_is_left(dsn):
    """Wait until no session of a gate is left on the server, then pass where it was."""
    connection = await asyncpg.connect(dsn)
    sessions = "select count(*) from pg_stat_activity where application_name like 'gate:%'"

    async def gone():
        return await connection.fetchval(sessions) == 0

    await until(gone, what="the sessions of the gate to end")
    await connection.close()
    assert await asyncio.wait_for(query(dsn), 30) == "passed"


def test_queries_wait_are_counted_and_pass_when_it_opens(dsn):
    async def main():
        async with Gate(dsn) as gate:
            assert await gate.waiting() == 0
            tasks = [asyncio.create_task(query(dsn)) for _ in range(12)]
            assert await gate.until_waiting(12) == 12
            assert await gate.waiting() == 12
            assert not any(task.done() for task in tasks)
            await gate.open()
            assert await asyncio.gather(*tasks) == ["passed"] * 12
            assert await gate.waiting() == 0
            assert await query(dsn) == "passed"  # it stays open
            await gate.open()
            assert await query(dsn) == "passed"
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_until_waiting_asks_for_at_least_so_many(dsn):
    async def main():
        async with Gate(dsn) as gate, asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(query(dsn))
            await gate.until_waiting(3)
            assert await gate.until_waiting(2) == 3
            assert await gate.until_waiting(0) == 3
            with pytest.raises(TimeoutError, match=r"0\.05 s for 4 queries at gate 7, but 3 wait"):
                await gate.until_waiting(4, timeout=0.05)
            await gate.open()

    asyncio.run(main())


def test_it_holds_queries_of_other_processes(dsn):
    program = (
        "import psycopg, sys\n"
        "with psycopg.connect(sys.argv[1]) as connection:\n"
        f"    connection.execute({PASS.format(key=7)!r})\n"
        "print('passed')\n"
    )

    async def main():
        async with Gate(dsn) as gate:
            guests = [
                await asyncio.create_subprocess_exec(
                    sys.executable, "-c", program, dsn, stdout=asyncio.subprocess.PIPE
                )
                for _ in range(3)
            ]
            try:
                await gate.until_waiting(3)
                assert [guest.returncode for guest in guests] == [None] * 3
                await gate.open()
                outputs = [(await guest.communicate())[0] for guest in guests]
            finally:
                for guest in guests:
                    if guest.returncode is None:
                        guest.kill()
                        await guest.wait()
        assert [output.split() for output in outputs] == [[b"passed"]] * 3
        assert [guest.returncode for guest in guests] == [0] * 3

    asyncio.run(main())


def test_keys_and_databases_have_gates_of_their_own(dsn):
    other = dsn.rpartition("/")[0] + "/elsewhere"

    async def main():
        admin = await asyncpg.connect(dsn)
        await admin.execute("create database elsewhere")
        async with Gate(dsn) as here, Gate(dsn, key=8) as eight, Gate(other) as there:
            tasks = [
                asyncio.create_task(query(d, k)) for d, k in ((dsn, 8), (other, 7), (other, 7))
            ]
            await eight.until_waiting(1)
            await there.until_waiting(2)
            assert [await gate.waiting() for gate in (here, eight, there)] == [0, 1, 2]
            await eight.open()
            assert await tasks[0] == "passed"
            assert await there.waiting() == 2
        assert await asyncio.gather(*tasks) == ["passed"] * 3
        await admin.execute("drop database elsewhere with (force)")
        await admin.close()

    asyncio.run(main())


@pytest.mark.parametrize("key", [0, -1, 2**31, 2**63 - 1, -(2**63)])
def test_any_64_bit_key_is_counted(dsn, key):
    async def main():
        async with Gate(dsn, key) as gate:
            task = asyncio.create_task(query(dsn, key))
            assert await gate.until_waiting(1) == 1
        assert await task == "passed"

    asyncio.run(main())


def test_several_tasks_may_ask_at_once(dsn):
    async def main():
        async with Gate(dsn) as gate:
            assert await asyncio.gather(*(gate.waiting() for _ in range(5))) == [0] * 5

    asyncio.run(main())


def test_the_exit_opens_it_after_an_error(dsn):
    async def main():
        guests = []

        async def experiment():
            async with Gate(dsn) as gate:
                guests.append(asyncio.create_task(query(dsn)))
                await gate.until_waiting(1)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await experiment()
        assert await asyncio.wait_for(guests[0], 30) == "passed"
        await no_gate_is_left(dsn)

    asyncio.run(main())


@pytest.mark.parametrize("again", [False, True], ids=["once", "again during the exit"])
def test_the_exit_opens_it_after_a_cancellation(dsn, again):
    async def main():
        closed = asyncio.Event()

        async def experiment():
            async with Gate(dsn):
                closed.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(experiment())
        await closed.wait()
        guest = asyncio.create_task(query(dsn))
        task.cancel()
        if again:
            await asyncio.sleep(0)  # the task is now inside __aexit__
            assert not task.done()
            task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert await asyncio.wait_for(guest, 30) == "passed"
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_an_exit_that_cannot_say_goodbye_ends_its_sessions(dsn, monkeypatch):
    async def main():
        closing = asyncio.Event()

        async def hangs(*args, **options):
            closing.set()
            await asyncio.Event().wait()

        async def experiment():
            async with Gate(dsn):
                monkeypatch.setattr(asyncpg.Connection, "close", hangs)

        task = asyncio.create_task(experiment())
        await closing.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        monkeypatch.undo()
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_a_cancelled_entry_leaves_nothing(dsn):
    async def main():
        async with Gate(dsn) as first:
            second = asyncio.create_task(Gate(dsn).__aenter__())
            await first.until_waiting(1)  # the second gate's holder waits for the first
            second.cancel()
            await asyncio.wait([second])
            assert second.cancelled()
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_the_entry_gives_up_with_a_sentence(dsn, monkeypatch):
    async def main():
        async with Gate(dsn):
            monkeypatch.setattr(gates, "_ENTRY_SECONDS", 0.05)
            with pytest.raises(TimeoutError, match="close the other gate, or use another key"):
                await Gate(dsn).__aenter__()
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_a_holder_that_the_server_ended_does_not_disturb_the_exit(dsn):
    async def main():
        admin = await asyncpg.connect(dsn)
        async with Gate(dsn):
            await admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name = 'gate: holder'"
            )
        await admin.close()
        await no_gate_is_left(dsn)

    asyncio.run(main())


def test_no_server_is_an_error_at_once():
    async def main():
        with pytest.raises(OSError, match=r"(?i)connect"):
            await Gate("postgresql://nobody@127.0.0.1:1/none").__aenter__()

    asyncio.run(main())


def test_until_returns_the_answer_of_plain_and_async_conditions():
    async def main():
        answers = iter([0, None, "", "at last"])
        assert await until(lambda: next(answers)) == "at last"
        numbers = iter([0, 0, 3])

        async def number():
            await asyncio.sleep(0)
            return next(numbers)

        assert await until(number) == 3
        numbers = iter([0, 4])
        assert await until(lambda: number()) == 4

    asyncio.run(main())


def test_until_says_what_it_waited_for():
    async def never():
        return 0

    async def main():
        with pytest.raises(
            TimeoutError, match=r"Waited 0\.02 s for .*never to become true; .* 0\.$"
        ):
            await until(never, timeout=0.02)
        with pytest.raises(TimeoutError, match=r"Waited 0\.02 s for six guests; .* was False\."):
            await until(lambda: False, timeout=0.02, what="six guests")
        with pytest.raises(TimeoutError, match=r"for an answer; it gave no answer\."):
            await until(asyncio.Event().wait, timeout=0.02, what="an answer")

    asyncio.run(main())


def test_until_asks_once_more_after_the_deadline():
    async def main():
        assert await until(lambda: "yes", timeout=0) == "yes"
        loop = asyncio.get_running_loop()
        end = loop.time() + 0.02
        assert await until(lambda: loop.time() >= end, timeout=0.02)

    asyncio.run(main())


def test_until_lets_the_errors_of_the_condition_through():
    async def its_own_timeout():
        raise TimeoutError("mine")

    async def main():
        with pytest.raises(ZeroDivisionError):
            await until(lambda: 1 / 0)
        with pytest.raises(TimeoutError, match=r"^mine$"):
            await until(its_own_timeout)

    asyncio.run(main())
