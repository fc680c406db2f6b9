"""The checks of quiz and recall files: YAML, fields, ids, numbers and the language for readers.

Each check takes `where`, the file and item a message begins with, and raises QuizError.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

MOST_WORDS_IN_A_SENTENCE = 25
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NEVER = re.compile(r"\b(simply|just|easily|obviously|of course|basically)\b", re.IGNORECASE)
_SCOLDS = re.compile(
    r"(?:^|[.!?]\s+)(?:wrong|incorrect|not correct|false|nope|no|sorry|oops)\b\s*[!.,:–-]",
    re.IGNORECASE,
)


class QuizError(ValueError):
    """A mistake in a quiz or recall file; the message names file, item and reason."""


class _Loader(yaml.SafeLoader):
    """Refuses a field that is written twice; plain YAML would keep the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                line = node.start_mark.line + 1
                raise QuizError(f"the entry at line {line} has the field {name!r} twice")
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> object:
    """The file's content. A missing file, bad YAML or a doubled field raises QuizError."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except QuizError as error:
        raise QuizError(f"{path.name}: {error}") from None
    except FileNotFoundError:
        raise QuizError(f"{path.name}: there is no such file in {path.parent.name}/") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" at line {place.line + 1}" if place else ""
        raise QuizError(
            f"{path.name}: not YAML{line}: {getattr(error, 'problem', error)}"
        ) from None


def fields(where: str, raw: object, needs: str, may: str = "") -> dict:
    """`raw` as a mapping that has every field of `needs` and no others than those and `may`."""
    if not isinstance(raw, dict):
        raise QuizError(f"{where}: expected fields ({needs}), found {raw!r}")
    if unknown := [str(name) for name in raw if name not in (needs + " " + may).split()]:
        raise QuizError(f"{where}: unknown field {', '.join(unknown)}")
    if missing := [name for name in needs.split() if name not in raw]:
        raise QuizError(f"{where}: {', '.join(missing)} is missing")
    return raw


def items(where: str, raw: object, name: str) -> Iterator[tuple[str, dict]]:
    """Each mapping of a list, with the words that name it in a message."""
    if not isinstance(raw, list):
        raise QuizError(f"{where}: expected a list of {name}s, found {raw!r}")
    for number, entry in enumerate(raw, 1):
        label = repr(entry["id"]) if isinstance(entry, dict) and "id" in entry else number
        place = f"{where}: {name} {label}"
        if not isinstance(entry, dict):
            raise QuizError(f"{place}: expected fields, found {entry!r}")
        yield place, entry


def check_lesson(path: Path, top: dict) -> str:
    """The lesson's two digits; the file's name begins with them."""
    lesson = top["lesson"]
    if not isinstance(lesson, str) or not re.fullmatch(r"\d\d", lesson):
        raise QuizError(f'{path.name}: lesson is {lesson!r}; write two digits in quotes, like "01"')
    if not path.name.startswith(f"{lesson}-"):
        raise QuizError(f"{path.name}: holds lesson {lesson!r}; its name must begin with {lesson}-")
    return lesson


def check_id(where: str, raw: dict, name: str = "id") -> str:
    """A name in lower case with hyphens."""
    value = raw.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise QuizError(f"{where}: {name} is {value!r}; use lower case, digits and hyphens")
    return value


def check_number(where: str, raw: dict, name: str) -> float:
    """A finite number, zero or more."""
    value = raw[name]
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or value < 0:
        raise QuizError(f"{where}: {name} is {value!r}; write a number, zero or more")
    return float(value)


def check_text(where: str, raw: dict, name: str, most: int | None = None) -> str:
    """Text a reader will see, in one line: short sentences, kind words, at most `most` words."""
    text = raw.get(name)
    if isinstance(text, bool):
        raise QuizError(
            f"{where}: {name} is {text}; YAML reads a bare yes or no so: put it in quotes"
        )
    if not isinstance(text, str) or not text.strip():
        raise QuizError(f"{where}: {name} is {text!r}; write text in quotes")
    text = " ".join(text.split())
    if most and (count := _words(text)) > most:
        raise QuizError(f"{where}: {name} has {count} words; at most {most}")
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        if (count := _words(sentence)) > MOST_WORDS_IN_A_SENTENCE:
            raise QuizError(
                f"{where}: {name} has a sentence of {count} words; at most "
                f"{MOST_WORDS_IN_A_SENTENCE}: {sentence[:40]}…"
            )
    if found := _NEVER.search(text):
        raise QuizError(f"{where}: {name} says {found[0]!r}, which helps no reader")
    if most and (found := _SCOLDS.search(text)):
        raise QuizError(f"{where}: {name} scolds ({found[0].strip()}); say what differs here")
    return text


def _words(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in text.split())
