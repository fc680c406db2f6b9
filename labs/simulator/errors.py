"""How far is the simulator of the timelines from a real server? Measures it, worst case included.

    python labs/simulator/errors.py

Serves `simulator_app.py` (FastAPI, uvicorn, PostgreSQL, asyncpg, psycopg). N guests order at the
same moment, for every kind of handler and a grid of N, query time and pool. Of 4 to 12 runs the
shortest counts. Then the simulator computes the same cases in Chromium, as on the page.

Writes `book/simulator-errors.json`; an error of 0.02 means that the simulator says 2 % more than
was measured. Writes also what the simulator shows first: `book/traces/01-simulator.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from bench import Postgres, closed_loop, serve

COURSE = Path(__file__).resolve().parents[2]
SIMULATOR = COURSE / "book" / "_static" / "timeline" / "simulator.js"
APP = Path(__file__).with_name("simulator_app.py")
FIRST = COURSE / "book" / "traces" / "01-simulator.json"
RESULT = COURSE / "book" / "simulator-errors.json"
RUNS = 12  # of short cases; 4 of those that take half a second or longer
LONGEST = 4.0  # seconds that one run of a case may take

SHOWN_FIRST = {"kind": "thread", "requests": 60, "seconds": 0.1, "pool": 100}

Case = dict[str, Any]


def grid() -> list[Case]:
    """Every case whose run ends within LONGEST seconds; the pool does not matter to "block"."""
    cases = [
        {"kind": kind, "requests": requests, "seconds": seconds, "pool": pool}
        for kind, requests, seconds, pool in product(
            ("await", "block", "thread"), (1, 10, 60, 150), (0.02, 0.1, 0.3), (1, 5, 20, 45)
        )
        if kind != "block" or pool == 5
    ]
    places = {"await": 1000, "block": 1, "thread": 40}
    return [
        case
        for case in cases
        if case["requests"] * case["seconds"] / min(case["pool"], places[case["kind"]]) <= LONGEST
    ]


def simulate(cases: list[Case]) -> list[dict[str, Any]]:
    """The trace of each case."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page()
        page.add_script_tag(content=SIMULATOR.read_text(encoding="utf-8"))
        found = page.evaluate(
            "cases => cases.map(one => asyncCourse.simulator.simulate(one))", cases
        )
        browser.close()
    return found


async def measure_pool(dsn: str, pool: int, cases: list[Case]) -> None:
    """Adds `measured` (seconds) to the cases of one size of pool."""
    env = {"BISTRO_DSN": dsn, "POOL": str(pool)}
    async with serve(f"{APP}:app", env=env) as server:
        for kind in ("await", "block", "thread"):  # opens threads and fills caches
            await closed_loop(server.url, f"/{kind}?seconds=0.01", guests=60)
        for run in range(
            RUNS
        ):  # round after round, so that a disturbance does not hit one case only
            for case in cases:
                if run < 4 or case["measured"] < 0.5:  # short cases are disturbed more easily
                    length = await measure_once(server.url, case)
                    case["measured"] = min(length, case.get("measured", length))
        print(f"pool of {pool}: {len(cases)} cases measured")


async def measure_once(url: str, case: Case) -> float:
    """Seconds from the first order to the last reply."""
    path = f"/{case['kind']}?seconds={case['seconds']}"
    replies = await closed_loop(url, path, guests=case["requests"])
    if any(reply.status != 200 for reply in replies):
        raise SystemExit(f"GET {path} did not answer 200 to everybody.")
    return round(max(r.done for r in replies) - min(r.sent for r in replies), 5)


async def measure(cases: list[Case]) -> None:
    async with Postgres(max_connections=150, embedded=True) as pg:
        for pool in sorted({case["pool"] for case in cases}):
            await measure_pool(pg.dsn, pool, [case for case in cases if case["pool"] == pool])


def main() -> None:
    cases = grid()
    first, *simulated = simulate([SHOWN_FIRST, *cases])
    first["title"] = "Try your own numbers"
    FIRST.write_text(json.dumps(first, indent=1) + "\n", encoding="utf-8")
    busy = os.getloadavg()[0]
    asyncio.run(measure(cases))
    for case, trace in zip(cases, simulated, strict=True):
        length = case["simulated"] = trace["duration"]
        case["error"] = round((length - case["measured"]) / case["measured"], 4)
    worst = max(cases, key=lambda case: abs(case["error"]))
    result = {
        "about": {
            "versions": f"Python {platform.python_version()}, FastAPI {version('fastapi')}, "
            f"uvicorn {version('uvicorn')}, asyncpg {version('asyncpg')}, "
            f"psycopg {version('psycopg')}",
            "machine": f"{platform.system()}, {os.cpu_count()} cores",
            "date": datetime.now(UTC).date().isoformat(),
            "command": "python labs/simulator/errors.py",
            "runs": f"4 to {RUNS}, the shortest counts",
            "load": f"{busy:.1f} before, {os.getloadavg()[0]:.1f} after",
        },
        "median": round(median(abs(case["error"]) for case in cases), 4),
        "worst": worst,
        "cases": cases,
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cases)} cases, median error {result['median']:.1%}, worst case {worst}")


if __name__ == "__main__":
    main()
