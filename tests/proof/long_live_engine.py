"""The engine of live cells in Firefox, and in a browser that cannot switch stacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import live_truth
from answering import firefox_at
from browsers import chromium
from live_engine import run_in_worker
from live_truth import PROGRAMS, TRACEBACK

WITHOUT = """
delete WebAssembly.Suspending;
delete WebAssembly.promising;
"""
THREADS_TAKE_TURNS = """
import asyncio, time

log = []

def work(guest):
    log.append(f"{guest} in")
    time.sleep(0.05)
    log.append(f"{guest} out")

await asyncio.gather(asyncio.to_thread(work, "Anna"), asyncio.to_thread(work, "Ben"))
log
"""


GENEROUS = 60.0
"""Seconds to a first output: 2 on a quiet machine, and this test also runs on others."""


def test_firefox(tmp_path: Path) -> None:
    run = run_in_worker(tmp_path, PROGRAMS, firefox_at)
    live_truth.check_behaviours(run)
    live_truth.check_instruments(run)
    live_truth.check_slips(run)
    assert run.outcomes[live_truth.ERROR].shown == [("text/error", TRACEBACK)]
    assert run.ready["jspi"]


def test_without_stack_switching_a_page_says_so_and_all_else_runs(tmp_path: Path) -> None:
    @contextmanager
    def opened(address: str) -> Iterator[None]:
        with chromium() as browser:
            page = browser.new_page()
            worker = tmp_path / "live" / "live-worker.mjs"
            (worker.parent / "without.mjs").write_text(WITHOUT, encoding="utf-8")
            worker.write_text('import "./without.mjs";\n' + worker.read_text("utf-8"), "utf-8")
            page.goto(address)
            yield

    programs = [*PROGRAMS[live_truth.INSTRUMENTS :], {"code": THREADS_TAKE_TURNS}]
    run = run_in_worker(tmp_path, programs, opened)
    assert run.ready["jspi"] is False
    assert run.outcomes[-1].shown == [
        ("text/plain", "['Anna in', 'Anna out', 'Ben in', 'Ben out']")
    ]
    assert run.outcomes[0].printed == live_truth.natively("instruments")


def test_a_first_output_comes_soon(tmp_path: Path) -> None:
    @contextmanager
    def opened(address: str) -> Iterator[None]:
        with chromium() as browser:
            browser.new_page().goto(address)
            yield

    programs = [{"code": "import fastapi, httpx, aiosqlite; print('served')"}]
    run = run_in_worker(tmp_path, programs, opened, ["fastapi", "httpx", "aiosqlite"])
    [first] = [one["at"] for one in run.outcomes[0].messages if one["type"] == "stream"]
    assert first / 1000 < GENEROUS, run.ready["marks"]
