"""The words of the book: sentences a second-language reader can follow, and none that belittles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults import ROOT

PAGES = sorted(
    path
    for glob in ("book/**/*.md", "notebooks/text/*.md", "labs/*/*.md")
    for path in ROOT.glob(glob)
)
MOST_WORDS = 25
BELITTLING = re.compile(r"\b(simply|just|easily|obviously|of course|basically)\b", re.IGNORECASE)
NOT_PROSE = [  # front matter, fenced blocks, lines that open a block, drawings
    re.compile(r"\A---\n.*?\n---\n", re.DOTALL),
    re.compile(r"^(`{3,}).*?\n\1$", re.DOTALL | re.MULTILINE),
    re.compile(r"^:{3,}.*$", re.MULTILINE),
    re.compile(r"<svg.*?</svg>|<!--.*?-->", re.DOTALL),
]
LINK_TO_A_RUN = re.compile(r"\{run\}`[^`]*`")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|>:]|\d+\.)\s)")
END = re.compile(r"(?<=[.!?:;])[*_)\"]*\s+|\|| · ")


def sentences(text: str) -> Iterator[str]:
    for pattern in NOT_PROSE:
        text = pattern.sub("\n\n", text)
    text = LINK.sub(r"\1", LINK_TO_A_RUN.sub("", text))
    for block in BLOCK.split(text):
        yield from filter(None, (part.strip() for part in END.split(block.replace("\n", " "))))


def words(sentence: str) -> int:
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def test_a_long_sentence_is_found_and_code_is_none():
    long = " ".join(["word"] * 26)
    assert [words(one) for one in sentences(f"A short one. {long}.\n\n- {long}\n- two")] == [
        *(3, 26, 26, 1)
    ]
    assert list(sentences(f"```python\n{long}\n```\n")) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_sentences_are_short_and_no_word_belittles(page: Path):
    found = list(sentences(page.read_text(encoding="utf-8")))
    assert found
    assert [one for one in found if words(one) > MOST_WORDS] == []
    assert [one for one in found if BELITTLING.search(one)] == []
