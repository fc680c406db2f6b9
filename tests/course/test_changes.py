"""What a lesson invites its reader to change; `make proof` runs each, this file keeps the table."""

from __future__ import annotations

from collections import Counter

import nbformat
import pytest

import changes
import refresh
from bench.claim_index import claims_of
from bench.course import lesson_texts

TABLE = changes.load()
LESSONS = lesson_texts()


def prose_of(lesson) -> str:
    """The Markdown cells of a lesson; line breaks are spaces."""
    cells = [cell.source for cell in refresh.from_text(lesson).cells if cell.cell_type != "code"]
    return " ".join("\n\n".join(cells).split())


@pytest.mark.parametrize("lesson", sorted({change.lesson for change in TABLE}), ids=str)
def test_a_lesson_invites_three_changes(lesson):
    assert sum(change.lesson == lesson for change in TABLE) >= 3


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_invites_to_no_change_that_nobody_runs(lesson):
    prose = prose_of(lesson)
    run = tuple(change.invites for change in TABLE if change.lesson == lesson)
    invited = [prose[place.start() :] for place in changes.INVITATION.finditer(prose)]
    assert [words[:60] for words in invited if not words.startswith(run)] == []


@pytest.mark.parametrize("change", TABLE, ids=lambda change: change.name)
def test_a_change_is_invited_and_can_be_made(change):
    assert prose_of(change.lesson).count(change.invites) == 1
    assert refresh.sources(change.made()) != refresh.sources(refresh.from_text(change.lesson))
    assert change.red <= set(claims_of(change.lesson))
    stored = changes.printed(
        nbformat.read(refresh.HERE / f"{change.lesson.stem}.ipynb", as_version=4)
    )
    assert [text for text in change.prints if text in stored] == [], "printed without the change"


def test_names_are_different():
    assert [name for name, n in Counter(change.name for change in TABLE).items() if n > 1] == []
