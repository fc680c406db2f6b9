"""The language of the course, for everything that is checked: lessons, pages, questions, ledger.

English for readers who learned it later. A sentence has at most 25 words, and no word tells the
reader that something is easy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MOST_WORDS = 25
_BELITTLING = re.compile(r"\b(simply|just|easily|obviously|of course|basically)\b", re.IGNORECASE)
_NOT_PROSE = [  # front matter, fenced blocks, lines that open a block, drawings
    re.compile(r"\A---\n.*?\n---\n", re.DOTALL),
    re.compile(r"^(`{3,}).*?\n\1$", re.DOTALL | re.MULTILINE),
    re.compile(r"^:{3,}.*$", re.MULTILINE),
    re.compile(r"<svg.*?</svg>|<!--.*?-->", re.DOTALL),
]
_LINK_TO_A_RUN = re.compile(r"\{run\}`[^`]*`")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_BLOCK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*|>:]|\d+\.)\s)")
_END = re.compile(r"(?<=[.!?:;])[*_)\"]*\s+|\|| · ")


def words(text: str) -> int:
    """How many words; a dash that stands alone is none."""
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def sentences(text: str) -> Iterator[str]:
    """Each sentence of a plain text, or of a page in Markdown without its code and drawings.

    A sentence ends with `.`, `!`, `?`, `:` or `;`, with its list item, and with its table cell.
    """
    for pattern in _NOT_PROSE:
        text = pattern.sub("\n\n", text)
    text = _LINK.sub(r"\1", _LINK_TO_A_RUN.sub("", text))
    for block in _BLOCK.split(text):
        yield from filter(None, (part.strip() for part in _END.split(block.replace("\n", " "))))


def long_sentences(text: str) -> list[str]:
    """The sentences of `text` with more than 25 words, as they stand there."""
    return [sentence for sentence in sentences(text) if words(sentence) > MOST_WORDS]


def belittling(text: str) -> list[str]:
    """The words in the sentences of `text` that only help those who know already."""
    return [found[0] for one in sentences(text) for found in _BELITTLING.finditer(one)]
