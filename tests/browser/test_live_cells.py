"""Every live cell of the built book, run twice in Chromium, says what was recorded.

And a change that a lesson invites to in such a cell ends as the lesson says: those of the hook,
and with `COURSE_PAGES=all` every one.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import changes
import refresh
from bench.course import COURSE, LESSON_TEXTS
from live_pages import Visit, differences, live_documents, opened

DOCUMENTS = live_documents()
CLAIM = re.compile(r"""\bclaim\(\s*"([a-z0-9-]+)",\s*"(.+)",$""", re.MULTILINE)
every_page = pytest.mark.parametrize("document", DOCUMENTS)
HOOK = "notebooks/01-synchronous-queries"
CHANGED = DOCUMENTS if os.environ.get("COURSE_PAGES") == "all" else [HOOK]


CHANGES = changes.load()
SCRIPT_PAGE, WAITER = "book/mental-model", ("evening(awaits)", "evening(blocks)")


def invited(document: str) -> list[changes.Change]:
    """What that page invites to change in a live cell, as far as it changes what is printed.

    The demos of an instructor's page are for JupyterLab, where all cells of the lesson run.
    """
    lesson = LESSON_TEXTS / f"{Path(document).name}.md"
    its = [one for one in CHANGES if one.page == lesson and (one.red or one.prints)]
    return [one for one in its if any(one.replace in code for code in live_code(lesson))]


@cache
def live_code(lesson: Path) -> list[str]:
    cells = refresh.from_text(lesson).cells
    return [cell.source for cell in cells if "live" in cell.metadata.get("tags", [])]


@pytest.fixture(scope="module")
def visits(browser: Browser, address: str) -> dict[str, Visit]:
    """Each page, its cells run twice and changed. Two pages at a time: Python starts in both."""
    done: dict[str, Visit] = {}
    waiting = list(DOCUMENTS)
    while waiting:
        pair = [(name, opened(browser, address, name)) for name in waiting[:2]]
        del waiting[:2]
        for _ in range(2):
            for _, visit in pair:
                visit.start()
            for _, visit in pair:
                visit.rounds.append(visit.runs())
        for name, visit in pair:
            if name == SCRIPT_PAGE:
                visit.changed[name] = visit.change(*WAITER)
            for change in invited(name) if name in CHANGED else []:
                visit.changed[change.name] = visit.change(change.replace, change.becomes)
            visit.page.close()
            done[name] = visit
    return done


@every_page
def test_each_cell_says_twice_what_was_recorded(visits: dict[str, Visit], document: str) -> None:
    first, second = visits[document].rounds
    assert len(first) == visits[document].cells > 0
    assert differences(first) == []
    assert differences(second) == []


@every_page
def test_a_measured_cell_shows_what_it_measured(visits: dict[str, Visit], document: str) -> None:
    measured = [run for run in visits[document].rounds[0] if run.measured]
    assert [run.recorded for run in measured if not run.shown.strip()] == []


@every_page
def test_the_page_asks_nobody_else(visits: dict[str, Visit], document: str) -> None:
    assert visits[document].problems == []


@pytest.mark.parametrize("document", CHANGED)
def test_each_invited_change_ends_as_the_lesson_says(
    visits: dict[str, Visit], document: str
) -> None:
    for change in invited(document):
        runs = visits[document].changed[change.name]
        shown = "\n".join(run.shown for run in runs)
        sentences = dict(CLAIM.findall("\n".join(live_code(change.lesson))))
        red = {name for name, words in sentences.items() if f"does not hold: {words}" in shown}
        assert red == change.red & sentences.keys(), change.name
        assert [words for words in change.prints if words not in shown] == [], change.name
        assert [run.shown for run in runs if not run.ok] == [], change.name


def test_a_waiter_who_blocks_serves_one_guest_after_the_other(visits: dict[str, Visit]) -> None:
    awaits, blocks = WAITER
    prose = (COURSE / f"{SCRIPT_PAGE}.md").read_text("utf-8")
    assert f"Write `{blocks}` instead of `{awaits}`" in prose
    [run] = visits[SCRIPT_PAGE].changed[SCRIPT_PAGE]
    assert run.shown.startswith("Ann orders\nAnn eats\nBo orders\nBo eats\nCy orders\nCy eats\n")
    assert "does not hold: While Ann waits" in run.shown
