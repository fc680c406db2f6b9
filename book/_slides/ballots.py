"""What a room votes on: a letter for each answer, so that cards from A to D can be counted.

A choice has the letters of its options. A number has those that the instructor's page names in a
**Vote** of the same section; without one, the right number among the wrong ones that have a reply.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from string import ascii_uppercase

from bench.quizzes.files import load_lessons
from bench.quizzes.items import Answer, Item

Ballot = list[tuple[str, str]]
"""(letter, answer), in order."""

MOST = 4
"""Everybody has cards of the letters A to D."""
ELSE = "something else"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@functools.cache
def _every_item() -> dict[str, Item]:
    return {one.ref: one for lesson in load_lessons().values() for one in lesson.items}


def item_of(ref: str) -> Item:
    """The question `"01/one-word"`."""
    return _every_item()[ref]


def right_answer(item: Item) -> Answer:
    return next(one for one in item.answers if one.right)


def ballots(items: Iterable[Item], votes: Iterable[str]) -> dict[str, tuple[Ballot, str]]:
    """{ref: (ballot, text of its vote)} for the numbers among the questions of one section.

    `votes` are the texts of the section's votes; each belongs to the number with which it shares
    most answers. The text is empty where no vote is about a number, and the ballot is empty where
    it would tell the answer: then people write their number on paper.
    """
    numbers = [one for one in items if one.kind == "number"]
    found: dict[str, tuple[Ballot, str]] = {}
    for text in votes:
        options = _options(text)
        free = [one for one in numbers if one.ref not in found]
        best = max(free, key=lambda one: _shared(options, one), default=None)
        if best is not None and _shared(options, best) >= 2:
            found[best.ref] = list(zip(ascii_uppercase, options, strict=False)), text
    return {one.ref: found.get(one.ref, (_foreseen(one), "")) for one in numbers}


def letter_of_the_right_one(item: Item, options: Ballot) -> str:
    """Its letter on the ballot, or among a choice's options; empty where there is no ballot."""
    if item.kind != "number":
        return next(a for a, one in zip(ascii_uppercase, item.answers, strict=False) if one.right)
    return next((letter for letter, text in options if _means(text, right_answer(item))), "")


def _foreseen(item: Item) -> Ballot:
    answers = [one for one in item.answers if one.ranges][: MOST - 1]
    if len(answers) < 2:
        return []
    some = sorted(answers, key=lambda one: one.ranges[0])
    return list(zip(ascii_uppercase, [*(one.text for one in some), ELSE], strict=False))


def _shared(options: list[str], item: Item) -> int:
    """How many options are answers of the item that have a reply; none without the right one."""
    if not any(_means(one, right_answer(item)) for one in options):
        return 0
    return sum(any(_means(one, answer) for answer in item.answers) for one in options)


def _means(option: str, answer: Answer) -> bool:
    number = _NUMBER.search(option)
    return number is not None and any(
        low <= float(number[0]) <= high for low, high in answer.ranges
    )


def _options(vote: str) -> list[str]:
    """The options in the text of a vote: `A 0.1 s · B 2 s · C 4 s.`, or without letters."""
    first, *others = vote.split("·")
    if not others:
        return []
    first = re.split(r"(?:^|\s)(?=A )|: |:\*\* ", first)[-1]
    others[-1] = re.split(r"[.?](?=\s|$)", others[-1])[0]
    return [re.sub(r"^[A-F] (?=\S)", "", one.strip(" .*")) for one in (first, *others)]
