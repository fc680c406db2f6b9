"""Reads the course's quiz and recall files, and refuses those that would mislead a reader.

Three kinds of YAML file live in `book/`: `quizzes/NN-name.yml` (`lesson`, `title` and `items`,
which `bench.quizzes.items` describes), `recall/NN-name.yml` (`lesson` and `cards`) and
`misconceptions.yml` (`id: one sentence of the belief`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bench.course import BOOK, MISCONCEPTIONS, quiz_files
from bench.quizzes.checks import (
    QuizError,
    check_id,
    check_lesson,
    check_text,
    fields,
    items,
    read_yaml,
)
from bench.quizzes.items import Item, read_item

MOST_MISCONCEPTIONS = 25
MOST_CONFIDENCE = 2


@dataclass(frozen=True)
class Lesson:
    """A lesson's questions, in the order of its file."""

    id: str
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class RecallCard:
    question: str
    answer: str
    see: str  # a claim; the card links to the cell that makes it


def load_misconceptions(path: Path = MISCONCEPTIONS) -> dict[str, str]:
    """{id: the belief in one sentence}. Raises QuizError for more than 25, or for a bad entry."""
    data = read_yaml(path)
    if not isinstance(data, dict) or not data:
        raise QuizError(f"{path.name}: write `id: one sentence of the belief`, one a line")
    if len(data) > MOST_MISCONCEPTIONS:
        raise QuizError(f"{path.name}: {len(data)} ids; merge them to {MOST_MISCONCEPTIONS}")
    for name in data:
        check_id(path.name, data | {"id": name})
        check_text(f"{path.name}: {name!r}", {"belief": data[name]}, "belief")
    return data


def load_lesson(path: Path, misconceptions: Collection[str]) -> Lesson:
    """The questions of one file. Raises QuizError with file, item and reason."""
    top = fields(path.name, read_yaml(path), "lesson title items")
    lesson = check_lesson(path, top)
    found: dict[str, Item] = {}
    for where, raw in items(path.name, top["items"], "item"):
        item = read_item(where, lesson, raw, misconceptions)
        if item.id in found:
            raise QuizError(f"{where}: this id is used twice")
        found[item.id] = item
    if sum(item.confidence for item in found.values()) > MOST_CONFIDENCE:
        raise QuizError(f"{path.name}: `confidence` is asked at most {MOST_CONFIDENCE} times")
    return Lesson(lesson, check_text(path.name, top, "title"), tuple(found.values()))


def load_lessons(book: Path = BOOK) -> dict[str, Lesson]:
    """Every lesson that has a quiz file, by its two digits. Raises QuizError."""
    known = load_misconceptions(book / MISCONCEPTIONS.name)
    lessons: dict[str, Lesson] = {}
    for path in quiz_files(book):
        lesson = load_lesson(path, known)
        if lesson.id in lessons:
            raise QuizError(f"{path.name}: lesson {lesson.id!r} has a second quiz file")
        lessons[lesson.id] = lesson
    return lessons


def load_recall(path: Path) -> tuple[RecallCard, ...]:
    """The recall cards of one file. Raises QuizError with file, card and reason."""
    top = fields(path.name, read_yaml(path), "lesson cards")
    check_lesson(path, top)
    cards = []
    for where, raw in items(path.name, top["cards"], "card"):
        fields(where, raw, "question answer see")
        question, answer = check_text(where, raw, "question"), check_text(where, raw, "answer", 45)
        cards.append(RecallCard(question, answer, check_id(where, raw, "see")))
    return tuple(cards)
