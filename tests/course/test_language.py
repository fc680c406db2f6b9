"""The words of the book: sentences a second-language reader can follow, and none that belittles."""

from __future__ import annotations

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
