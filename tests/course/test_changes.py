"""What a lesson invites its reader to change; `make proof` runs each, this file keeps the table."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

import changes
import refresh
from bench.claim_index import claims_of
from bench.course import BOOK, COURSE, LESSON_TEXTS, lesson_texts

TABLE = changes.load()
LESSONS = lesson_texts()


DEMO = re.compile(r"\*\*Demo:\*\*(.*)")


def prose_of(page: Path) -> str:
    """The Markdown cells of a lesson, or a page for instructors; line breaks are spaces."""
    if page.parent != LESSON_TEXTS:
        return " ".join(page.read_text(encoding="utf-8").split())
    cells = [cell.source for cell in refresh.from_text(page).cells if cell.cell_type != "code"]
    return " ".join("\n\n".join(cells).split())


@pytest.mark.parametrize("lesson", sorted({change.lesson for change in TABLE}), ids=str)
def test_a_lesson_invites_three_changes(lesson):
    assert sum(change.page == lesson for change in TABLE) >= 3


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_invites_to_no_change_that_nobody_runs(lesson):
    run = tuple(change.invites for change in TABLE if change.lesson == lesson)
    for page in lesson, BOOK / "instructors" / lesson.name:
        prose = prose_of(page)
        invited = [prose[place.start() :] for place in changes.INVITATION.finditer(prose)]
        assert [words[:60] for words in invited if not words.startswith(run)] == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_demo_that_edits_code_is_an_invited_change(lesson: Path):
    """So that `make proof` runs it. A demo of another kind plays, draws, or has people walk."""
    page = (BOOK / "instructors" / lesson.name).read_text("utf-8")
    edits = re.compile(r"\b(replace|set|remove|move|add|change)\b.*`")
    for demo in (one.partition(":")[0] for one in DEMO.findall(page)):
        if elsewhere := re.search(r"`(labs/[^`]+)` remove `([^`]+)`", demo):
            assert elsewhere[2] in (COURSE / elsewhere[1]).read_text("utf-8")
        else:
            assert not edits.search(demo), demo


@pytest.mark.parametrize("change", TABLE, ids=lambda change: change.name)
def test_a_change_is_invited_and_can_be_made(change):
    assert prose_of(change.page).count(change.invites) == 1
    assert refresh.sources(change.made()) != refresh.sources(refresh.from_text(change.lesson))
    assert change.red <= set(claims_of(change.lesson))
    stored = changes.printed(
        nbformat.read(refresh.HERE / f"{change.lesson.stem}.ipynb", as_version=4)
    )
    assert [text for text in change.prints if text in stored] == [], "printed without the change"


def test_names_are_different():
    assert [name for name, n in Counter(change.name for change in TABLE).items() if n > 1] == []
