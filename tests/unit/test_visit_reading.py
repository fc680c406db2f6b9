"""What is read in a project's source: each planted fault, and none where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.visit.reading.hits import told
from bench.visit.reading.project import Project
from bench.visit.reading.rules import read

BLOCKING = {
    "sleep": "import time\nasync def route():\n    time.sleep(1)",
    "from time import sleep": "from time import sleep as nap\nasync def route():\n    nap(1)",
    "requests": "import requests\nasync def route():\n    return requests.get('http://x.example')",
    "psycopg": "import psycopg\nasync def route():\n    with psycopg.connect('') as c: ...",
    "sqlite": "import sqlite3\nasync def route():\n    c = sqlite3.connect('x')\n    c.execute('')",
    "session by annotation": (
        "from sqlalchemy.orm import Session\nasync def route(session: Session):\n"
        "    return session.scalars(q)"
    ),
    "session by an alias of another file": (
        "from deps import SessionDep\nasync def route(session: SessionDep):\n    session.commit()"
    ),
    "SQLModel's session": (
        "from sqlmodel import Session\nasync def route(session: Session):\n    session.exec(q)"
    ),
    "session in a with": (
        "from sqlalchemy.orm import Session\nasync def route():\n"
        "    with Session(engine) as session:\n        session.execute(q)"
    ),
    "sessionmaker": (
        "from sqlalchemy.orm import sessionmaker\nLocal = sessionmaker()\nasync def route():\n"
        "    with Local() as session:\n        session.execute(q)"
    ),
    "in a def that it calls": (
        "import time\ndef slow():\n    time.sleep(1)\nasync def route():\n    slow()"
    ),
    "two layers below": ("from layers import middle\nasync def route():\n    return middle()"),
    "in a method": (
        "import time\nclass Repository:\n    def find(self):\n        time.sleep(1)\n"
        "async def route():\n    repository = Repository()\n    repository.find()"
    ),
    "in an async dependency": (
        "from fastapi import Depends\nfrom sqlalchemy.orm import Session\n"
        "async def user(session: Session = Depends(get)):\n    return session.get(User, 1)"
    ),
    "one call after another": (
        "from sqlalchemy import create_engine\nasync def route():\n"
        "    with create_engine('').connect() as c:\n        c.execute(q)"
    ),
    "a pool that waits": (
        "from psycopg_pool import ConnectionPool\npool = ConnectionPool('')\n"
        "async def route():\n    with pool.connection(): ..."
    ),
    "bcrypt": "import bcrypt\nasync def route():\n    return bcrypt.checkpw(a, b)",
}
RIGHT = {
    "in a def": "import time\ndef route():\n    time.sleep(1)",
    "in a thread": (
        "import asyncio, time\nasync def route():\n    await asyncio.to_thread(time.sleep, 1)"
    ),
    "handed to the pool": (
        "from fastapi.concurrency import run_in_threadpool\nimport requests\nasync def route():\n"
        "    return await run_in_threadpool(requests.get, 'x')"
    ),
    "in a def inside": (
        "import time, asyncio\nasync def route():\n    def work():\n        time.sleep(1)\n"
        "    await asyncio.to_thread(work)"
    ),
    "async session": (
        "from sqlalchemy.ext.asyncio import AsyncSession\nasync def route(session: AsyncSession):\n"
        "    return await session.scalars(q)"
    ),
    "gathered": (
        "import asyncio, asyncpg\nasync def route(pool: asyncpg.Pool):\n"
        "    return await asyncio.gather(pool.fetchval('a'), pool.fetchval('b'))"
    ),
    "kept as a task": (
        "import asyncio, asyncpg\nasync def route(pool: asyncpg.Pool):\n"
        "    task = asyncio.create_task(pool.fetchval('a'))\n    return await task"
    ),
    "returned to be awaited": (
        "import asyncpg\ndef ask(pool: asyncpg.Pool):\n    return pool.fetchval('a')"
    ),
    "a name that is hidden by an argument": (
        "import time\nasync def route(time):\n    time.sleep(1)"
    ),
    "add asks nothing": (
        "from sqlalchemy.ext.asyncio import AsyncSession\nasync def route(session: AsyncSession):\n"
        "    session.add(x)\n    await session.commit()"
    ),
    "parameters": (
        "import asyncpg\nasync def route(pool: asyncpg.Pool, name):\n"
        "    return await pool.fetch('select * from guest where name = $1', name)"
    ),
    "a column's name": (
        "import asyncpg\nCOLUMNS = 'id, name'\nasync def route(pool: asyncpg.Pool):\n"
        "    return await pool.fetch(f'select {COLUMNS} from guest')"
    ),
    "a table's name": (
        "import asyncpg\nasync def route(pool: asyncpg.Pool, table):\n"
        "    return await pool.fetch(f'select id from {table} where id = $1', 1)"
    ),
    "marks": (
        "async def route(cursor, ids):\n    marks = ', '.join('?' * len(ids))\n"
        "    cursor.execute(f'select id from guest where id in ({marks})', ids)"
    ),
    "a placeholder that a method of the project writes": (
        "class Dialect:\n    def mark(self, key):\n        return f'to_timestamp(:{key})'\n"
        "    @property\n    def now(self):\n        return 'now()'\n"
        "async def route(db):\n"
        "    await db.execute(f\"delete from guest where came < {db.mark('day')}\", {})\n"
        "    await db.execute(f'update guest set came = {db.now} where id = 1')"
    ),
    "a column out of a list": (
        "async def route(pool):\n    columns = ['name', 'came']\n    for column in columns:\n"
        "        await pool.execute(f'update guest set {column} = {column}')"
    ),
    "an index's columns": (
        "async def route(pool, column):\n"
        "    await pool.execute(f'create index on guest ({column})')\n"
        "    await pool.execute(f'insert into guest (id, {column}) values ($1, $2)', 1, 2)"
    ),
    "a column in quotes": (
        "async def route(pool, column):\n"
        '    await pool.fetch(f\'select "{column}" from guest where "{column}" is null\')'
    ),
    "a statement inside a statement": (
        "async def route(pool, query, more):\n"
        "    await pool.fetchval(f'select count(*) from ({query}) as q where 1 = 1 and {more}')"
    ),
    "a table before its column": (
        "async def route(pool, table):\n    await pool.execute("
        "f'insert into {table} (n) values ($1) on conflict do update set n = {table}.n', 1)"
    ),
    "the number of a parameter": (
        "async def route(pool, values):\n    mark = f'${len(values)}'\n"
        "    await pool.fetch(f'select id from guest limit {mark}', *values)"
    ),
    "a number, and a name that says SQL": (
        "async def route(pool, limit: int, more_sql):\n    limit = min(limit, 100)\n"
        "    await pool.fetch(f'select id from guest where came > {more_sql} limit {limit}')"
    ),
    "what takes no parameters": (
        "async def route(pool, kind):\n"
        "    await pool.execute(f\"create index on guest (id) where kind = '{kind}'\")"
    ),
    "a program of its own": (
        "import asyncio, time\nasync def main():\n    time.sleep(1)\nasyncio.run(main())"
    ),
    "to close": ("import httpx\nclient = httpx.Client()\nasync def leave():\n    client.close()"),
    "before the first guest": (
        "import time\nfrom fastapi import FastAPI\ndef wait_for_database():\n    time.sleep(1)\n"
        "async def lifespan(app):\n    wait_for_database()\n    yield\n"
        "app = FastAPI(lifespan=lifespan)\n@app.on_event('startup')\nasync def start():\n"
        "    wait_for_database()"
    ),
    "a scope": (
        "from fastapi import Depends\nasync def db():\n    async with Session() as s:\n"
        "        yield s\n        await s.commit()\n"
        "async def route(s=Depends(db, scope='function')): ..."
    ),
}
FORGOTTEN = {
    "a statement": (
        "from sqlalchemy.ext.asyncio import AsyncSession\nasync def route(session: AsyncSession):\n"
        "    session.commit()"
    ),
    "used as its value": (
        "from sqlalchemy.ext.asyncio import AsyncSession\nasync def route(session: AsyncSession):\n"
        "    return session.execute(q).scalars()"
    ),
    "of the project": "async def save(): ...\nasync def route():\n    save()",
    "asyncpg": "import asyncpg\nasync def route(c: asyncpg.Connection):\n    c.execute('x')",
}
SQL = {
    "f-string": "pool.fetch(f\"select * from guest where name = '{name}'\")",
    "percent": "pool.fetch(\"select * from guest where name = '%s'\" % name)",
    "format": "pool.fetch('select * from guest where id = {}'.format(name))",
    "plus": 'pool.fetch("select * from guest where name = \'" + name + "\'")',
    "limit": "pool.fetch(f'select * from guest limit {name}')",
    "a list": "pool.fetch(f'select * from guest where id in (1, {name})')",
    "values": "pool.fetch(f'insert into guest (id, name) values (1, {name})')",
    "between": "pool.fetch(f'select * from guest where age between {1} and {name}')",
    "inside quotes": "pool.fetch(f\"select * from guest where name like '%{name}%'\")",
    "an attribute": "pool.fetch(f'select * from guest where name = {name.text}')",
    "text()": "session.execute(text(f\"delete from guest where name = '{name}'\"))",
}
OTHERS = {
    "deps.py": (
        "from typing import Annotated\nfrom fastapi import Depends\n"
        "from sqlalchemy.orm import Session\ndef get(): ...\n"
        "SessionDep = Annotated[Session, Depends(get)]\n"
    ),
    "layers.py": "from lower import slow\ndef middle():\n    return slow()\n",
    "lower.py": "import requests\ndef slow():\n    return requests.get('http://x.example')\n",
}


def kinds(folder: Path, source: str) -> list[str]:
    for name, text in OTHERS.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "main.py").write_text(source, encoding="utf-8")
    return [one.kind for one in read(Project(folder)) if one.kind != "pool"]


@pytest.mark.parametrize("name", BLOCKING)
def test_a_blocking_call_on_the_loop_is_found(name: str, tmp_path: Path) -> None:
    assert kinds(tmp_path, BLOCKING[name]) == ["blocking-call"]


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_left_alone(name: str, tmp_path: Path) -> None:
    assert kinds(tmp_path, RIGHT[name]) == []


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_forgotten_await_is_found(name: str, tmp_path: Path) -> None:
    assert kinds(tmp_path, FORGOTTEN[name]) == ["forgotten-await"]


@pytest.mark.parametrize("name", SQL)
def test_a_value_in_sql_is_found(name: str, tmp_path: Path) -> None:
    source = (
        f"from sqlalchemy import text\nasync def route(pool, session, name):\n    await {SQL[name]}"
    )
    assert kinds(tmp_path, source) == ["sql-from-text"]


@pytest.mark.parametrize(
    "body",
    [
        "    async with maker() as s:\n        yield s\n        await s.commit()",
        "    async with maker() as s, s.begin():\n        yield s",
        "    async with pool.acquire() as c, c.transaction():\n        yield c",
    ],
)
def test_a_commit_after_the_reply_is_found(body: str, tmp_path: Path) -> None:
    source = (
        f"from fastapi import Depends\nasync def db():\n{body}\nasync def route(s=Depends(db)): ..."
    )
    assert kinds(tmp_path, source) == ["commit-after-reply"]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("asyncpg.create_pool(dsn)", "at most 10 connections"),
        ("asyncpg.create_pool(dsn, max_size=3)", "at most 3 connections"),
        ("create_async_engine(dsn)", "at most 15 connections"),
        ("create_async_engine(dsn, pool_size=20)", "at most 30 connections"),
        ("create_async_engine(dsn, pool_size=0)", "no limit"),
        ("create_async_engine(dsn, **options)", "as many connections as a setting"),
        ("create_async_engine(dsn, poolclass=NullPool)", "one for each request"),
        ("create_async_engine(dsn, pool_size=settings.size)", "as many connections as a setting"),
    ],
)
def test_a_pool_says_how_many_connections_it_may_open(call: str, says: str, tmp_path: Path) -> None:
    imports = "import asyncpg\nfrom sqlalchemy.ext.asyncio import create_async_engine\n"
    source = f"{imports}pool = {call}\n"
    (tmp_path / "main.py").write_text(source, encoding="utf-8")
    [hit] = read(Project(tmp_path))
    assert hit.kind == "pool"
    assert says in hit.says


@pytest.mark.parametrize("name", ["conftest.py", "test_x.py", "migrations.py"])
def test_what_no_guest_runs_is_not_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(BLOCKING["sleep"], encoding="utf-8")
    assert kinds(tmp_path, "x = 1") == []


def test_names_that_go_round_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    source = (
        "def one(): return two()\ndef two(): return one()\n"
        "async def route(pool, a, b):\n    for a in b:\n        for b in a:\n"
        "            a = [a]\n"
        "            await pool.fetch(f'select * from guest where x = {a} and y = {one()}')\n"
    )
    assert kinds(tmp_path, source) == ["sql-from-text"]


def test_the_report_has_a_place_for_each_hit(tmp_path: Path) -> None:
    kinds(tmp_path, BLOCKING["two layers below"])
    text, faults = told(tmp_path)
    assert faults == 1
    assert "main.py:3  middle()" in text
    assert "it leads to lower.py:3" in text
    assert "lesson 1" in text


def test_many_hits_are_summed_up_unless_one_asks(tmp_path: Path) -> None:
    routes = "".join(f"async def r{n}():\n    time.sleep(1)\n" for n in range(25))
    kinds(tmp_path, f"import time\n{routes}")
    text, faults = told(tmp_path)
    assert faults == 25
    assert text.count("time.sleep(1)") == 20
    assert "… and 5 more, in 1 file: --only blocking-call shows all." in text
    assert told(tmp_path, ["blocking-call"])[0].count("time.sleep(1)") == 25


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "bad.py").write_text("def (:\n", encoding="utf-8")
    text, faults = told(tmp_path)
    assert faults == 0
    assert "bad.py" in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--read", "nowhere"], "there is no such folder"),
        ([], "Which application?"),
        (["app:app"], "Which request?"),
        (["app:app", "items"], "is no request"),
        (["app:app", "GET /", "--env", "nonsense"], "--env is written"),
        (["app:app", "GET /", "--env", "DATABASE_URL={dsn}"], "says where its PostgreSQL is"),
        (["app:app", "GET /", "--json-body", "{"], "is no JSON"),
        (["app:app", "GET /", "-H", "nonsense"], "A header is written"),
        (["app:app", "GET /", "--fail-on", "nonsense"], "there is no such finding"),
        (["app:app", "GET /", "--folder", "nowhere"], "there is no such folder"),
        (
            ["app:app", "GET /", "--env", "X={dsn}", "--dsn", "postgresql://a@b/c?sslmode=require"],
            "asks for TLS",
        ),
        (["app:app", "GET /", "--env", "X={dsn}", "--dsn", "mysql://a@b/c"], "PostgreSQL's"),
        (["app:app", "GET /", "--steps", "nowhere.yml"], "cannot be read"),
    ],
)
def test_a_wrong_command_gets_one_sentence(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench.visit.__main__ import UNUSABLE, main

    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(words) == UNUSABLE
    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out


def test_the_child_needs_the_standard_library_alone() -> None:
    """And no Python of today: its grammar is that of 3.9."""
    import ast

    from bench.visit.application import CHILD

    tree = ast.parse(CHILD.read_text(encoding="utf-8"), feature_version=(3, 9))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        (node.module or "").partition(".")[0]
        if isinstance(node, ast.ImportFrom)
        else alias.name.partition(".")[0]
        for node in top
        for alias in node.names
    }
    assert names <= sys.stdlib_module_names | {"__future__"}
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import runpy; runpy.run_path({str(CHILD)!r}, run_name='x')",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
