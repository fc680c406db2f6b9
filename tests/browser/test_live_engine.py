"""The engine of live cells in Chromium: Python in a page behaves as CPython does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser

import bench
import live_truth
from live_engine import Outcome, Run, run_in_worker
from live_truth import PROGRAMS, TRACEBACK

PRELOAD = ("fastapi", "httpx", "aiosqlite")


@pytest.fixture(scope="module")
def run(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Run:
    @contextmanager
    def opened(address: str) -> Iterator[None]:
        page = browser.new_page()
        page.goto(address)
        yield
        page.close()

    return run_in_worker(tmp_path_factory.mktemp("engine"), PROGRAMS, opened, PRELOAD)


def test_behaviours_are_those_of_cpython(run: Run) -> None:
    live_truth.check_behaviours(run)


def test_slips_are_told_as_in_cpython(run: Run) -> None:
    live_truth.check_slips(run)


def test_what_a_reader_tries_in_vain_is_refused_in_words(run: Run) -> None:
    assert live_truth.printed(run, live_truth.VAIN).splitlines() == [
        "NotInTheBrowser input does not work in your browser",
        "NotInTheBrowser An httpx client without a transport does not work in your browser",
        "NotInTheBrowser socket.connect does not work in your browser",
        "NotOnThisPage requests does not work in your browser",
    ]


def test_a_syntax_error_shows_its_line(run: Run) -> None:
    ((_, said),) = run.outcomes[live_truth.OUTSIDE].shown
    assert "    await kitchen()\n" in said
    assert "'await' outside async function" in said


def test_many_lines_do_not_wait_for_the_end_of_the_cell(run: Run) -> None:
    *_, last, done = run.outcomes[live_truth.PATIENT].messages
    assert last["text"].endswith("149\n")
    assert done["at"] - last["at"] > 200


def test_instruments_say_the_same(run: Run) -> None:
    live_truth.check_instruments(run)


def test_what_is_printed_arrives_as_it_is_printed(run: Run) -> None:
    outcome = run.outcomes[live_truth.STREAM]
    kinds = [message["type"] for message in outcome.messages]
    assert kinds == ["stream"] * 4 + ["display", "done"]
    at = [message["at"] for message in outcome.messages]
    assert at[1] - at[0] > 150, "the first line came before the second was printed"
    assert outcome.shown == [("text/plain", "'shown after what was printed'")]


def test_a_traceback_is_told_in_the_readers_lines(run: Run) -> None:
    assert run.outcomes[live_truth.ERROR][2] == [("text/error", TRACEBACK)]


def test_what_needs_a_server_says_so_in_a_sentence(run: Run) -> None:
    said = live_truth.printed(run, live_truth.SERVERS).splitlines()
    assert len(said) == len({line.split()[1] for line in said})
    refused = {line.split()[1] for line in said}
    assert {"Postgres", "serve", "Wiretap", "bars", "quiz", "submit"} <= refused
    assert refused.isdisjoint(["claim", "timeline", "LoopTrace", "until", "run_virtual"])
    assert refused < set(bench.__all__)
    for line in said:
        assert line.startswith("NotInTheBrowser: ")
        assert line.endswith(". Run this cell in JupyterLab (`make lab`).")


def test_printing_without_end_does_not_flood_the_page(run: Run) -> None:
    outcome = run.outcomes[live_truth.FLOOD]
    assert outcome.ok
    assert outcome.printed.startswith("0\n1\n2\n")
    assert outcome.printed.endswith("more than a page can hold.\n")
    assert len(outcome.printed) < 201_000
    assert len(outcome.messages) < 2000


def test_cells_share_their_names_and_a_script_has_its_own(run: Run) -> None:
    assert run.outcomes[live_truth.SECOND].shown == [("text/plain", "2")]
    alone: Outcome = run.outcomes[live_truth.ALONE]
    assert not alone.ok
    assert "NameError: name 'first' is not defined" in alone.shown[0][1]


def test_a_red_claim_is_a_line_and_ends_nothing(run: Run) -> None:
    assert live_truth.printed(run, live_truth.RED_CLAIM) == (
        "does not hold: Eleven were served. Seen: served = 12.\nholds: Twelve were served.\n"
    )


def test_a_click_does_not_cost_more_than_it_may(run: Run) -> None:
    assert len(run.sizes) == 8, run.sizes
    assert sum(run.sizes.values()) <= 9_500_000, run.sizes


def test_loading_is_told_in_steps(run: Run) -> None:
    steps = [message for message in run.messages if message["type"] == "progress"]
    words = list(dict.fromkeys(step["step"] for step in steps))
    imports = [f"Importing {module}" for module in PRELOAD]
    assert words == ["Loading Python", "Starting Python", *imports]
    read = [step["bytes"] for step in steps if step["step"] == "Loading Python"]
    assert read == sorted(read)
    assert read[-1] > 7_000_000
    assert run.ready["jspi"], "this Chromium can switch stacks"
    assert run.ready["version"].startswith("314.")
