"""A visit tells what was planted in an application, and nothing else.

The applications stand in `tests/visited/`; the name of a route says what is wrong with it.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from bench import Postgres, RoundTrips, serve, until
from bench.course import COURSE
from bench.visit.application import VisitError
from bench.visit.asking import read_steps, request_line
from bench.visit.judging import TIMED
from bench.visit.page import offline
from bench.visit.report import as_json, beyond, told
from bench.visit.visits import Plan, Visit, Visiting, _set_up, visiting
from bistro.database import prepare

VISITED = COURSE / "tests" / "visited"
SEEDED = {  # route: (guests, kinds of findings, line of the first)
    "/clean": (1, [], ""),
    "/fast": (6, [], ""),
    "/outside-while-holding": (1, ["held-idle"], "outside_while_holding()"),
    "/forgotten-await": (1, ["forgotten-await"], "forgotten_await()"),
    "/block-120-ms": (3, ["loop-held"], "block()"),
    "/asks-then-blocks": (2, ["loop-held"], "block_the_loop()"),
    "/nested-lease": (1, ["nested-lease"], "nested()"),
    "/n-plus-7": (1, ["n-plus-one"], "<listcomp>()"),
    "/gather-4-on-2": (1, ["pool-wait", "fan-out"], ""),  # waiting is nobody's line
    "/stream-that-pins": (3, ["held-idle", "pool-wait"], "lines()"),
}
DRIVERS = {  # route: (drivers, round trips, calls of SQLite, kinds of findings)
    "/sync-session-in-async-dependency": ({"psycopg"}, 3, 0, {"wrong-place"}),
    "/sync-session-in-def": ({"psycopg"}, 3, 0, set()),
    "/asyncpg-session": ({"asyncpg"}, 3, 0, set()),
    "/two-tasks": ({"asyncpg"}, 6, 0, {"fan-out"}),
    "/psycopg-session": ({"psycopg"}, 3, 0, set()),
    "/psycopg-pool": ({"psycopg"}, 3, 0, set()),
    "/psycopg-sync-pool": ({"psycopg"}, 3, 0, set()),
    "/psycopg-alone": ({"psycopg"}, 7, 0, {"opened"}),
    "/aiosqlite": ({"aiosqlite", "sqlite3"}, 0, 1, set()),
    "/sqlite-on-the-loop": ({"sqlite3"}, 0, 1, {"wrong-place"}),
}


def plan(app: str, dsn: str, **more: object) -> Plan:
    """A visit of `tests/visited/`, with little patience for anything but the counts."""
    return Plan(
        app=app,
        steps=[request_line("GET /")],
        python=sys.executable,
        folder=VISITED,
        dsn=dsn,
        templates={"DATABASE_URL": "{dsn}"},
        warm=1,
        cost=False,
        **more,
    )


async def of_all(inside: Visiting, routes: dict[str, int]) -> dict[str, Visit]:
    return {
        route: await inside.measure(request_line(f"GET {route}"), guests)
        for route, guests in routes.items()
    }


@pytest.fixture(scope="module")
def pg() -> Iterator[Postgres]:
    server = asyncio.run(Postgres().start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="module")
def seeded(pg: Postgres) -> dict[str, Visit]:
    async def main() -> dict[str, Visit]:
        async with visiting(plan("seeded:app", pg.dsn)) as inside:
            return await of_all(inside, {route: row[0] for route, row in SEEDED.items()})

    return asyncio.run(main())


@pytest.fixture(scope="module")
def by_driver(pg: Postgres, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Visit]:
    file = str(tmp_path_factory.mktemp("visited") / "visited.db")

    async def main() -> dict[str, Visit]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SQLITE_FILE", file)
            async with visiting(plan("other_drivers:app", pg.dsn, rounds=1)) as inside:
                return await of_all(inside, dict.fromkeys(DRIVERS, 1))

    return asyncio.run(main())


@pytest.mark.parametrize("route", SEEDED)
def test_a_planted_fault_is_told_and_nothing_else(route: str, seeded: dict[str, Visit]) -> None:
    """What a clock finds on a loaded machine is true there, and may stand beside the planted."""
    _, kinds, line = SEEDED[route]
    every = seeded[route].findings
    found = [one for one in every if one.kind in kinds or one.kind not in TIMED]
    assert [one.kind for one in found] == kinds
    assert not found or line in found[0].at
    assert not found or not line or found[0].at.startswith("seeded.py:")


def test_amounts_are_exact(seeded: dict[str, Visit]) -> None:
    amounts = {one.kind: one.amount for route in SEEDED for one in seeded[route].findings}
    assert amounts["n-plus-one"] == 7
    assert amounts["nested-lease"] == 2
    assert amounts["fan-out"] == 4
    assert amounts["forgotten-await"] >= 1
    assert amounts["loop-held"] >= 120
    assert amounts["held-idle"] >= 199


@pytest.mark.parametrize("route", DRIVERS)
def test_each_driver_is_counted(route: str, by_driver: dict[str, Visit]) -> None:
    drivers, trips, calls, kinds = DRIVERS[route]
    seen = by_driver[route]
    [guest] = seen.guests
    assert guest.status == 200
    assert drivers <= set(seen.drivers)
    assert (len(guest.trips), len(guest.calls)) == (trips, calls)
    assert {one.kind for one in seen.findings} - TIMED == kinds


def test_a_misplaced_query_names_its_line(by_driver: dict[str, Visit]) -> None:
    found = by_driver["/sync-session-in-async-dependency"].findings[0]
    assert found.kind == "wrong-place"
    assert "current_user()" in found.at


def test_late_rollbacks_belong_to_their_own_request(by_driver: dict[str, Visit]) -> None:
    [guest] = by_driver["/sync-session-in-def"].guests
    assert [trip.statements[0].strip(";") for trip in guest.trips] == [
        "BEGIN",
        "select 1",
        "ROLLBACK",
    ]


def test_trips_are_those_of_an_application_without_instruments(
    pg: Postgres, seeded: dict[str, Visit]
) -> None:
    async def main() -> dict[str, int]:
        counted = {}
        async with RoundTrips(pg.dsn) as net:
            app = f"{VISITED / 'seeded.py'}:app"
            async with (
                serve(app, env={"DATABASE_URL": net.dsn}) as server,
                httpx.AsyncClient(base_url=server.url, trust_env=False) as client,
            ):
                for route in ("/clean", "/n-plus-7", "/nested-lease"):
                    await client.get(route)
                    net.reset()
                    await client.get(route)
                    counted[route] = net.trips
        return counted

    plain = asyncio.run(main())
    assert plain == {route: len(seeded[route].guests[0].trips) for route in plain}


def test_waiting_for_the_loop_is_not_waiting_for_the_pool(seeded: dict[str, Visit]) -> None:
    waits = [lease.waits for guest in seeded["/fast"].guests for lease in guest.leases]
    assert len(waits) == 6
    for lease in seeded["/stream-that-pins"].guests[-1].leases:
        pool, own, loop = lease.waits
        assert pool >= 0.19
        assert own == 0
        assert abs(pool + own + loop - (lease.got - lease.asked)) < 1e-9


def test_no_two_leases_have_one_connection(seeded: dict[str, Visit]) -> None:
    for seen in seeded.values():
        leases = sorted(
            (lease for guest in seen.guests for lease in guest.leases), key=lambda one: one.got
        )
        last: dict[int, float] = {}
        for lease in leases:
            assert lease.got >= last.get(lease.port, 0.0)
            last[lease.port] = lease.back


def test_the_report_says_the_most_important_first(seeded: dict[str, Visit]) -> None:
    lines = told(seeded["/outside-while-holding"]).splitlines()
    assert lines[4].startswith("1. [held-idle]")
    assert any("lesson 4" in line for line in lines)
    assert "Nothing found" in told(seeded["/clean"])


def test_no_value_of_the_application_is_told(seeded: dict[str, Visit], pg: Postgres) -> None:
    password = pg.dsn.partition("://")[2].partition(":")[2].partition("@")[0]
    for seen in seeded.values():
        for text in (told(seen), str(as_json(seen)), offline(seen)):
            assert password not in text
            assert "pg_sleep(0.1)" not in text


def test_the_page_needs_no_network(seeded: dict[str, Visit]) -> None:
    html = offline(seeded["/stream-that-pins"])
    assert "<script src" not in html
    assert "<link" not in html
    assert html.count("guest 3") >= 1


def test_a_pipeline_can_refuse_findings(seeded: dict[str, Visit]) -> None:
    seen = seeded["/n-plus-7"]
    assert [one.kind for one in beyond(seen, {"n-plus-one": 7})] == ["n-plus-one"]
    assert beyond(seen, {"n-plus-one": 8}) == []
    assert beyond(seen, {"wrong-place": 0}) == []


def test_a_query_of_a_task_names_the_line_that_made_its_coroutine(
    seeded: dict[str, Visit],
) -> None:
    [guest] = seeded["/gather-4-on-2"].guests
    assert {at.partition(":")[0] for at in guest.lines.values()} == {"seeded.py"}


# ---- what cannot be seen is said ----


async def awkward(request: str, dsn: str = "", body: bytes = b"", **more: object) -> Visit:
    headers = {"Content-Type": "application/json"}
    async with visiting(plan("awkward:app", dsn, **more)) as inside:
        return await inside.measure(request_line(request, headers=headers, body=body))


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ("/fails", r"(?s)status 500\..*RuntimeError: the kitchen burns"),
        ("/moved", "a redirect to /once. Ask for that path"),
        ("/past-the-proxy", "through asyncpg, but not through the proxy: DATABASE_URL did not"),
        ("/encrypted", "asks for TLS"),
    ],
)
def test_what_cannot_be_visited_is_one_sentence(
    route: str, says: str, pg: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_DATABASE", pg.dsn)
    with pytest.raises(VisitError, match=says):
        asyncio.run(awkward(f"GET {route}", pg.dsn))


def test_without_a_proxy_nothing_is_said_of_unused_connections(
    pg: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_DATABASE", pg.dsn)
    seen = asyncio.run(awkward("GET /past-the-proxy"))
    assert seen.findings == []
    assert "without a query" not in told(seen)
    assert "no round trip was counted" in told(seen)


def test_a_request_that_works_only_once_is_made_unique() -> None:
    seen = asyncio.run(awkward("POST /once", body=b'{"name": "guest-{unique}"}', guests=2))
    assert [guest.status for guest in seen.guests] == [200, 200]
    seen = asyncio.run(awkward("POST /once", body=b'{"name": "anna"}'))
    assert [one.kind for one in seen.findings] == ["failed"]
    assert "{unique}" in seen.findings[0].do


def test_setup_finds_the_tools_of_the_applications_own_environment() -> None:
    _set_up(plan("seeded:app", "", setup="ruff --version"), {})
    with pytest.raises(VisitError, match="there is no no-such-tool beside"):
        _set_up(plan("seeded:app", "", setup="no-such-tool upgrade"), {})


# ---- the command, and the chapter's example ----

EVENING = VISITED / "evening.txt"


@pytest.fixture(scope="module")
def evening(pg: Postgres, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str, Path]:
    """The command of the chapter, in a process of its own: its exit code, its words, its files."""
    asyncio.run(prepare(pg.dsn))
    files = tmp_path_factory.mktemp("evening")
    words = [
        "--dsn",
        pg.dsn,
        "--guests",
        "4",
        "--rtt",
        "5",
        "--fail-on",
        "wrong-place,n-plus-one=7",
    ]
    outputs = ["--html", str(files / "report.html"), "--json", str(files / "report.json")]
    done = subprocess.run(
        [sys.executable, "-m", "bench.visit", *CHAPTER, *words, *outputs],
        cwd=VISITED,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, files


CHAPTER = ["--env", "BISTRO_DSN={dsn}", "evening:app", "GET /tonight"]


def faults_in(report: str) -> list[tuple[str, str]]:
    """(kind, line) of each finding of a report, in its order."""
    return re.findall(
        r"^\d+\. \[([a-z-]+)\][^\n]*(?:\n   (?!at )[^\n]*)*\n   at (.+)$", report, re.MULTILINE
    )


def test_the_example_of_the_chapter_is_told_again(evening: tuple[int, str, Path]) -> None:
    code, said, _ = evening
    assert code == 1, said
    stored = faults_in(EVENING.read_text(encoding="utf-8"))
    assert len(stored) == 6
    assert sorted(faults_in(said)) == sorted(stored)
    assert said.rstrip().endswith("--fail-on: wrong-place, wrong-place.")


def test_the_command_writes_a_page_and_a_file_for_programs(evening: tuple[int, str, Path]) -> None:
    _, said, files = evening
    told = json.loads((files / "report.json").read_text(encoding="utf-8"))
    assert told["format"] == "async-course/visit/1"
    assert [guest["trips"] for guest in told["guests"]] == [15] * 4
    assert len(told["instruments_ms"]) == 2
    assert "</html>" in (files / "report.html").read_text(encoding="utf-8")
    assert "The instruments: one request alone takes" in said


@pytest.mark.parametrize("end", [signal.SIGINT, getattr(signal, "SIGKILL", signal.SIGTERM)])
def test_a_visit_that_is_ended_leaves_nothing_running(end: signal.Signals, tmp_path: Path) -> None:
    """Neither Ctrl+C nor `kill -9` of the parent leaves the application behind."""
    (tmp_path / "hangs.py").write_text(
        "import asyncio, os, pathlib\n"
        "from fastapi import FastAPI\n"
        "app = FastAPI()\n"
        "@app.get('/')\n"
        "async def hangs():\n"
        "    pathlib.Path('pid').write_text(str(os.getpid()))\n"
        "    await asyncio.Event().wait()\n",
        encoding="utf-8",
    )
    words = [sys.executable, "-m", "bench.visit", "hangs:app", "GET /"]
    visit = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    written = tmp_path / "pid"
    asyncio.run(until(lambda: written.exists() and written.read_text(), what="the request to hang"))
    visit.send_signal(end)
    visit.communicate(timeout=60)
    child = int(written.read_text())
    asyncio.run(until(lambda: not psutil.pid_exists(child), what="the application to leave"))


def test_steps_keep_what_a_login_says(pg: Postgres) -> None:
    """A token of one reply goes into the next request's header."""

    async def main() -> list[int]:
        steps = read_steps(VISITED / "login.yml")
        async with visiting(plan("login:app", "")) as inside:
            await inside.warm_up(steps[:-1])
            return [guest.status for guest in (await inside.measure(steps[-1])).guests]

    assert asyncio.run(main()) == [200]
