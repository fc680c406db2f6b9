"""Shows the course's questions: the same HTML in a notebook cell, in the book and in slides.

A card works without its script: options or a number field, and all replies in a closed box below.
The scripts (page/) put committing before the reply and keep the answers. No card carries an
id of HTML or anything random, so that one output equals the next.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from bench.assets import LAB_KEYS as KEYS
from bench.assets import Assets
from bench.course import BOOK, recall_files
from bench.quizzes.checks import QuizError
from bench.quizzes.files import (
    Lesson,
    RecallCard,
    load_lessons,
    load_misconceptions,
    load_recall,
)
from bench.quizzes.items import Answer, Item
from bench.units import SCRIPT as UNITS_SCRIPT

PAGE = Path(__file__).with_name("page")
STYLE = PAGE / "cards.css"
# In the order in which a page loads them; the header of each says what it needs and gives.
SCRIPTS = (
    UNITS_SCRIPT,
    PAGE / "elements.js",
    PAGE / "numbers.js",
    PAGE / "storage.js",
    PAGE / "replies.js",
    PAGE / "cards.js",
    PAGE / "packing.js",
    PAGE / "progress.js",
    PAGE / "transfer.js",
    PAGE / "start.js",
)
UNITS = {"s": "seconds"}  # how a unit is written beside the number field
SURE = {"guess": "I guess", "fairly": "Fairly sure", "certain": "Certain"}
PLACES = {"entry": "Entry check", "exit": "Exit ticket"}
TAGS = {"myth": "Myth buster", "choice": "Question", "number": "Prediction"}
# JupyterLab takes `hidden` from the output of a notebook that it does not trust: only there is this
# line seen. It takes the data and the scripts, too, until the cell has run.
ASLEEP = '<p class="quiz-asleep" hidden>Run this cell: then you can answer here.</p>'
markdown = MarkdownIt("commonmark", {"html": False}).renderInline


def quiz(ref: str, book: Path = BOOK) -> Card:
    """The question `"01/one-word-def"`, to be shown by a notebook cell. Raises QuizError."""
    number, _, name = ref.partition("/")
    lesson = _lesson(load_lessons(book), number)
    for item in lesson.items:
        if item.id == name:
            return Card(item, load_misconceptions(book / "misconceptions.yml"))
    raise QuizError(f"no question {ref!r}; lesson {number} has {_names(lesson.items)}")


def progress(lesson: str, book: Path = BOOK) -> Progress:
    """How many of a lesson's questions the reader has answered, and the way to forget them.

    Counts the questions that this lesson asks: not those it holds back, nor those of its page for
    SQLAlchemy or of a page for classes, but those which an earlier lesson held back for it. Raises
    QuizError for a lesson without questions.
    """
    lessons = load_lessons(book)
    _lesson(lessons, lesson)
    every = [item for one in lessons.values() for item in one.items]
    here = [item for item in every if (item.review_in or item.lesson) == lesson]
    asked = [item.ref for item in here if not (item.with_sqlalchemy or item.asked_at)]
    return Progress(lesson, tuple(asked))


def quiz_setup() -> Assets:
    """Style and scripts of all cards, shown once by a notebook's first cell (tag: remove-cell)."""
    return Assets("The questions of this notebook are ready.", (STYLE, *SCRIPTS))


def recall(lesson: str, link: Callable[[str], str | None], book: Path = BOOK) -> str:
    """The lesson's recall cards as HTML. `link` gives the address of a claim's cell, or None."""
    paths = recall_files(book, lesson)
    if len(paths) != 1:
        raise QuizError(f"book/recall/ has {len(paths)} files {lesson}-*.yml; it needs one")
    return "\n".join(_recall_card(card, link(card.see)) for card in load_recall(paths[0]))


@dataclass(frozen=True)
class Card:
    """A question with its answers; `print` shows it without the key."""

    item: Item
    beliefs: Mapping[str, str]  # what a wrong answer stands for, in a sentence

    def __repr__(self) -> str:
        item = self.item
        if item.kind == "number":
            how = [f"  a number, in {UNITS.get(item.unit, item.unit)}"]
        else:
            how = [f"  ( ) {answer.text}" for answer in item.answers]
        return "\n".join([f"[{item.ref}] {item.prompt}", *how])

    def _repr_html_(self) -> str:
        item = self.item
        tag = PLACES.get(item.asked_at) or TAGS[item.kind]
        if item.review_in:
            tag = f"From lesson {int(item.lesson)}"
        unit = f' data-unit="{html.escape(item.unit)}"' if item.unit else ""
        ask = _number_field(item) if item.kind == "number" else _options(item)
        return "\n".join(
            [
                f'<form class="quiz" data-quiz="{item.ref}"{unit} autocomplete="off">',
                ASLEEP,
                f'<fieldset class="quiz-ask"><legend><span class="quiz-tag">{tag}</span> '
                f"{markdown(item.prompt)}</legend>",
                *ask,
                "</fieldset>",
                *(_confidence(item) if item.confidence else []),
                f'<button class="quiz-commit" type="submit" {KEYS} disabled hidden>'
                "Commit to this answer</button>",
                '<p class="quiz-message" role="status"></p>',
                '<div class="quiz-replies" role="status" aria-atomic="false"></div>',
                f'<details class="quiz-all"><summary {KEYS}>For afterwards: all answers, with a '
                "reply to each</summary><ul>",
                *(_reply(answer, self._belief(answer)) for answer in item.answers),
                "</ul></details></form>",
            ]
        )

    def _belief(self, answer: Answer) -> str:
        """Of a wrong number: shown first, before the reply that tells the answer."""
        return self.beliefs.get(answer.misconception, "") if self.item.kind == "number" else ""


@dataclass(frozen=True)
class Progress:
    lesson: str
    asked: tuple[str, ...]

    def __repr__(self) -> str:
        return f"[progress] {self._count()}"

    def _repr_html_(self) -> str:
        return (
            f'<div class="quiz-progress" data-items="{" ".join(self.asked)}">\n'
            f'<p class="quiz-count">{self._count()}</p>\n'
            f'<progress max="{len(self.asked)}" value="0" hidden '
            f'aria-label="Questions answered in lesson {int(self.lesson)}"></progress>\n'
            f"{_forget('Forget my answers', 'all answers of this lesson')}\n"
            '<p class="quiz-message" role="status"></p></div>'
        )

    def _count(self) -> str:
        return f"Lesson {int(self.lesson)} asks {len(self.asked)} questions."


class Transfer:
    """The controls that move a reader's answers to another device, by a link or by a file."""

    def __repr__(self) -> str:
        return "[progress] Move your answers to another device: by a link, or as a file."

    def _repr_html_(self) -> str:
        return f"""<section class="quiz-transfer" aria-label="Move your answers">
<p class="quiz-count">Your answers stay in this browser. Moving them needs JavaScript.</p>
<div class="quiz-moves" hidden>
<button type="button" data-do="link" {KEYS}>Copy a link with my answers</button>
<button type="button" data-do="save" {KEYS}>Save my answers as a file</button>
<label class="quiz-file">Open a saved file <input type="file" accept=".json" {KEYS}></label>
<label class="quiz-link" hidden>The link <input type="text" readonly {KEYS}></label>
</div>
<div class="quiz-question" role="group" aria-label="Add these answers?" tabindex="-1" hidden>
<p></p>
<button type="button" data-do="merge" {KEYS}>Add them to mine</button>
<button type="button" data-do="leave" {KEYS}>Change nothing</button></div>
<p class="quiz-message" role="status"></p>
{_forget("Forget all my answers", "all answers of all lessons")}</section>"""


def _options(item: Item) -> list[str]:
    return [
        f'<label class="quiz-option"><input type="radio" name="quiz-{item.ref}" '
        f'value="{answer.id}" {KEYS}> <span>{markdown(answer.text)}</span></label>'
        for answer in item.answers
    ]


def _number_field(item: Item) -> list[str]:
    unit = html.escape(UNITS.get(item.unit, item.unit))
    return [
        '<label class="quiz-number"><span>Your number</span> '
        f'<input type="text" inputmode="decimal" {KEYS}> <span>{unit}</span></label> '
        '<span class="quiz-reading"></span>'
    ]


def _confidence(item: Item) -> list[str]:
    name = f"quiz-{item.ref}-sure"
    choices = [
        f'<label class="quiz-option"><input type="radio" name="{name}" value="{value}" {KEYS}> '
        f"<span>{text}</span></label>"
        for value, text in SURE.items()
    ]
    return [
        '<fieldset class="quiz-sure"><legend>How sure are you? (if you like)</legend>',
        *choices,
        "</fieldset>",
    ]


def _reply(answer: Answer, belief: str) -> str:
    which = f'data-option="{answer.id}"' if answer.id else ""
    if answer.ranges:
        spans = " ".join(f"{low:g}..{high:g}" for low, high in answer.ranges)
        which = f'data-ranges="{spans}"'
    right = " data-right" if answer.right else ""
    mark = " (the experiment agrees)" if answer.right else ""
    return (
        f'<li {which or "data-otherwise"}{right} data-claim="{answer.claim}">'
        f'<p class="quiz-text"><strong>{markdown(answer.text)}</strong>{mark}</p>'
        + (f'<p class="quiz-belief">{markdown(belief)}</p>' if belief else "")
        + f'<p class="quiz-say">{markdown(answer.say)}</p></li>'
    )


def _forget(label: str, what: str) -> str:
    # Hidden twice: JupyterLab takes `hidden` away where it does not trust a notebook.
    return f"""<div class="quiz-forget" style="display: none" hidden>
<button type="button" data-do="forget" {KEYS}>{label}</button>
<div class="quiz-question" role="group" aria-label="{label}?" tabindex="-1" hidden>
<p>Forget {what} in this browser? They cannot be brought back.</p>
<button type="button" data-do="forget-yes" {KEYS}>Forget them</button>
<button type="button" data-do="forget-no" {KEYS}>Keep them</button></div></div>"""


def _recall_card(card: RecallCard, address: str | None) -> str:
    link = f' <a href="{html.escape(address)}">See the experiment</a>' if address else ""
    return (
        f'<details class="recall"><summary>{markdown(card.question)}</summary>'
        f"<p>{markdown(card.answer)}{link}</p></details>"
    )


def _lesson(lessons: dict[str, Lesson], number: str) -> Lesson:
    if number not in lessons:
        raise QuizError(f"no quiz file for lesson {number!r}; there are {', '.join(lessons)}")
    return lessons[number]


def _names(items: tuple[Item, ...]) -> str:
    return ", ".join(item.id for item in items)
