"""Whether a run speaks of what it is said to prove: by the words that both use.

A machine cannot say whether a claim proves a sentence. It can say that the two have nothing to do
with each other: no telling word in common. That catches a proof that was swapped or mistyped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from bench.claim_index import claim_homes

COMMON = set(
    [
        "about",
        "above",
        "after",
        "again",
        "also",
        "another",
        "answer",
        "answers",
        "around",
        "because",
        "been",
        "before",
        "begin",
        "begins",
        "being",
        "between",
        "both",
        "call",
        "called",
        "calls",
        "cannot",
        "could",
        "does",
        "done",
        "down",
        "during",
        "each",
        "else",
        "even",
        "every",
        "first",
        "follow",
        "follows",
        "from",
        "give",
        "gives",
        "goes",
        "have",
        "having",
        "here",
        "holds",
        "into",
        "itself",
        "keep",
        "keeps",
        "last",
        "less",
        "like",
        "long",
        "made",
        "make",
        "makes",
        "many",
        "more",
        "most",
        "much",
        "must",
        "need",
        "needs",
        "next",
        "nothing",
        "only",
        "other",
        "others",
        "over",
        "own",
        "page",
        "rather",
        "right",
        "rule",
        "runs",
        "said",
        "same",
        "says",
        "second",
        "seen",
        "sees",
        "since",
        "some",
        "still",
        "such",
        "take",
        "takes",
        "than",
        "that",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "thing",
        "this",
        "those",
        "three",
        "through",
        "time",
        "times",
        "under",
        "until",
        "upon",
        "used",
        "uses",
        "very",
        "want",
        "wants",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "whose",
        "will",
        "with",
        "without",
        "would",
        "years",
        "your",
    ]
)
CELL = re.compile(  # a cell's options, in front of its code, are no Python
    r"^```\{code-cell\}[^\n]*\n(?:---\n.*?\n---\n|(?::[^\n]*\n)+)?(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
ENDINGS = re.compile(r"(?:ies|ing|ed|es|s|e|y)$")


def telling_words(text: str) -> set[str]:
    """The stems of the words of a text that say what it is about."""
    words = re.findall(r"[a-z][a-z0-9]{2,}", text.lower().replace("_", " ").replace("-", " "))
    return {ENDINGS.sub("", word) for word in words if word not in COMMON and len(word) > 3}


@cache
def claim_texts() -> dict[str, str]:
    """Each claim's id with the words of its sentence."""
    return {name: said for home in set(claim_homes().values()) for name, said in _claims(home)}


def _claims(home: Path) -> Iterator[tuple[str, str]]:
    text = home.read_text("utf-8")
    for code in [text] if home.suffix == ".py" else CELL.findall(text):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "claim":
                words = [
                    part.value
                    for argument in node.args[:2]
                    for part in ast.walk(argument)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ]
                yield words[0], " ".join(words)
