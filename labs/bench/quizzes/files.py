"""Reads the course's quiz and recall files, and refuses those that would mislead a reader.

Three kinds of YAML file live in `book/`: `quizzes/NN-name.yml` (`lesson`, `title` and `items`,
which `bench.quizzes.items` describes), `recall/NN-name.yml` (`lesson` and `cards`) and
`misconceptions.yml` (`id: one sentence of the belief`).
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Self

from pydantic import Field, RootModel, model_validator

from bench.course import BOOK, MISCONCEPTIONS, quiz_files
from bench.entries import Entry, Id, Prose, load, no_id_twice
from bench.quizzes.checks import LessonNumber, QuizError, Reply, Surroundings
from bench.quizzes.items import Item

MOST_MISCONCEPTIONS = 31
MOST_CONFIDENCE = 2


class Lesson(Entry):
    """A lesson's questions, in the order of its file."""

    id: LessonNumber = Field(alias="lesson")
    title: Prose
    items: tuple[Item, ...]

    @model_validator(mode="after")
    def _measure(self) -> Self:
        no_id_twice("item", self.items)
        if sum(item.confidence for item in self.items) > MOST_CONFIDENCE:
            raise ValueError(f"`confidence` is asked at most {MOST_CONFIDENCE} times")
        return self


class RecallCard(Entry):
    question: Prose
    answer: Reply
    see: Id  # a claim; the card links to the cell that makes it


class _Recall(Entry):
    id: LessonNumber = Field(alias="lesson")
    cards: tuple[RecallCard, ...]


class _Misconceptions(RootModel[dict[Id, Prose]]):
    @model_validator(mode="before")
    @classmethod
    def _measure(cls, raw: object) -> object:
        if not isinstance(raw, dict) or not raw:
            raise ValueError("write `id: one sentence of the belief`, one a line")
        if len(raw) > MOST_MISCONCEPTIONS:
            raise ValueError(f"{len(raw)} ids; merge them to {MOST_MISCONCEPTIONS}")
        return raw


def load_misconceptions(path: Path = MISCONCEPTIONS) -> dict[str, str]:
    """{id: the belief in one sentence}. Raises QuizError for more than 31, or for a bad entry."""
    return load(path, _Misconceptions, QuizError).root


def load_lesson(path: Path, misconceptions: Collection[str]) -> Lesson:
    """The questions of one file. Raises QuizError with file, item and reason of each mistake."""
    around = Surroundings(path.name[:2], frozenset(misconceptions))
    lesson = load(path, Lesson, QuizError, context=around)
    _check_name(path, lesson.id)
    return lesson


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
    """The recall cards of one file. Raises QuizError with file, card and reason of each mistake."""
    recall = load(path, _Recall, QuizError)
    _check_name(path, recall.id)
    return recall.cards


def _check_name(path: Path, lesson: str) -> None:
    if not path.name.startswith(f"{lesson}-"):
        raise QuizError(f"{path.name}: holds lesson {lesson!r}; its name must begin with {lesson}-")
