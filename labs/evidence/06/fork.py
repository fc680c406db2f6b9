"""A connection that was opened before a fork: two processes, one socket.

A server that loads the app first and forks its workers afterwards does this with every connection
opened at import. The child leaves by os._exit: it touches nothing but the one query.
(Windows has no fork.)
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable

import psycopg

from bench import Postgres, claim

PID = "select pg_backend_pid()"


def in_a_child(work: Callable[[], object]) -> str:
    """Run `work` in a forked child, wait for its end, and return what it returned, as text."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.write(writing, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def the_wrong_answer(dsn: str) -> str:
    """The child asks for one guest and does not wait; what does the parent get for its own?"""
    shared = psycopg.connect(dsn, autocommit=True)

    def ask_and_leave() -> None:
        shared.pgconn.send_query(b"select 'the bill of Ann'")
        shared.pgconn.flush()

    in_a_child(ask_and_leave)
    answer = shared.execute("select 'the bill of Ben'").fetchone()[0]
    shared.close()
    return answer


def the_closed_door(dsn: str) -> str:
    """The child closes "its" connection; what has the parent's become?"""
    shared = psycopg.connect(dsn, autocommit=True)
    in_a_child(shared.close)
    try:
        shared.execute("select 1")
    except psycopg.OperationalError as error:
        return type(error).__name__
    finally:
        shared.close()
    return "goes on"


def one_each(dsn: str) -> int:
    """Backends of parent and child when each opens its own connection after the fork."""

    def own() -> int:
        with psycopg.connect(dsn) as window:
            return window.execute(PID).fetchone()[0]

    return len({int(in_a_child(own)), own()})


async def in_a_process_of_one_thread(dsn: str) -> list:
    """What the three experiments say. This process has threads, and such a one must not fork."""
    env = os.environ | {"DSN": dsn}
    command = sys.executable, __file__, "fork"
    ran = await asyncio.create_subprocess_exec(*command, env=env, stdout=subprocess.PIPE)
    said, _ = await ran.communicate()
    return json.loads(said)


async def main() -> None:
    async with Postgres() as pg:
        answer, door, backends = await in_a_process_of_one_thread(pg.dsn)
    print(f"the child asks for Ann's bill and leaves; the parent asks for Ben's, and has: {answer}")
    print(f"the child closes the connection; the parent's next query: {door}")
    print(f"each opens its own after the fork: {backends} backends")
    claim(
        "forked-connection-swaps-answers",
        "Two processes on one connection: one gets the answer that was meant for the other.",
        answer == "the bill of Ann",
    )
    claim(
        "forked-connection-closes-for-both",
        "The child closes the connection, and the parent has lost it as well.",
        door == "OperationalError",
    )
    claim(
        "own-connection-after-the-fork",
        "Opened after the fork, each process has a backend of its own.",
        backends == 2,
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["fork"]:
        work = the_wrong_answer, the_closed_door, one_each
        print(json.dumps([one(os.environ["DSN"]) for one in work]))
    else:
        asyncio.run(main())
