"""The pages for instructors: minutes that add up, votes with their answers, what a class is given.

A vote stands in a line of its own, and its answer in the next one: a slide shows the first line
alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest
import timetables
from class_cards import anchor

from bench.course import BOOK, STATUS, lesson_texts
from bench.quizzes.files import load_lessons
from bench.quizzes.items import Item
from building import built_book
from built_pages import page_of
from mentions import claim_texts, telling_words
from stated_numbers import stated

LESSONS = lesson_texts()
RUNNING = BOOK / "instructors" / "running-the-course.md"
ITEMS = {item.ref: item for lesson in load_lessons().values() for item in lesson.items}
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def page_for(lesson: Path) -> str:
    return (BOOK / "instructors" / lesson.name).read_text("utf-8")


# --- Votes ------------------------------------------------------------------------------------

OPTION = re.compile(r"(?:^|(?<=[?·:.] )|(?<= ))([A-D]) (.*?)(?= · [A-D] |\.?$)")
RIGHT = re.compile(r"- \*\*Right:\*\* ([A-D])\. (.+)")
ANSWERED_BY = re.compile(r"\{(key|run)\}`([^`]+)`")
TELLS = re.compile(r"\*\*Right|\bright answer\b|\bit is [A-D]\b|\{key\}|\{run\}|%", re.IGNORECASE)


def votes_on(page: str) -> Iterator[tuple[str, str]]:
    """Each line with a vote, and the line below it."""
    lines = page.splitlines()
    for number, line in enumerate(lines):
        if "**Vote" in line:
            yield line, lines[number + 1] if number + 1 < len(lines) else ""


def options_of(vote: str) -> dict[str, str]:
    return dict(OPTION.findall(vote))


def mistakes_in(vote: str, below: str) -> list[str]:
    """What is wrong with a vote and the line below it; nothing for a good one."""
    options, answer = options_of(vote), RIGHT.fullmatch(below)
    if len(options) < 3 or list(options) != list("ABCD"[: len(options)]):
        return [f"{vote!r} has the options {list(options)}"]
    if not answer or answer[1] not in options:
        return [f"below {vote!r} stands no answer: {below!r}"]
    found = ["the vote tells its answer"] if TELLS.search(vote) else []
    proofs = ANSWERED_BY.findall(answer[2])
    if not proofs:
        found.append(f"{below!r} names no card and no run")
    said = telling_words(vote + ANSWERED_BY.sub("", below))
    for kind, name in proofs[:1]:
        if kind == "key":
            found += against_the_card(ITEMS[name], options, answer[1])
        elif len(said & telling_words(claim_texts()[name])) < 2:
            found.append(f"{name} speaks of something else")
    return found


def against_the_card(item: Item, options: dict[str, str], letter: str) -> list[str]:
    """Whether that letter, and no other, is the card's answer.

    The options of a card without a number are the card's own, shortened, in its order.
    """
    if item.kind != "number":
        [right] = [place for place, one in enumerate(item.answers) if one.right]
        if (len(options), "ABCDEFGH"[right]) != (len(item.answers), letter):
            return [f"{item.ref}: {letter} of {len(options)} is not its right option"]
        likest = max(item.answers, key=lambda one: likeness(options[letter], one.text))
        return [] if likest.right else [f"{item.ref}: {options[letter]!r} is another option"]
    accepted = item.answers[0].ranges
    fitting = [
        name
        for name, text in options.items()
        if any(low <= number <= high for number in stated(text) for low, high in accepted)
    ]
    return [] if fitting == [letter] else [f"{item.ref}: {fitting} fit its answer, not {letter}"]


def likeness(shortened: str, text: str) -> float:
    """How much of the words, in their order, two texts share."""
    one, other = (re.findall(r"\w+", words.lower()) for words in (shortened, text))
    return SequenceMatcher(None, one, other, autojunk=False).ratio()


@every_lesson
def test_every_vote_has_its_answer_below_it_and_does_not_tell_it(lesson: Path) -> None:
    votes = list(votes_on(page_for(lesson)))
    assert len(votes) >= 2
    assert [found for vote in votes for found in mistakes_in(*vote)] == []


VOTE = "- **Vote:** route A: A 0.1 s · B 0.2 to 0.5 s · C 2 s · D something else."
GOOD = "- **Right:** C. One thread holds each query in turn ({key}`01/one-word`)."
CARD = "- **Vote:** A a row · B a row later · C no row."


@pytest.mark.parametrize(
    ("vote", "below"),
    [
        (VOTE, ""),
        (VOTE, "- **Note:** few say so."),
        (VOTE, GOOD.replace("C.", "A.")),
        (VOTE, GOOD.replace("C.", "E.")),
        (VOTE, GOOD.replace(" ({key}`01/one-word`)", "")),
        (VOTE, GOOD.replace("01/one-word", "01/one-word-def")),
        (VOTE.replace("C 2 s", "C 3 s"), GOOD),
        (VOTE.replace("A 0.1 s", "A 2.1 s"), GOOD),
        (VOTE.replace("D something else.", "D something else. It is C."), GOOD),
        (VOTE.replace("D something", "D between 30 % and 70 % for C, something"), GOOD),
        (CARD, "- **Right:** B. The row is late ({key}`02/forgotten-order`)."),
        (CARD, "- **Right:** C. Nobody sent it ({key}`02/which-line`)."),
        (CARD, "- **Right:** C. Nobody sent it ({run}`own-loop-keeps-the-rules`)."),
    ],
)
def test_a_vote_without_its_right_answer_is_seen(vote: str, below: str) -> None:
    assert mistakes_in(vote, below)
    assert mistakes_in(VOTE, GOOD) == []


# --- Minutes ----------------------------------------------------------------------------------


@every_lesson
def test_the_first_row_counts_the_cards_before_the_set_up(lesson: Path) -> None:
    before = lesson.read_text("utf-8").partition("\n## Set-up")[0]
    words = ["no", "one", "two", "three", "four", "five", "six"]
    cards = len(re.findall(r"^quiz\(", before, re.MULTILINE))
    first = timetables.LessonPlan(lesson.stem).sections[0].name
    assert first.endswith(f": {words[cards]} cards")


@every_lesson
def test_what_is_dropped_when_late_is_told_at_the_end_of_the_page(lesson: Path) -> None:
    plan = timetables.LessonPlan(lesson.stem)
    end = page_for(lesson).partition("## Ten minutes late\n")[2]
    assert f"{{saved}}`{lesson.name[:2]}`" in end
    assert 7 <= plan.saved <= 12, "about ten minutes"
    for one in plan.sections:
        if number := re.match(r"experiment (\d)", one.name):
            named = bool(re.search(rf"experiments? [\d, and]*{number[1]}", end.partition(":")[0]))
            assert named == bool(one.saved), one.name


def sessions() -> list[tuple[str, list[timetables.Part]]]:
    found = re.findall(r"^```\{timetable\} (.+)\n((?:.+\n)+?)```", RUNNING.read_text("utf-8"), re.M)
    lessons = timetables.plans()
    return [(name, list(timetables.parts(lines.splitlines(), lessons))) for name, lines in found]


def test_every_session_fits_and_leaves_at_most_a_tenth_empty() -> None:
    assert len(sessions()) == 4
    for name, parts in sessions():
        begin, end = map(timetables.clock, name.split(" to "))
        needed = timetables.check_length(name, parts, end - begin)
        assert 0.9 * (end - begin) <= needed <= end - begin
        taught = [part.name[:8] for part in parts if part.name.startswith("Lesson")]
        assert taught == sorted(set(taught)), "each lesson once, in order"


def test_a_half_day_has_lessons_five_to_seven_with_all_labs() -> None:
    [(_, parts)] = [one for one in sessions() if "Lab 7" in [part.name for part in one[1]]]
    names = [part.name for part in parts]
    assert [f"Lesson {n}, late" in names and f"Lab {n}" in names for n in (5, 6, 7)] == [True] * 3
    assert sum(part.minutes for part in parts) <= 240


def test_a_session_that_does_not_fit_is_refused() -> None:
    lessons = timetables.plans()
    hour = list(timetables.parts(["recall | 5", "lesson 1"], lessons))
    assert timetables.check_length("an hour", hour, 55) == 50
    for minutes in (49, 56, 60):
        with pytest.raises(timetables.DoesNotFit, match="an hour: its parts need 50 minutes"):
            timetables.check_length("an hour", hour, minutes)
    for line in ("lesson 8", "lab 1, late", "break", "| 5", "lesson 1 |", "break | ten"):
        with pytest.raises(timetables.DoesNotFit, match="write a text and its minutes"):
            list(timetables.parts([line], lessons))
    with pytest.raises(timetables.DoesNotFit, match="write `first`"):
        timetables.section("| closing questions | 4 | the last two |")


def test_the_page_shows_the_sums_of_the_lessons_own_minutes() -> None:
    page, every = page_of("book/instructors/running-the-course").html, timetables.plans().values()
    sums = [sum(getattr(plan, way) for plan in every) for way in ("lesson", "lab", "late")]
    row = "".join(f"<td>{one}</td>" for one in sums)
    assert f'<tr><th scope="row">Together</th>{row}<td></td></tr>' in page
    for name, parts in sessions():
        end = timetables.clock(name.partition(" to ")[0]) + sum(part.minutes for part in parts)
        assert f'<th scope="row">{timetables.time_of_day(end)}</th><td><strong>the end' in page


# --- What was measured, and where the answers stand ------------------------------------------


@every_lesson
def test_the_time_of_run_all_is_that_of_the_last_run(lesson: Path) -> None:
    page = page_for(lesson)
    assert f"{{took}}`{lesson.stem}`" in page
    assert not re.search(r"takes about \d+ s", page)
    seconds = json.loads(STATUS.read_text("utf-8"))["runs"][lesson.stem]["seconds"]
    built = page_of(f"book/instructors/{lesson.stem}").html
    assert f"outputs were made, that took {seconds:.0f} s." in built


def test_the_key_has_every_card_with_its_right_answer_and_its_run() -> None:
    page = page_of("book/instructors/answer-key").html
    for item in ITEMS.values():
        entry = page.partition(f'<section id="{anchor(item.ref)}">')[2].partition("</section>")[0]
        right = next(answer for answer in item.answers if answer.right)
        assert f"#claim-{right.claim}" in entry or ".html#" in entry, item.ref
        strong = re.search(r"<strong>(.*?)</strong>", entry)
        assert strong, item.ref
        plain = re.sub(r"<[^>]+>|[`“”]", "", strong[1])
        assert telling_words(plain) >= telling_words(re.sub("[`“”]", "", right.text)), item.ref
        assert entry.count("<li>") == sum(bool(answer.misconception) for answer in item.answers)


def test_a_search_does_not_find_the_key() -> None:
    index = (built_book() / "searchindex.js").read_text("utf-8")
    places = json.loads(index.partition("(")[2].rpartition(")")[0])
    key = places["docnames"].index("book/instructors/answer-key")
    found = [
        word
        for word, pages in places["terms"].items()
        if key in ([pages] if isinstance(pages, int) else pages)
    ]
    assert found == []


def test_the_pages_of_a_class_are_led_to() -> None:
    running = RUNNING.read_text("utf-8")
    for target in ("../entry-check.md", "../exit-ticket.md", "answer-key.md"):
        assert f"]({target})" in running
    for command in ("make ready", "make classroom", "make slides", "serve.py --class", "00-ready"):
        assert command in running
    check = (BOOK / "entry-check.md").read_text("utf-8")
    assert "(../notebooks/01-" in check
    assert "(../notebooks/03-" in check
