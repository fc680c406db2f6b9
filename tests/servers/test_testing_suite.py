"""The page about tests: the suite that readers copy passes, and each variant fails as it says.

pytest runs them in processes of its own, as a reader's would, with the two plugins they speak of
and no other. The folders of `labs/testing` have settings of their own, so ours do not reach them.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from pathlib import Path

import asyncpg
import pytest

from bench.course import LABS

SUITE = LABS / "testing" / "suite"
SQLMODEL = LABS / "testing" / "sqlmodel"
LOOPS = LABS / "testing" / "loops"
FOUR_LINES = (SUITE / "pytest.ini").read_text("utf-8").replace("[pytest]\n", "")
NOWHERE = "postgresql+asyncpg://nobody@localhost:1/development"
FROM_SQLALCHEMY = "    AsyncSession,\n"
FROM_SQLMODEL = "from sqlmodel.ext.asyncio.session import AsyncSession\n"
ONE_LIVE_TEST = """
async def test_live(live):
    assert (await live.get("/guests/1/orders")).json() == 0
"""
SAME_DATABASE = "        assert app.state.engine.url == engine.url\n"
PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "anyio.pytest_plugin", "-p", "no:cacheprovider")
PATIENCE = 240  # seconds: a connection that waits on another loop would wait for ever
PASSED = ["passed"] * 3
OTHER_LOOP = "attached to a different loop"
IN_PROGRESS = "cannot perform operation: another operation is in progress"
TWO_FAIL = ["passed", OTHER_LOOP, IN_PROGRESS]


def run(target: Path, report: Path, **environment: str) -> tuple[int, str]:
    """Run pytest on `target`; its exit code and all that it printed. `report` gets its XML."""
    command = [sys.executable, "-m", "pytest", *PLUGINS, "-q", "--tb=short", "-rA"]
    done = subprocess.run(
        [*command, f"--junitxml={report}", str(target)],
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        cwd=target if target.is_dir() else target.parent,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


def outcomes(report: Path) -> dict[str, list[str]]:
    """{class, or file, of tests: "passed" or the error's first line, of each in order}."""
    found = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):
        group = case.get("classname", "").rpartition(".")[2]
        failure = case.find("failure")
        message = "passed" if failure is None else failure.get("message", "")
        found[group].append(message.partition("\n")[0])
    return found


# --- A loop for each test, and an engine that is made at import -----------------------------------


@pytest.fixture(scope="module")
def loops(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[str]], str]:
    report = tmp_path_factory.mktemp("loops") / "report.xml"
    _, printed = run(LOOPS, report)
    return outcomes(report), printed


def assert_ends(found: list[str], expected: list[str]) -> None:
    assert len(found) == len(expected)
    for said, end in zip(found, expected, strict=True):
        assert said.endswith(end), found


@pytest.mark.parametrize("group", ["TestEngineAtImport", "TestSessionBackend"])
def test_an_engine_at_import_works_for_the_first_loop_alone(loops, group):
    assert_ends(loops[0][group], TWO_FAIL)


def test_pre_ping_fails_once_for_each_new_loop(loops):
    assert_ends(loops[0]["TestPrePing"], ["passed", OTHER_LOOP, "passed"])
    assert "RuntimeError: Event loop is closed" in loops[1]


@pytest.mark.parametrize(
    "group", ["TestNullPool", "TestDispose", "TestSessionLoop", "TestSessionBackendAndFixture"]
)
def test_each_cure_lets_all_three_pass(loops, group):
    assert loops[0][group] == PASSED


def test_psycopg_goes_with_any_loop(loops):
    assert loops[0]["TestPsycopg"] == PASSED


@pytest.mark.parametrize("group", ["TestWithoutWith", "TestWithForEachTest"])
def test_a_test_client_has_a_loop_for_each_request_or_each_with(loops, group):
    assert_ends(loops[0][group], TWO_FAIL)


def test_one_with_around_all_requests_is_one_loop(loops):
    assert loops[0]["TestWithForAll"] == PASSED


# --- The suite that readers copy --------------------------------------------------------------


async def databases(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return {row[0] for row in await connection.fetch("select datname from pg_database")}
    finally:
        await connection.close()


def test_the_suite_passes_on_the_server_of_ci_and_leaves_nothing_there(postgres, tmp_path):
    before = asyncio.run(databases(postgres.dsn))
    code, printed = run(SUITE, tmp_path / "report.xml", DATABASE_URL=postgres.dsn)
    assert code == 0, printed
    assert [len(group) for group in outcomes(tmp_path / "report.xml").values()] == [6, 5]
    assert asyncio.run(databases(postgres.dsn)) == before


def changed(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    """A copy of the suite with those edits of its conftest.py."""
    copy = tmp_path / "suite"
    shutil.copytree(SUITE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    text = (copy / "conftest.py").read_text("utf-8")
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (copy / "conftest.py").write_text(text, "utf-8")
    return copy


def in_mode(mode: str, tmp_path: Path) -> tuple[list[str], dict[str, int]]:
    """Which tests fail in that `join_transaction_mode`, and which rows are left at the end."""
    copy = changed(tmp_path, ('"create_savepoint"', repr(mode)))
    _, printed = run(copy / "test_orders.py", tmp_path / "report.xml")
    left = re.search(r"^E .* rows left by the tests: (.*)", printed, re.MULTILINE)
    failed = re.findall(r"^FAILED \S*::(\w+)", printed, re.MULTILINE)
    return failed, ast.literal_eval(left[1]) if left else {}


def test_the_default_mode_loses_what_the_application_has_committed(tmp_path):
    failed, left = in_mode("conditional_savepoint", tmp_path)
    assert failed == ["test_a_refused_card_keeps_the_order"]
    assert left == {}


def test_a_mode_that_commits_leaves_rows_for_the_next_test(tmp_path):
    failed, left = in_mode("control_fully", tmp_path)
    assert failed == ["test_an_order_is_kept", "test_a_refused_card_keeps_the_order"]
    assert left == {"guests": 6, "orders": 6}


# --- A copy in a project of its own -----------------------------------------------------------


def in_a_project(tmp_path: Path, settings: str, *edits: tuple[str, str], app: Path) -> Path:
    """A project with the suite in `suite`, and a pyproject.toml above that configures pytest.

    Of its tests with `live`, one stays.
    """
    copy = changed(tmp_path, *edits)
    shutil.copy(app, copy / "app.py")
    (copy / "test_whole_app.py").write_text(ONE_LIVE_TEST, "utf-8")
    strings = re.sub(r" = (.*)", r' = "\1"', settings)
    table = f"[tool.pytest.ini_options]\n{strings}"
    (tmp_path / "pyproject.toml").write_text(table, "utf-8")
    return tmp_path


def test_settings_above_hide_those_of_the_copy(tmp_path):
    fewer = "asyncio_mode = auto\npythonpath = suite"
    project = in_a_project(tmp_path, fewer, app=SUITE / "app.py")
    (project / "suite" / "test_orders.py").unlink()  # the one of `live` is enough
    _, printed = run(project, tmp_path / "report.xml")
    assert OTHER_LOOP in printed


def for_sqlmodel(tmp_path: Path, *edits: tuple[str, str]) -> tuple[int, str]:
    """Run the copy on SQLModel's application, whose own engine leads to no server."""
    its_tables = ("metadata = Base.metadata", "metadata = SQLModel.metadata")
    names = (
        "from app import Base, app,",
        "from sqlmodel import SQLModel\nfrom app import app, Sessions,",
    )
    four = FOUR_LINES.replace("pythonpath = .", "pythonpath = suite")
    project = in_a_project(tmp_path, four, names, its_tables, *edits, app=SQLMODEL / "app.py")
    return run(project, tmp_path / "report.xml", DEVELOPMENT=NOWHERE)


def test_three_changes_suit_sqlmodel(tmp_path):
    session = (FROM_SQLALCHEMY, ""), ("import httpx\n", f"import httpx\n{FROM_SQLMODEL}")
    code, printed = for_sqlmodel(
        tmp_path,
        *session,
        (SAME_DATABASE, ""),
        (
            "    async with app.router",
            "    Sessions.configure(bind=engine)\n    async with app.router",
        ),
    )
    assert code == 0, printed


def test_without_them_each_says_what_is_missing(tmp_path):
    _, printed = for_sqlmodel(tmp_path)
    found = outcomes(tmp_path / "report.xml")
    assert "AttributeError: 'AsyncSession' object has no attribute 'exec'" in found["test_orders"]
    assert "AttributeError: 'State' object has no attribute 'engine'" in printed
