"""The table "since when": every row is run or read, and true for the releases installed here."""

from __future__ import annotations

import re

import pytest
import since_when

import older_releases
from bench.course import COURSE

ROWS = since_when.rows()
RUN = [row for row in ROWS if row.probe]
LIBRARIES = {"FastAPI", "Starlette", "AnyIO", "asyncpg", "psycopg", "SQLAlchemy", "PgBouncer"}
LIBRARIES |= {"PostgreSQL", "Python"}


def test_every_library_of_the_course_has_a_row():
    assert {row.library for row in ROWS} >= LIBRARIES


@pytest.mark.parametrize("row", RUN, ids=lambda row: row.id)
def test_a_row_is_true_for_the_releases_installed_here(row):
    assert older_releases.say(row) == row.here


@pytest.mark.parametrize("row", RUN, ids=lambda row: row.id)
def test_a_row_was_run_on_the_other_releases_it_names(row):
    assert since_when.runs()[row.id]["said"] == row.others


@pytest.mark.parametrize("row", [r for r in ROWS if r.read], ids=lambda row: row.id)
def test_a_row_that_was_not_run_names_its_source_and_a_date(row):
    assert re.search(r"\]\(https://", row.read)
    assert re.search(r"\b(on \d+|in) [A-Z]\w+ 20\d\d", row.read)


def test_every_row_is_used_by_a_sentence():
    pages = [*COURSE.glob("book/**/*.md"), *COURSE.glob("notebooks/text/*.md")]
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    assert [row.id for row in ROWS if f"{{since}}`{row.id}`" not in text] == []


def test_a_row_that_is_neither_run_nor_read_is_refused(tmp_path):
    table = tmp_path / "table.yml"
    table.write_text("- {id: a, library: b, since: '1', sentence: c}\n", encoding="utf-8")
    with pytest.raises(ValueError, match="a: give"):
        since_when.rows(table)
