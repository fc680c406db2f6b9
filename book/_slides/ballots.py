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


def ballots_of(
    items: Iterable[Item], votes: Iterable[tuple[str, str]]
) -> dict[str, tuple[Ballot, str]]:
    """{ref: (ballot, text of its vote)} for the questions of one section.

    `votes` are (text, ref) of the section's votes; where a page names no question, the vote belongs
    to the number with which it shares most answers. The text is empty for a question without a
    vote. The ballot is empty for a choice, whose card has the options, and where it would tell the
    answer: then people write their number on paper.
    """
    asked = {one.ref: one for one in items}
    texts: dict[str, str] = {}
    for text, named in votes:
        numbers = [one for one in asked.values() if one.kind == "number" and one.ref not in texts]
        best = max(numbers, key=lambda one: _shared(_options(text), one), default=None)
        if named in asked:
            texts[named] = text
        elif not named and best is not None and _shared(_options(text), best) >= 2:
            texts[best.ref] = text
    return {
        ref: (_ballot(item, texts.get(ref, "")), texts.get(ref, "")) for ref, item in asked.items()
    }


def _ballot(item: Item, vote: str) -> Ballot:
    if item.kind != "number":
        return []
    options = _options(vote)
    return list(zip(ascii_uppercase, options, strict=False)) if options else _foreseen(item)


def letters_that_mean(answer: Answer, options: Ballot) -> list[str]:
    return [letter for letter, text in options if _means(text, answer)]


def letter_of_the_right_one(item: Item, options: Ballot) -> str:
    """Its letter on the ballot, or among a choice's options; empty where there is no ballot."""
    if item.kind != "number":
        return next(a for a, one in zip(ascii_uppercase, item.answers, strict=False) if one.right)
    return "".join(letters_that_mean(right_answer(item), options)[:1])


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
    first = re.split(r"[:?*] (?=A )|:\*\* |: ", first)[-1]
    others[-1] = re.split(r"[.?](?=\s|$)", others[-1])[0]
    return [re.sub(r"^[A-F] (?=\S)", "", one.strip(" .*")) for one in (first, *others)]
