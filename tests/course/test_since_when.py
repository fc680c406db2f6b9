"""The table "since when": every row is run or read, and true for the releases installed here."""

from __future__ import annotations

import importlib.metadata
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


def numbers(release: str) -> tuple[int, ...]:
    return tuple(int(number) for number in release.split("."))


def first_releases(row: since_when.Row) -> set[str]:
    """What `since` may say, by what was run: the first release that says what ours says.

    If no older release says it, then the next number after the last one that says something else,
    or ours.
    """
    distribution = {"PostgreSQL": "postgresql", "Python": "python"}.get(row.library, row.library)
    said = {}
    for requirements, word in row.others.items():
        found = re.search(
            rf"\b{distribution}(?:\[\w+\])?[= ]+([\d.]*\d)", requirements, re.IGNORECASE
        )
        if found:
            said[found[1]] = word
        elif brought := re.search(rf"brings {row.library} ([\d.]*\d)", row.sentence):
            said[brought[1]] = word
    digits = row.since.count(".") + 1
    same: list[str] = []
    for release in sorted(said, key=numbers, reverse=True):
        if said[release] != row.here:
            break
        same.append(release)
    if same:
        return {".".join(same[-1].split(".")[:digits])}
    last = numbers(max(said, key=numbers))[:digits]
    ours = importlib.metadata.version(row.library) if row.library == "uvicorn" else ""
    following = ".".join(map(str, (*last[:-1], last[-1] + 1)))
    return {following, ".".join(ours.split(".")[:digits])} - {""}


@pytest.mark.parametrize("row", RUN, ids=lambda row: row.id)
def test_since_follows_from_the_releases_that_were_run(row):
    assert row.since in first_releases(row)


@pytest.mark.parametrize(
    ("others", "since"),
    [
        ({"SQLAlchemy==2.0.1": "no", "SQLAlchemy==2.0.4 x==1": "yes"}, {"2.0"}),
        ({"SQLAlchemy==2.0.1": "no"}, {"2.1"}),
        ({"sqlalchemy==1.3": "yes", "sqlalchemy==1.4": "no", "sqlalchemy==2.0": "yes"}, {"2.0"}),
        ({"sqlalchemy==1.9": "yes", "sqlalchemy==1.10": "yes"}, {"1.9"}),
    ],
)
def test_since_is_read_from_what_was_run(others, since):
    row = since_when.Row("a", "SQLAlchemy", "0.0", "b", probe="c", here="yes", others=others)
    assert first_releases(row) == since


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
