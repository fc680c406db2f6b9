"""Quiz and recall files: what is refused, what a card shows, and whether the course's own hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.quizzes.cards import SCRIPTS, Progress, markdown, quiz, quiz_setup
from bench.quizzes.cards import progress as progress_of
from bench.quizzes.checks import QuizError
from bench.quizzes.files import (
    load_lesson,
    load_lessons,
    load_misconceptions,
    load_recall,
)
from markup import Tags

GOOD = """\
lesson: "01"
title: "Waiting"
items:
  - id: ping
    kind: choice
    prompt: "When does `/ping` answer?"
    follows_from: ping-waits
    confidence: true
    options:
      - {text: "After the query.", right: true, say: "The loop was held. Rule: one thread."}
      - {text: "At once.", say: "It waits.", misconception: loop-interrupts, refuted_by: ping-waits}
  - id: total
    kind: number
    prompt: "After how many seconds?"
    follows_from: total-sum
    review_in: "04"
    answer: 2.0
    unit: s
    accept: {from: 1.9, to: 2.3}
    say: "The sum."
    otherwise: "The waits add up."
    near:
      - {value: 0.1, misconception: loop-interrupts, say: "Too short.", refuted_by: total-sum}
      - {from: 0.2, to: 0.5, misconception: cores, say: "No cores here.", refuted_by: total-sum}
"""
KNOWN = {"loop-interrupts", "cores"}
LONG = " ".join(["word"] * 23) + ". " + " ".join(["word"] * 23)


def written(folder: Path, text: str, name: str = "01-waiting.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file_becomes_items(tmp_path: Path) -> None:
    lesson = load_lesson(written(tmp_path, GOOD), KNOWN)
    ping, total = lesson.items
    assert (lesson.id, lesson.title, ping.ref) == ("01", "Waiting", "01/ping")
    assert [answer.id for answer in ping.answers] == ["right", "loop-interrupts"]
    assert ping.answers[0].right
    assert ping.answers[0].claim == "ping-waits"
    assert (ping.confidence, ping.review_in, total.review_in) == (True, "", "04")
    assert [answer.ranges for answer in total.answers] == [
        ((1.9, 2.3),),
        ((0.095, 0.105),),
        ((0.2, 0.5),),
        (),
    ]
    assert [answer.text for answer in total.answers] == [
        "2 s",
        "0.1 s",
        "0.2–0.5 s",
        "Any other number",
    ]


def test_accept_may_be_a_list_or_left_out(tmp_path: Path) -> None:
    listed = GOOD.replace("accept: {from: 1.9, to: 2.3}", "accept: [2, 2.5]")
    assert load_lesson(written(tmp_path, listed), KNOWN).items[1].answers[0].ranges == (
        (2.0, 2.0),
        (2.5, 2.5),
    )
    bare = GOOD.replace("    accept: {from: 1.9, to: 2.3}\n", "")
    assert load_lesson(written(tmp_path, bare), KNOWN).items[1].answers[0].ranges == ((1.9, 2.1),)


SECOND_RIGHT = '{text: "At once.", right: true, say: "It waits."}'
WRONG = (
    '{text: "At once.", say: "It waits.", misconception: loop-interrupts, refuted_by: ping-waits}'
)
RIGHT = '{text: "After the query.", right: true, say: "The loop was held. Rule: one thread."}'


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        ("id: total", "id: ping", ["item 'ping'", "used twice"]),
        (
            RIGHT,
            WRONG.replace("{", "{id: never, "),
            ["'ping'", "no right"],
        ),
        (WRONG, SECOND_RIGHT.replace("{", "{id: two, "), ["item 'ping'", "2 right answers"]),
        (WRONG, SECOND_RIGHT, ["option 2", "a second option 'right'"]),
        ("misconception: cores", "misconception: luck", ["'total': near 2", "'luck' is not in"]),
        (', say: "It waits."', "", ["option 2", "say is missing"]),
        ('say: "It waits."', 'say: ""', ["option 2", "say is ''"]),
        ('text: "At once."', "text: no", ["option 2", "text is False", "quotes"]),
        ('prompt: "After how many seconds?"', "prompt: yes", ["'total'", "prompt is True"]),
        ("right: true", 'right: "yes"', ["option 1", "right is 'yes'; it is `true`"]),
        ('say: "The sum."', f'say: "{LONG}"', ["'total'", "46 words", "at most 45"]),
        ('say: "The sum."', f'say: "{LONG.replace(". ", " ")}"', ["46 words"]),
        ('title: "Waiting"', f'title: "{"word " * 26}"', ["a sentence of 26 words"]),
        ('say: "Too short."', 'say: "Wrong! It is 2."', ["near 1", "scolds (Wrong!)"]),
        ('say: "Too short."', 'say: "Look again. No, it is 2."', ["near 1", "scolds"]),
        ('say: "Too short."', 'say: "It is simply 2."', ["near 1", "'simply'"]),
        ("    unit: s\n", "    unit: s\n    hint: x\n", ["'total'", "unknown field hint"]),
        ("refuted_by: ping-waits", "refuted: ping-waits", ["option 2", "unknown field refuted"]),
        (", refuted_by: ping-waits", "", ["option 2", "refuted_by is missing"]),
        ("    follows_from: ping-waits\n", "", ["'ping'", "follows_from is missing"]),
        ("value: 0.1", "value: 2.0", ["near 1", "already has a reply, or it is the right answer"]),
        ("value: 0.1", "value: 0.3", ["near 2", "already has a reply"]),
        ("value: 0.1", "value: soon", ["near 1", "value is 'soon'"]),
        ("from: 0.2, to: 0.5", "from: 0.5, to: 0.2", ["near 2", "is empty"]),
        ("answer: 2.0", "answer: 3.0", ["'total'", "3 is not among the accepted"]),
        ("answer: 2.0", "answer: true", ["'total'", "answer is True"]),
        ("accept: {from: 1.9, to: 2.3}", "accept: 2", ["'total'", "a range is written"]),
        ("kind: choice", "kind: poll", ["'ping'", "kind is 'poll'"]),
        ('review_in: "04"', "review_in: 4", ["'total'", "review_in is 4", "quotes"]),
        ('review_in: "04"', 'review_in: "09"', ["'total'", "review_in is '09'"]),
        ("confidence: true", "confidence: false", ["'ping'", "left out"]),
        ('lesson: "01"', "lesson: 01", ["lesson is 1", "quotes"]),
        ('lesson: "01"', 'lesson: "02"', ["must begin with 02-"]),
        ("id: ping", "id: Ping!", ["'Ping!'", "lower case"]),
        ("    kind: choice\n", "    kind: choice\n    kind: myth\n", ["line", "'kind' twice"]),
        ("items:", "items: []\nmore:", ["unknown field more"]),
        ('prompt: "When', 'prompt: "When" does', ["not YAML at line"]),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(
    tmp_path: Path, old: str, new: str, reasons: list[str]
) -> None:
    assert old in GOOD
    with pytest.raises(QuizError) as refused:
        load_lesson(written(tmp_path, GOOD.replace(old, new)), KNOWN)
    for reason in ["01-waiting.yml", *reasons]:
        assert reason in str(refused.value)


def test_confidence_is_asked_at_most_twice(tmp_path: Path) -> None:
    item = GOOD[GOOD.index("  - id: ping") : GOOD.index("  - id: total")]
    three = GOOD + item.replace("ping", "pong") + item.replace("ping", "peng")
    with pytest.raises(QuizError, match="at most 2 times"):
        load_lesson(written(tmp_path, three), KNOWN)


def test_a_lesson_has_one_quiz_file(tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    written(tmp_path, "loop-interrupts: A belief.\ncores: Another.", "misconceptions.yml")
    written(tmp_path / "quizzes", GOOD)
    assert list(load_lessons(tmp_path)) == ["01"]
    written(tmp_path / "quizzes", GOOD, "01-again.yml")
    with pytest.raises(QuizError, match="second quiz file"):
        load_lessons(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n".join(f"belief-{n}: A belief." for n in range(32)), "32 ids"),
        ("one: no", "one is False.*quotes"),
        ("One: A belief.", "lower case"),
        ("- one", "one a line"),
        ("one: A.\none: B.", "'one' twice"),
    ],
)
def test_bad_misconceptions_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(QuizError, match=reason):
        load_misconceptions(written(tmp_path, text, "misconceptions.yml"))


def test_bad_recall_cards_are_refused(tmp_path: Path) -> None:
    good = 'lesson: "01"\ncards:\n  - {question: "Who?", answer: "All.", see: ping-waits}\n'
    assert load_recall(written(tmp_path, good))[0].see == "ping-waits"
    for old, new in {"see: ping-waits": "see: 3", "All.": "", "answer": "reply"}.items():
        with pytest.raises(QuizError, match=r"01-waiting.yml: card 1"):
            load_recall(written(tmp_path, good.replace(old, new)))


# --- What a card shows ---------------------------------------------------------------------


def own_items() -> list[str]:
    return [item.ref for lesson in load_lessons().values() for item in lesson.items]


@pytest.mark.parametrize("ref", own_items())
def test_every_card_is_whole_and_the_same_twice(ref: str) -> None:
    card = quiz(ref)
    html = card._repr_html_()
    assert html == quiz(ref)._repr_html_()
    tags = Tags(html)
    assert not tags.open
    assert not any("id" in attributes or "onclick" in attributes for _, attributes in tags.found)
    for tag, attributes in tags.found:
        if tag in ("input", "button", "summary"):
            assert attributes["data-lm-suppress-shortcuts"] == "true"
    for answer in card.item.answers:
        assert markdown(answer.say) in html
        assert answer.say not in repr(card)
    assert html.count("<li ") == len(card.item.answers)
    assert card.item.prompt in repr(card)


def test_without_the_script_no_answer_is_hidden() -> None:
    html = quiz("01/one-word-def")._repr_html_()
    hidden = [tag for tag, attributes in Tags(html).found if "hidden" in attributes]
    assert hidden == ["p", "button"]  # the line is for a notebook that is not trusted
    assert 'inputmode="decimal"' in html
    assert "<details" in html
    assert "<details open" not in html


def test_html_in_a_text_is_shown_as_text(tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    written(tmp_path, "loop-interrupts: A belief.\ncores: Another.", "misconceptions.yml")
    written(tmp_path / "quizzes", GOOD.replace("At once.", "<b>now</b> & `<i>`"))
    html = quiz("01/ping", tmp_path)._repr_html_()
    assert "&lt;b&gt;now&lt;/b&gt; &amp; <code>&lt;i&gt;</code>" in html
    assert "<b>" not in html


def test_progress_counts_what_a_lesson_asks(tmp_path: Path) -> None:
    (tmp_path / "quizzes").mkdir()
    written(tmp_path, "loop-interrupts: A belief.\ncores: Another.", "misconceptions.yml")
    written(tmp_path / "quizzes", GOOD)
    fourth = re.sub(r"  - id: total.*", "", GOOD, flags=re.DOTALL).replace('"01"', '"04"')
    written(tmp_path / "quizzes", fourth, "04-pools.yml")
    assert progress_of("01", tmp_path) == Progress("01", ("01/ping",))
    assert progress_of("04", tmp_path) == Progress("04", ("01/total", "04/ping"))
    with pytest.raises(QuizError, match="no quiz file for lesson '07'"):
        progress_of("07", tmp_path)


def test_an_unknown_question_names_those_there_are() -> None:
    with pytest.raises(QuizError, match=r"no question '01/nothing'; lesson 01 has one-word"):
        quiz("01/nothing")


def test_the_setup_cell_carries_style_and_script_alone() -> None:
    html = quiz_setup()._repr_html_()
    assert html.count("<script>") == html.count("</script>") == len(SCRIPTS)
    assert html.count("<style>") == html.count("</style>") == 1
    assert "src=" not in html
    addresses = re.findall(r"\b(?:https?:)?//[a-z]+\.[^\s\"']+", html)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name that nobody requests
