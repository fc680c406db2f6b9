"""Labs in the page: the browser's verdicts are those of this machine's Python, word for word.

`make test` tries a handful of files; with COURSE_WRONG=all, as in `make proof`, every repair.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import repairs
from bench.practice.folders import Lab, find, needs_nothing, read
from bench.practice.in_the_page import check_in_the_page, labs_of_the_page
from bench.practice.printed_outcomes import Correct, Incorrect, NotAttempted, RightSoFar
from lab_pages import LabPage, shown_for
from live_book import live_book
from strict_serving import served

LABS = labs_of_the_page()
HANDFUL = {
    "01": ("solution", "twin_trap"),
    "02": ("starter", "note_with_a_limit"),
    "06": ("solution", "leaves_the_query"),
    "07": ("solution", "socket_stays_registered"),
}


def files_of(lab: Lab) -> dict[str, tuple[str, str | None]]:
    """Files of the lab by name: the source, and the check that it fails at a desk (None: none)."""
    files = {
        "starter": (read(lab.starter), None),
        "solution": (lab.solution(), None),
        **{one.name: (one.source, one.fails) for one in repairs.load(lab)},
    }
    if os.environ.get("COURSE_WRONG") == "all":
        return files
    return {name: files[name] for name in HANDFUL[lab.name[:2]]}


@pytest.fixture(scope="module")
def opened(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, LabPage]]:
    """All labs of the page, on one page, so that one Python is loaded for them."""
    text = "# Labs\n\n" + "".join(f"```{{live-lab}} {lab.name[:2]}\n```\n\n" for lab in LABS)
    book = live_book(tmp_path_factory.mktemp("labs"), "print(1)", pages={"labs": text})
    with served(book) as address:
        page = browser.new_page()
        page.goto(f"{address}labs.html")
        yield {lab.name: LabPage(page, lab.name) for lab in LABS}
        page.close()


@pytest.mark.parametrize(
    ("lab", "name"),
    [(lab, name) for lab in LABS for name in files_of(lab)],
    ids=lambda one: one if isinstance(one, str) else one.name,
)
def test_the_browser_says_what_this_machine_says(
    lab: Lab, name: str, opened: dict[str, LabPage], tmp_path: Path
) -> None:
    source, fails = files_of(lab)[name]
    file = tmp_path / lab.work.name
    file.write_text(source, encoding="utf-8")
    here = check_in_the_page(lab, file)
    assert opened[lab.name].check(source) == shown_for(here)
    if name == "starter":
        assert isinstance(here, NotAttempted)
    elif not fails:
        assert isinstance(here, Correct if needs_nothing(lab) else RightSoFar)
    else:
        assert isinstance(here, Incorrect)
        assert here.failed
        assert here.failed.name == fails


def test_hints_come_one_by_one_and_then_the_solution(opened: dict[str, LabPage]) -> None:
    lab = find("02")
    page = opened[lab.name]
    assert page.check(read(lab.starter))["said"].startswith("Not attempted yet: The file is still")
    for number in (1, 2, 3):
        page.button(f"Hint {number} of 3").click()
    told = page.cell.locator(".lab-hint").all_text_contents()
    hints = lab.hints()["test_every_look_is_noted"]
    assert told == [
        f"Hint {number} of 3 for “Every look is noted”: {hint}".replace("`", "")
        for number, hint in enumerate(hints, 1)
    ]
    expect(page.button("Solution")).to_be_visible()


def test_a_run_without_an_end_is_ended_with_a_sentence(opened: dict[str, LabPage]) -> None:
    lab = opened[find("07").name]
    lab.page.clock.install()
    begin = "async def sleep(seconds):\n"
    lab.write(find("07").solution().replace(begin, f"{begin}    while True:\n        pass\n", 1))
    lab.begin()
    lab.cell.locator("li", has_text="passed: The loop keeps").wait_for(timeout=60_000)
    lab.page.clock.fast_forward(61_000)
    shown = lab.ended()
    assert shown["said"].startswith(
        "Not yet: The checks did not come to their end in 60 seconds. Your code waits for something"
    )
    assert shown["checks"][:2] == [
        "passed: The loop keeps the eighteen rules of the lesson",
        "failed: Sleepers wake in the order of their moments",
    ]


def test_the_readers_text_is_kept_and_comes_back_after_reset(opened: dict[str, LabPage]) -> None:
    lab = find("07")
    mine = opened[lab.name]
    page = mine.page
    mine.write("mine = 1")
    page.reload()
    assert mine.text == "mine = 1"
    expect(mine.cell.locator(".live-bar:not(.lab-bar) + .live-status")).to_have_text(
        "This is your text. Reset brings the starter back."
    )
    mine.button("Reset").click()
    assert mine.text == read(lab.starter).rstrip("\n")
    page.reload()
    mine.button("Bring my text back").click()
    assert mine.text == "mine = 1"
    with page.expect_download() as loading:
        mine.button("Download own_loop.py").click()
    assert loading.value.suggested_filename == "own_loop.py"
    assert read(loading.value.path()) == "mine = 1\n"
