"""The votes of a class: how counts become bars, when the answer is told, what is refused."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from bench import votes
from bench.quizzes.checks import QuizError
from bench.quizzes.files import load_lessons
from bench.quizzes.hands import tally

NUMBER, OPTIONS = "01/one-word", "02/which-line"


def counted(ref: str, counts: dict) -> dict[str, int]:
    return {answer.text: count for answer, count in votes(ref, counts).rows.items() if count}


def test_numbers_with_one_reply_share_a_bar() -> None:
    given = {2: 3, 2.2: 1, 0.1: 4, 0.3: 2, 0.5: 1, 17: 2, "other": 3}
    wanted = {"2 s": 4, "0.1 s": 4, "0.2–0.5 s": 3, "Any other number": 5}
    assert counted(NUMBER, given) == wanted
    assert votes(NUMBER, given).total == 16
    assert counted(NUMBER, {"2": 3, "2.2": 1, " 0,1 ": 4}) == {"2 s": 4, "0.1 s": 4}


def test_letters_are_the_options_in_the_order_of_the_card() -> None:
    shown = votes(OPTIONS, {"A": 3, "b": 20})
    options = [answer.text for answer in shown.item.answers]
    assert [shown.rows[answer] for answer in shown.item.answers] == [3, 20, 0]
    assert (shown.right, shown.total) == (20, 23)
    assert shown.replies()[0][0] == f"B: {options[1]}"


@pytest.mark.parametrize(
    ("right", "of", "again"),
    [(29, 100, False), (30, 100, True), (70, 100, True), (71, 100, False), (63, 90, True)],
)
def test_between_thirty_and_seventy_per_cent_the_class_votes_again(right, of, again) -> None:
    shown = votes(NUMBER, {2.0: right, 0.1: of - right})
    assert (shown.again, shown.open) == (again, not again)
    assert ("vote again" in shown.advice) == again
    assert ("run the experiment" in shown.advice) == (not again)


@pytest.mark.parametrize("ref", [NUMBER, OPTIONS])
def test_before_the_second_vote_nothing_tells_the_answer(ref: str) -> None:
    counts = {2.0: 10, 0.1: 10} if ref == NUMBER else {"A": 10, "B": 10}
    closed, opened = votes(ref, counts), votes(ref, counts, show=True)
    seen, folded = closed._repr_html_().split("<details>")
    for told in ("right", "agrees", *(answer.say for answer in closed.item.answers)):
        assert told not in seen.replace("30–70 % right", "")
        assert told not in repr(closed).replace("30–70 % right", "")
    assert "10 of 20 are right (50 %)." in folded
    assert "<details open>" in opened._repr_html_()
    assert "← right" in opened._repr_html_()
    assert "10 of 20 are right (50 %)." in repr(opened)


def test_a_figure_like_the_others_and_the_reply_of_each_vote() -> None:
    shown = votes(NUMBER, {2.0: 20, 0.1: 3, "other": 1})
    page = shown._repr_html_()
    [drawing] = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    label = ElementTree.fromstring(drawing).get("aria-label") or ""
    assert "20 for “2 s ← right”" in label
    assert "3 for “0.1 s”" in label
    assert "0 for “0.2–0.5 s”" in label
    replies = {name: (belief, say) for name, belief, say in shown.replies()}
    assert list(replies) == ["2 s", "0.1 s", "Any other number"]
    assert replies["0.1 s"][0] == "The keyword `async` makes a blocking call run beside the others."
    assert page.count("<li>") == 3


def test_the_right_answer_of_every_question_is_counted_as_right() -> None:
    for lesson in load_lessons().values():
        for item in lesson.items:
            right = next(answer for answer in item.answers if answer.right)
            given = item.answer if item.kind == "number" else "ABCDEFGH"[item.answers.index(right)]
            assert tally(item, {given: 3})[right] == 3, item.ref


@pytest.mark.parametrize(
    ("ref", "counts", "said"),
    [
        (NUMBER, {}, "no counts"),
        (NUMBER, {2.0: 0}, "nobody has voted"),
        (NUMBER, {2.0: -1}, "2.0 has -1 votes; write a whole number"),
        (NUMBER, {2.0: 1.5}, "2.0 has 1.5 votes"),
        (NUMBER, {2.0: True}, "2.0 has True votes"),
        (NUMBER, {"A": 3}, "'A' is no number; 01/one-word asks for s"),
        (NUMBER, {-1: 3}, "-1 is no number"),
        (NUMBER, {"0.1 ms": 3}, "'0.1 ms' is no number"),
        (NUMBER, {float("nan"): 3}, "nan is no number"),
        (OPTIONS, {"D": 3}, "'D' is no option; 02/which-line has A B C"),
        (OPTIONS, {"AB": 3}, "'AB' is no option"),
        (OPTIONS, {"": 3}, "'' is no option"),
        (OPTIONS, {2.0: 3}, "2.0 is no option"),
    ],
)
def test_counts_that_are_no_votes_are_refused(ref: str, counts: dict, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        votes(ref, counts)


def test_an_unknown_question_is_refused() -> None:
    with pytest.raises(QuizError, match="no question '01/nothing'"):
        votes("01/nothing", {"A": 1})
