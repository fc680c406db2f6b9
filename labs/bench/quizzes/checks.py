"""What may be written in the fields of quiz and recall files.

A validator's message continues the name of its field; `bench.entries` puts file and item before.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from bench.entries import Id, Prose
from bench.language import words

MOST_WORDS_IN_A_REPLY = 45
_SCOLDS = re.compile(
    r"(?:^|[.!?]\s+)(?:wrong|incorrect|not correct|false|nope|no|sorry|oops)\b\s*[!.,:–-]",
    re.IGNORECASE,
)


class QuizError(ValueError):
    """Mistakes in a quiz or recall file; the message names file, item and reason of each."""


@dataclass(frozen=True)
class Surroundings:
    """What a question must fit to: the context in which a quiz file is read."""

    lesson: str
    misconceptions: frozenset[str]


def _lesson(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(r"\d\d", value):
        raise ValueError(f'is {value!r}; write two digits in quotes, like "01"')
    return value


def _later(value: str, info: ValidationInfo[Surroundings]) -> str:
    if value > "07":
        raise ValueError(f"is {value!r}; the last lesson is 07")
    if value <= info.context.lesson:
        raise ValueError(f"is {value!r}, which is not a later lesson")
    return value


def _known(value: str, info: ValidationInfo[Surroundings]) -> str:
    if value not in info.context.misconceptions:
        raise ValueError(f"{value!r} is not in misconceptions.yml")
    return value


def _amount(value: object) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf:
        return value
    raise ValueError(f"is {value!r}; write a number, zero or more")


def _only_true(value: object) -> object:
    if value is not True:
        raise ValueError(f"is {value!r}; it is `true` or left out")
    return value


def _short(text: str) -> str:
    if (count := words(text)) > MOST_WORDS_IN_A_REPLY:
        raise ValueError(f"has {count} words; at most {MOST_WORDS_IN_A_REPLY}")
    return text


def _kind(text: str) -> str:
    if found := _SCOLDS.search(text):
        raise ValueError(f"scolds ({found[0].strip()}); say what differs here")
    return text


LessonNumber = Annotated[str, BeforeValidator(_lesson)]
"""Two digits."""

LaterLesson = Annotated[LessonNumber, AfterValidator(_later)]
"""The number of a lesson that comes after this one."""

Misconception = Annotated[Id, AfterValidator(_known)]
"""An id of misconceptions.yml."""

Amount = Annotated[int | float, BeforeValidator(_amount)]
"""A finite number, zero or more."""

Only = Annotated[bool, BeforeValidator(_only_true)]
"""`true`, or left out."""

Reply = Annotated[Prose, AfterValidator(_short), AfterValidator(_kind)]
"""What is said to an answer: at most 45 words, and nobody is scolded."""
