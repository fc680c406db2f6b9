"""A visit where the application lives in an older world: Python 3.9, uvicorn 0.18, SQLAlchemy 1.4.

Run by `make proof` only: it makes a virtual environment for each interpreter that is there.
COURSE_OLD_PYTHONS names them, with `:` between; without it `python3.9` and `python3.10` are tried.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bench import Postgres
from bench.visit.asking import request_line
from bench.visit.visits import Plan, Visit, visiting

OLD = [
    "uvicorn==0.18.0",
    "fastapi==0.95.2",
    "sqlalchemy[asyncio]==1.4.54",
    "psycopg2-binary==2.9.12",
]
TODAY = ["asyncpg", "aiosqlite"]
VISITED = Path(__file__).parents[1] / "visited"
ROUTES = {  # route: (driver, round trips, calls of SQLite, findings)
    "/pool": ("asyncpg", 2, 0, set()),
    "/psycopg2-in-def": ("psycopg2", 6, 0, {"opened"}),
    "/psycopg2-on-the-loop": ("psycopg2", 3, 0, {"wrong-place"}),
    "/asyncpg-session": ("asyncpg", 3, 0, set()),
    "/aiosqlite": ("aiosqlite", 0, 1, set()),
}


def interpreters() -> list[str]:
    named = os.environ.get("COURSE_OLD_PYTHONS", "").split(os.pathsep)
    return [one for one in named if one] or [
        one for one in ("python3.9", "python3.10") if shutil.which(one)
    ]


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    found = interpreters()
    assert found, "No Python 3.9 or 3.10 is here: COURSE_OLD_PYTHONS=/path/to/python3.9"
    folder = tmp_path_factory.mktemp("old")
    subprocess.run([found[0], "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", *OLD, *TODAY]
    subprocess.run(pip, check=True)
    return str(folder / "bin" / "python")


def test_an_old_world_is_told_the_same_way(python: str, tmp_path: Path) -> None:
    shutil.copy(VISITED / "older.py", tmp_path)

    async def main() -> dict[str, Visit]:
        async with Postgres() as pg:
            plan = Plan(
                app="older:app",
                steps=[request_line("GET /")],
                python=python,
                folder=tmp_path,
                dsn=pg.dsn,
                templates={"DATABASE_URL": "{dsn}"},
                rounds=1,
            )
            async with visiting(plan) as inside:
                return {one: await inside.measure(request_line(f"GET {one}")) for one in ROUTES}

    timed = {"loop-held", "held-idle", "pool-wait"}
    for route, seen in asyncio.run(main()).items():
        driver, trips, calls, kinds = ROUTES[route]
        [guest] = seen.guests
        assert guest.status == 200, route
        assert seen.about["uvicorn"] == "0.18.0"
        assert driver in seen.drivers, route
        assert (len(guest.trips), len(guest.calls)) == (trips, calls), route
        assert {one.kind for one in seen.findings} - timed == kinds, route
