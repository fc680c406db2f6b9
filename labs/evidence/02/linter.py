"""What ruff's rules for `async` code find, and what they do not find.

The sample has four mistakes of this lesson. A linter sees the text alone: it cannot know that a
method of some library blocks, or that it returns a coroutine. A type checker can know the second
if the library declares its types by a file `py.typed` (PEP 561).
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files

from bench import claim

SAMPLE = """\
import asyncio
import time


async def blocking_call():
    time.sleep(1)


async def blocking_driver(window):
    window.execute("select pg_sleep(1)")


async def task_that_nobody_keeps(work):
    asyncio.create_task(work())


async def forgotten_await(pool):
    pool.execute("insert into orders default values")
"""


def found() -> dict[str, str]:
    """{function of the sample: the rule that complains, or "nothing"}."""
    command = "-m ruff check --isolated --no-cache --select ASYNC,RUF006 --output-format json -"
    done = subprocess.run(
        [sys.executable, *command.split()], input=SAMPLE, capture_output=True, encoding="utf-8"
    )
    rules = {one["location"]["row"]: one["code"] for one in json.loads(done.stdout)}
    lines = SAMPLE.splitlines()
    functions = {
        number: line.removeprefix("async def ").partition("(")[0]
        for number, line in enumerate(lines, 1)
        if line.startswith("async def ")
    }
    return {name: rules.get(number + 1, "nothing") for number, name in functions.items()}


def main() -> None:
    verdicts = found()
    for name, rule in verdicts.items():
        print(f"{name:24} {rule}")
    claim(
        "ruff-finds-sleep-and-unkept-tasks",
        "ruff finds `time.sleep` in `async def` (ASYNC251) and a task nobody keeps (RUF006).",
        (verdicts["blocking_call"], verdicts["task_that_nobody_keeps"]) == ("ASYNC251", "RUF006"),
    )
    claim(
        "ruff-misses-driver-and-await",
        "ruff finds neither a blocking driver nor a forgotten `await`.",
        verdicts["blocking_driver"] == verdicts["forgotten_await"] == "nothing",
    )
    declared = {name: (files(name) / "py.typed").is_file() for name in ("psycopg", "asyncpg")}
    claim(
        "asyncpg-declares-no-types",
        "psycopg declares its types to type checkers (`py.typed`), asyncpg does not.",
        (declared["psycopg"], declared["asyncpg"]) == (True, False),
    )


if __name__ == "__main__":
    main()
