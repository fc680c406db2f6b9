"""A number that stands beside a run is one that the run shows, and so is a SQLSTATE.

A sentence with a `{run}` may state the numbers of that claim's sentence and of its stored output;
so may the answer of a recall card, and an entry of the messages' page a SQLSTATE. Numbers that a
reader works out, or that an example brings, stand in `numbers_of_a_reader.yml`.
"""

from __future__ import annotations

import re

import pytest
import yaml
from message_entries import class_names

from bench.course import BOOK, COURSE
from bench.quizzes.files import load_recall
from shown_by_runs import NAMES, RUN, pages, sentences_with_runs, shown_by
from stated_numbers import stated

WAIVED = set(yaml.safe_load((COURSE / "tests/course/numbers_of_a_reader.yml").read_text("utf-8")))
AT_MOST_WAIVED = 23
WORDS = {0, 1}  # "no", "nobody", "one": mostly no numbers
RECALL = sorted((BOOK / "recall").glob("*.yml"))


def not_shown(text: str, runs: list[str], given: str = "") -> set[float]:
    """The numbers of the text that neither these runs show nor `given` states."""
    numbers = stated(NAMES.sub("", text)) - WORDS
    return numbers - stated("\n".join([given, *map(shown_by, runs)])) if numbers else numbers


def on_pages() -> set[str]:
    return {
        f"{page.stem}, {runs[0]}: {number:g}"
        for page in pages()
        for sentence, runs in sentences_with_runs(page.read_text("utf-8"))
        for number in not_shown(sentence, runs)
    }


def on_cards() -> set[str]:
    return {
        f"recall {path.stem[:2]}, {card.see}: {number:g}"
        for path in RECALL
        for card in load_recall(path)
        for number in not_shown(card.answer, [card.see], card.question)
    }


def test_a_number_beside_a_run_is_shown_by_it() -> None:
    found = on_pages() | on_cards()
    assert sorted(found - WAIVED) == [], "page, run: a number that neither claim nor output has"
    assert sorted(WAIVED - found) == [], "they are shown now: take them off the list"
    assert len(WAIVED) <= AT_MOST_WAIVED, "the list may only shrink"


def test_most_wrong_numbers_on_a_card_are_noticed() -> None:
    """What the check is worth: each number of each answer, replaced by others."""
    asked = noticed = 0
    for path in RECALL:
        for card in load_recall(path):
            for wrong in range(2, 13):
                if wrong not in stated(card.answer):
                    asked += 1
                    noticed += bool(not_shown(str(wrong), [card.see], card.question))
    assert noticed / asked > 0.8


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("asyncpg takes 77 calls, Core 198 ({run}`each-layer-calls-more-functions`).", set()),
        ("asyncpg takes 717 calls, Core 198 ({run}`each-layer-calls-more-functions`).", {717}),
        ("| Core | seventeen | {run}`each-layer-calls-more-functions` |", set()),
        ("In lesson 4, from 2.1 on, `9` ({run}`each-layer-calls-more-functions`).", set()),
        ("Nobody says 717.", set()),
    ],
)
def test_a_wrong_number_is_seen(sentence: str, wrong: set[float]) -> None:
    found = [number for s, runs in sentences_with_runs(sentence) for number in not_shown(s, runs)]
    assert set(found) == wrong


# -- SQLSTATEs -------------------------------------------------------------------------------------


def foreign_states(page: str) -> list[str]:
    """The SQLSTATEs of entries whose runs show neither that code nor its class in a driver."""
    found = []
    for entry in re.split(r"\n\n+(?!  )", page):
        shown = "\n".join(map(shown_by, RUN.findall(entry)))
        for state in re.findall(r"\bSQLSTATE ([0-9A-Z]{5})\b", entry):
            names = [state, *(name.rpartition(".")[2] for name in class_names(state))]
            if not re.search(rf"\b(?:{'|'.join(names)})\b", shown):
                found.append(state)
    return found


def test_a_message_s_sqlstate_is_one_that_its_run_shows() -> None:
    page = (BOOK / "messages.md").read_text("utf-8")
    assert "SQLSTATE" in page
    assert foreign_states(page) == []


def test_a_wrong_sqlstate_is_seen() -> None:
    page = (BOOK / "messages.md").read_text("utf-8")
    assert "SQLSTATE 57P01" in page
    assert foreign_states(page.replace("SQLSTATE 57P01", "SQLSTATE 57P02")) == ["57P02"]
