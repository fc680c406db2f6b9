"""The course's own questions and recall cards: asked once, answered by claims, in the measure."""

from __future__ import annotations

import ast
import re
from collections import Counter
from math import ceil

import pytest

from bench.claim_index import claim_homes, claims_in
from bench.course import COURSE, WITH_SQLALCHEMY
from bench.quizzes.cards import recall
from bench.quizzes.files import load_lessons, load_recall
from markup import Tags
from mentions import claim_texts
from stated_numbers import stated

LAST = "07"


def shown() -> Counter[str]:
    """How often each question stands in a notebook or on a page."""
    refs: list[str] = []
    for path in [*COURSE.glob("notebooks/text/*.md"), *COURSE.glob("book/**/*.md")]:
        text = path.read_text(encoding="utf-8")
        refs += re.findall(r"""\bquiz\(\s*["']([^"']+)["']""", text)
        refs += re.findall(r"\{quiz\}\s+(\S+)", text)
    return Counter(refs)


HOOK = ("01/one-word", "01/one-word-def")  # the intro opens with the first lesson's own question


def test_every_question_is_asked_exactly_once() -> None:
    wanted = []
    for lesson in load_lessons().values():
        for item in lesson.items:
            asked_in = item.review_in or lesson.id
            if item.review_in and not list(COURSE.glob(f"notebooks/text/{asked_in}-*.md")):
                continue  # held back for a lesson that is not written yet
            wanted.append(item.ref)
    assert shown() == Counter([*wanted, *HOOK])


def test_every_claim_that_a_reply_names_is_made_somewhere() -> None:
    homes = claim_homes()
    named = {
        f"{item.ref}: {answer.claim}"
        for lesson in load_lessons().values()
        for item in lesson.items
        for answer in item.answers
        if answer.claim not in homes
    }
    assert not named


@pytest.mark.parametrize("lesson", load_lessons())
def test_the_key_of_a_number_follows_from_prompts_and_claim(lesson: str) -> None:
    """The key stands there twice: as a number, and worked out of numbers that are stated."""
    items, claims = load_lessons()[lesson].items, claim_texts()
    prompts = stated(" ".join(item.prompt for item in items))
    for item in items:
        if item.kind != "number":
            continue
        claimed = stated(claims[item.follows_from].removeprefix(item.follows_from))
        if not item.worked_out:
            assert claimed == {item.answer}, f"{item.ref}: say in `worked_out` how it follows"
            continue
        tree = ast.parse(item.worked_out, mode="eval")
        used = {float(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        assert used <= prompts | claimed, f"{item.ref}: nobody states {used - prompts - claimed}"
        result = eval(item.worked_out, {"__builtins__": {}, "ceil": ceil, "max": max})
        assert result == pytest.approx(item.answer), item.ref


def test_a_class_is_asked_five_questions_at_the_entry_and_three_at_the_exit() -> None:
    items = [item for lesson in load_lessons().values() for item in lesson.items if item.asked_at]
    for where, page, count in (("entry", "entry-check", 5), ("exit", "exit-ticket", 3)):
        asked = re.findall(r"\{quiz\} (\S+)", (COURSE / f"book/{page}.md").read_text("utf-8"))
        assert sorted(asked) == sorted(item.ref for item in items if item.asked_at == where)
        assert len(asked) == count


@pytest.mark.parametrize("lesson", load_lessons())
def test_each_lesson_keeps_the_course_s_measure(lesson: str) -> None:
    every = load_lessons()[lesson].items
    assert sum(item.with_sqlalchemy for item in every) in (0, 2, 3)
    items = [item for item in every if not (item.with_sqlalchemy or item.asked_at)]
    asked = [item for item in items if not item.review_in]
    later = 0 if lesson == LAST else 2  # nothing comes after the last lesson
    assert sum(item.review_in > lesson for item in items) == later
    assert sum(item.kind == "number" for item in asked) <= 5
    assert sum(item.kind == "myth" for item in asked) >= 2
    assert len([item for item in asked if item.kind != "number"]) <= 6
    assert len(asked) <= 10  # five predictions and five closing items


@pytest.mark.parametrize("lesson", load_lessons())
def test_recall_cards_link_to_claims_of_their_lesson(lesson: str) -> None:
    (path,) = (COURSE / "book/recall").glob(f"{lesson}-*.yml")
    cards, homes = load_recall(path), claim_homes()
    with_sqlalchemy = [card for card in cards if homes[card.see].parent == WITH_SQLALCHEMY]
    assert len(with_sqlalchemy) <= 2
    assert 6 <= len(cards) - len(with_sqlalchemy) <= 8
    for card in cards:
        assert homes[card.see].parent in (COURSE / "notebooks/text", WITH_SQLALCHEMY)
        assert homes[card.see].name.startswith(lesson)
    html = recall(lesson, lambda claim: f"page.html#claim-{claim}")
    assert html.count("<details") == html.count('href="page.html#claim-') == len(cards)
    assert not Tags(html).open


def test_claims_are_found_in_code() -> None:
    source = """claim("a-b", "A.", x)\nclaim(\n    'c', "C.", y)\nreclaim("d")\nclaim("c")"""
    assert claims_in(source) == ["a-b", "c", "c"]
