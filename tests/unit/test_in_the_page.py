"""What a page says of a lab's file, tried in the Python of this machine."""

from __future__ import annotations

import heapq
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import bench
from bench.practice import in_the_page
from bench.practice.folders import Lab, find, read
from bench.practice.in_the_page import as_data, check_in_the_page
from bench.practice.printed_outcomes import (
    Closed,
    Incorrect,
    NotAttempted,
    Outcome,
    Raised,
    RightSoFar,
)

LOOP, GUESTS = find("07"), find("06")


def outcome_of(lab: Lab, source: str, folder: Path, tell: Any = None) -> Outcome:
    file = folder / lab.work.name
    file.write_text(source, encoding="utf-8")
    return check_in_the_page(lab, file, tell)


def test_the_starter_is_no_attempt(tmp_path: Path) -> None:
    outcome = outcome_of(LOOP, read(LOOP.starter) + "# mine\n", tmp_path)
    assert isinstance(outcome, NotAttempted)
    assert "This is how it fails: `sleep` is still the contract" in outcome.message


@pytest.mark.parametrize("lab", [LOOP, GUESTS], ids=lambda lab: lab.name)
def test_code_that_raises_is_not_incorrect(lab: Lab, tmp_path: Path) -> None:
    raises = outcome_of(lab, read(lab.starter) + "\nspeise = supe\n", tmp_path)
    assert isinstance(raises, Raised), raises
    assert "name 'supe' is not defined" in raises.message
    unreadable = outcome_of(lab, read(lab.starter) + "\ndef soup(:\n", tmp_path)
    assert isinstance(unreadable, Raised)
    assert unreadable.code.endswith(": def soup(:")


def test_before_each_check_is_said_what_is_known_and_what_comes_if_it_is_ended(
    tmp_path: Path,
) -> None:
    told: list[dict[str, Any]] = []
    outcome_of(LOOP, read(LOOP.starter), tmp_path, told.append)
    assert [[check["state"] for check in one["checks"]][:2] for one in told] == [
        ["not reached yet", "not reached yet"],
        ["passed", "not reached yet"],
    ]
    ended = told[1]["if_ended"]
    assert [check["state"] for check in ended["checks"]][:3] == [
        "passed",
        "failed",
        "not reached yet",
    ]
    assert ended["message"].startswith("The checks did not come to their end in 60 seconds.")
    json.dumps(told)


def test_a_wait_that_nothing_can_end_is_incorrect_at_once(tmp_path: Path) -> None:
    begin = "async def sleep(seconds):\n"
    waits = (
        "    from bench.instruments.simulated_sockets import WaitsForEver\n    raise WaitsForEver\n"
    )
    source = LOOP.solution().replace(begin, begin + waits, 1)
    outcome = outcome_of(LOOP, source, tmp_path)
    assert isinstance(outcome, Incorrect)
    assert outcome.message.startswith("Your code waits for something that never comes")
    assert outcome.failed
    assert outcome.failed.title == "Sleepers wake in the order of their moments"


def test_what_a_file_does_to_other_modules_is_undone(tmp_path: Path) -> None:
    own = heapq.heappush
    source = LOOP.solution() + "\nheapq.heappush = lambda *_: None\n"
    outcome = outcome_of(LOOP, source, tmp_path)
    assert isinstance(outcome, Incorrect), outcome
    assert heapq.heappush is own
    assert as_data(outcome_of(LOOP, LOOP.solution(), tmp_path))["kind"] == "Correct"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("await window.execute('vacuum looks')", "the statement `vacuum looks`"),
        ("await window.copy_records_to_table('looks')", "a connection of asyncpg, `copy_records"),
        ("psycopg.crdb.connect()", "`psycopg.crdb.connect`"),
        ("concurrent.futures.ThreadPoolExecutor(1).submit(print)", "`ThreadPoolExecutor.submit`"),
        ("await asyncio.to_thread(anyio.from_thread.run, print)", "`from_thread.run`"),
    ],
)
def test_what_no_stand_in_knows_is_not_judged(line: str, what: str, tmp_path: Path) -> None:
    """Neither when the file hides what was raised."""
    lab = find("02")
    begin = '        await window.execute("insert into looks default values")\n'
    hidden = f"        with contextlib.suppress(Exception):\n            {line}\n"
    source = (
        "import concurrent.futures, contextlib, anyio.from_thread, psycopg\n"
        + lab.solution()
        .replace("from __future__ import annotations\n", "")
        .replace(begin, hidden + begin)
    )
    outcome = outcome_of(lab, source, tmp_path)
    assert isinstance(outcome, Closed), outcome
    assert what in outcome.message
    assert outcome.message.endswith("at a desk the checks can.")
    assert {check.state for check in outcome.checks} == {"not reached yet"}


@pytest.mark.parametrize("module", ["threading", "queue", "no_such_module"])
def test_a_file_that_could_wait_unseen_is_not_judged(module: str, tmp_path: Path) -> None:
    """A lock of `threading` would hold a real thread, and not one that is begun again."""
    lab = find("01")
    outcome = outcome_of(lab, lab.solution() + f"\nimport {module}\n", tmp_path)
    assert isinstance(outcome, Closed), outcome
    assert f"the module `{module}`" in outcome.message


def test_a_reply_without_its_length_fails_here_as_at_a_desk(tmp_path: Path) -> None:
    lab = find("01")
    streams = """
from fastapi.responses import StreamingResponse

app.add_route("/health", lambda request: StreamingResponse(iter(['"ok"'])))
"""
    source = lab.solution().replace("async def health() -> str:", "async def well() -> str:")
    source = source.replace('@router.get("/health")', '@router.get("/well")')
    outcome = outcome_of(lab, source + streams, tmp_path)
    assert isinstance(outcome, Incorrect), outcome
    assert "has no Content-Length" in outcome.message
    assert outcome.message.endswith("Return plain data, as the starter does.")


def test_the_stand_ins_leave_nothing_behind(tmp_path: Path) -> None:
    before = dict(sys.modules), time.sleep, threading.Thread.start, dict(vars(bench))
    for lab in map(find, in_the_page.PLAYED):
        assert isinstance(outcome_of(lab, lab.solution(), tmp_path), RightSoFar)
    loaded, *others = before
    assert [time.sleep, threading.Thread.start, dict(vars(bench))] == others
    assert {name: sys.modules[name] for name in loaded} == loaded
    assert "bench.practice.served_file" not in sys.modules.keys() - loaded.keys()
