"""The words of the book: sentences a second-language reader can follow, and none that belittles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.course import COURSE
from bench.language import belittling, long_sentences, sentences

PAGES = sorted([*COURSE.glob("book/**/*.md"), *COURSE.glob("notebooks/text/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(COURSE).as_posix())
def test_sentences_are_short_and_no_word_belittles(page: Path):
    text = page.read_text(encoding="utf-8")
    assert list(sentences(text))
    assert long_sentences(text) == []
    assert belittling(text) == []


def test_a_search_of_the_readers_project_leaves_out_what_others_wrote():
    texts = {page: page.read_text(encoding="utf-8") for page in PAGES}
    searches = [
        (page.name, command)
        for page, text in texts.items()
        for command in re.findall(r"grep -r[^\n`|]*(?:\|[^\n`|]*)*? \.(?=[\s`])", text)
    ]
    assert len(searches) > 8
    assert [each for each in searches if "--exclude-dir=.venv" not in each[1]] == []
