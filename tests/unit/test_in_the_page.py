"""What a page says of a lab's file, tried in the Python of this machine."""

from __future__ import annotations

import heapq
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.practice import driver_names, in_the_page
from bench.practice.folders import Lab, find, read
from bench.practice.in_the_page import as_data, check_in_the_page
from bench.practice.printed_outcomes import Closed, Incorrect, NotAttempted, Outcome, Raised

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


def test_a_file_that_asks_postgresql_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", driver_names._Driver("psycopg"))
    last = "    return await work\n"
    asks = "    with contextlib.suppress(Exception):\n        psycopg.connect('')\n"
    source = read(GUESTS.starter).replace(last, "    import contextlib, psycopg\n" + asks + last)
    outcome = outcome_of(GUESTS, source, tmp_path)
    assert isinstance(outcome, Closed), outcome
    assert outcome.message == in_the_page.ASKS


def test_a_driver_that_is_only_a_name_can_be_mentioned() -> None:
    driver = driver_names._Driver("asyncpg")
    assert issubclass(driver.PostgresError, Exception)
    assert driver.Pool.acquire
    for call in driver.connect, driver.Pool, driver.AsyncConnection.connect:
        with pytest.raises(driver_names.NoPostgres):
            call("dsn")
