"""A proof speaks of what it proves: the two share telling words.

What a machine can see. Whether the claim also *follows* is a reader's judgement, and so is a
verdict: see CONTRIBUTING, "What a reader has to judge". Pairs that speak of one thing in different
words stand in `unlike_words.yml`; that list may only shrink.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from ledger_entries import read_ledger

from bench.course import COURSE
from bench.quizzes.files import load_lessons
from mentions import claim_texts, telling_words

WAIVED = set(yaml.safe_load((COURSE / "tests/course/unlike_words.yml").read_text("utf-8")))
AT_MOST_WAIVED = 56
LEDGER_NEEDS, QUIZ_NEEDS = 1, 2  # telling words in common


def pairs() -> Iterator[tuple[str, str, str, int]]:
    """Who names a claim, that claim, what is said there, and how many words they must share."""
    for entry in read_ledger().entries():
        said = " ".join([entry.id, entry.sentence, getattr(entry, "truth", "")])
        yield from ((entry.id, run, said, LEDGER_NEEDS) for run in entry.proven_by)
    for lesson in load_lessons().values():
        for item in lesson.items:
            for answer in item.answers:
                said = " ".join([item.id, item.prompt, answer.text, answer.say])
                yield item.ref, answer.claim, said, QUIZ_NEEDS


def unlike() -> set[str]:
    claims = {name: telling_words(text) for name, text in claim_texts().items()}
    return {
        f"{who}: {claim}"
        for who, claim, said, needed in pairs()
        if "::" not in claim and len(telling_words(said) & claims[claim]) < needed
    }


def test_a_proof_mentions_what_it_proves() -> None:
    new = sorted(unlike() - WAIVED)
    assert not new, (
        f"{new}: the claim's sentence and what it should prove share no telling word. Is it the "
        "right claim? Then call the thing by one name in both."
    )


def test_the_list_of_unlike_words_only_shrinks() -> None:
    assert sorted(WAIVED - unlike()) == [], "these are alike now: take them off the list"
    assert len(WAIVED) <= AT_MOST_WAIVED, "the list may only shrink"


def test_most_wrong_claims_are_noticed() -> None:
    """What the check is worth: of the pairs with the claim of another entry, most are unlike."""
    claims = {name: telling_words(text) for name, text in claim_texts().items()}
    names, noticed, asked = sorted(claims), 0, 0
    for number, (_, claim, said, needed) in enumerate(pairs()):
        other = names[number * 7919 % len(names)]
        if other != claim:
            asked += 1
            noticed += len(telling_words(said) & claims[other]) < needed
    assert noticed / asked > 0.6


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("The pool's queries wait.", {"pool", "quer", "wait"}),
        ("pooled-query-waits", {"pool", "quer", "wait"}),
        ("There they are, with this.", set()),
    ],
)
def test_words_of_one_stem_are_one(text: str, stems: set[str]) -> None:
    assert telling_words(text) == stems
