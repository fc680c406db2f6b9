"""The check that finds blocking calls below an `async def` finds them, and nothing else."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from blocking_calls import blocking_calls, blocking_calls_of

HEAD = """
import asyncio, sqlite3, subprocess, time
import psycopg, asyncpg, httpx, requests
import psycopg as pg
from psycopg import connect as door
from time import sleep as pause
from fastapi.concurrency import run_in_threadpool

def fetch():
    with psycopg.connect("") as window:
        return window.execute("select 1").fetchone()

def through():
    return fetch()

def window_of() -> psycopg.Connection:
    return getattr(mine, "window")

def sum_of(a, b):
    return a + b
"""

HOLDS = {
    "sleep": "time.sleep(1)",
    "another name": "pause(1)",
    "connect": "psycopg.connect('')",
    "module by another name": "pg.connect('')",
    "function by another name": "door('')",
    "class": "psycopg.Connection.connect('')",
    "sqlite": "sqlite3.connect('x')",
    "process": "subprocess.run(['true'])",
    "http": "requests.get('http://x')",
    "httpx": "httpx.get('http://x')",
    "a function of the file": "fetch()",
    "two functions deep": "through()",
    "in an expression": "return [sum_of(1, fetch()[0]) for _ in range(3)]",
    "what a function gives": "window = window_of()\nwindow.execute('select 1')",
    "a cursor": "cursor = window_of().cursor()\ncursor.execute('select 1')",
    "at once": "window_of().execute('select 1')",
    "an argument": "window.execute('select 1')",
    "a sync engine": "with repository.sync_engine.connect() as c:\n    pass",
    "what a sync engine gives": "c = repository.sync_engine.connect()\nc.execute('select 1')",
    "in a branch": "if True:\n    try:\n        time.sleep(1)\n    finally:\n        pass",
}
PASSES = {
    "awaited sleep": "await asyncio.sleep(1)",
    "a thread": "await asyncio.to_thread(fetch)",
    "a helper": "await run_in_threadpool(fetch)",
    "a lambda": "await run_in_threadpool(lambda: fetch())",
    "inner function": "def inner():\n    time.sleep(1)\nawait asyncio.to_thread(inner)",
    "async psycopg": "c = await psycopg.AsyncConnection.connect('')\nawait c.execute('select 1')",
    "asyncpg": "c = await asyncpg.connect('')\nawait c.fetchval('select 1')",
    "errors": "raise psycopg.errors.QueryCanceled",
    "work": "return sum_of(1, 2)",
    "a listener": "listens_for(repository.sync_engine, 'connect')",
    "the pool of a sync engine": "repository.sync_engine.pool.status()",
    "a name that only looks so": "repository.connect('')\nopened.execute('x')",
}


def route(body: str) -> str:
    body = indent(dedent(body), "    ")
    return f"{HEAD}\nasync def route(window: psycopg.Connection, repository, opened):\n{body}\n"


@pytest.mark.parametrize("body", HOLDS.values(), ids=HOLDS.keys())
def test_a_call_that_blocks_is_found(body: str) -> None:
    found = blocking_calls(route(body))
    assert found
    assert all(one.startswith("route, line ") for one in found)


@pytest.mark.parametrize("body", PASSES.values(), ids=PASSES.keys())
def test_what_does_not_block_is_left_alone(body: str) -> None:
    assert blocking_calls(route(body)) == []


def test_the_same_in_a_def_holds_nobody() -> None:
    assert blocking_calls("import time\n\ndef route():\n    time.sleep(1)\n") == []


def test_an_inner_function_that_blocks_is_found_where_it_is_called() -> None:
    found = blocking_calls(route("def inner():\n    time.sleep(1)\ninner()"))
    assert [one.partition(": ")[2] for one in found] == ["inner"]


def test_methods_and_inner_routes_are_looked_at() -> None:
    source = "import time\n\ndef make():\n    class A:\n        async def run(self):\n"
    assert blocking_calls(f"{source}            time.sleep(1)\n") == ["run, line 6: time.sleep"]


def test_two_methods_of_one_name_are_both_looked_at_and_self_is_followed() -> None:
    source = """
import time

class A:
    def fetch(self):
        time.sleep(1)

    async def run(self):
        self.fetch()

class B:
    async def run(self):
        pass
"""
    assert blocking_calls(source) == ["run, line 9: self.fetch"]


HELPERS = """
import psycopg

def window() -> psycopg.Connection:
    return make()

def fetch():
    with psycopg.connect("") as window:
        return window.execute("select 1").fetchone()
"""
OTHERS = {
    "a function": "from house.database import fetch as get\n\nasync def route():\n    get()\n",
    "a module": "from house import database\n\nasync def route():\n    database.fetch()\n",
    "a package": "import house.database\n\nasync def route():\n    house.database.fetch()\n",
    "through two": "from house.middle import through\n\nasync def route():\n    through()\n",
    "what it gives": (
        "from house.database import window\n\nasync def route():\n    w = window()\n    w.close()\n"
    ),
}


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS.keys())
def test_what_another_file_gives_is_followed(source: str) -> None:
    middle = "from house.database import fetch\n\ndef through():\n    return fetch()\n"
    files = {"app": source, "house.middle": middle, "house.database": HELPERS}
    found = blocking_calls_of(files)
    assert found
    assert all(one.startswith("app: route, line ") for one in found)


def test_a_thread_between_two_files_holds_nobody() -> None:
    source = "import asyncio\nfrom database import fetch\n\nasync def route():\n"
    files = {"app": f"{source}    await asyncio.to_thread(fetch)\n", "database": HELPERS}
    assert blocking_calls_of(files) == []


def test_a_variable_with_the_name_of_a_module_is_none() -> None:
    assert blocking_calls("async def route(requests):\n    requests.items()\n") == []
