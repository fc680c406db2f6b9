"""The YAML files that people write: entries with named fields, read as typed models.

A model declares the fields of an entry, and the type of a field says what may be written there.
`load` reads a file as a model. It refuses a file with one line for each mistake, which names the
file, the entry, the field and the reason:

    01-waiting.yml: item 'ping': option 2: say is missing

The reason continues the field's name: a validator raises ValueError("is 4; write two digits").
"""

from __future__ import annotations

import re
import reprlib
from collections import Counter
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from bench.claim_index import ID
from bench.language import MOST_WORDS, belittling, long_sentences, words

if TYPE_CHECKING:
    from yaml import BaseLoader as _Texts
    from yaml import SafeLoader as _Values
else:  # the same in C, eight times as fast, where PyYAML was built with it
    _Texts = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    _Values = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Entry(BaseModel):
    """Named fields, and no others; nobody changes them once they are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def load(
    path: Path,
    model: type[Model],
    refusal: type[ValueError],
    *,
    texts: bool = False,
    context: object = None,
) -> Model:
    """The file as `model`. Raises `refusal` with all mistakes, one a line.

    With `texts`, everything written is a text: `true` is a word then, and not a boolean. The
    model's validators find `context` in their `info.context`.
    """
    data = _content(path, refusal, _TextLoader if texts else _ValueLoader)
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        found = [_told(path.name, one, data) for one in error.errors()]
        raise refusal("\n".join(found)) from None


class Named(Protocol):
    @property
    def id(self) -> str: ...


def no_id_twice(kind: str, entries: Iterable[Named]) -> None:
    """Raises ValueError when two entries of a kind ("item") have the same `id`."""
    for name, count in Counter(entry.id for entry in entries).items():
        if count > 1:
            times = "twice" if count == 2 else f"{count} times"
            raise ValueError(f"{kind} {name!r}: this id is used {times}")


# --- What may be written in a field --------------------------------------------------------


def _id(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch(ID, value):
        raise ValueError(f"is {value!r}; use lower case, digits and hyphens")
    return value


def _text(value: object) -> str:
    if isinstance(value, bool):
        raise ValueError(f"is {value}; YAML reads a bare yes or no so: put it in quotes")
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"is {value!r}; write text in quotes")
    return " ".join(value.split())


def _prose(value: object) -> str:
    text = _text(value)
    for sentence in long_sentences(text):
        raise ValueError(
            f"has a sentence of {words(sentence)} words; at most {MOST_WORDS}: {sentence[:40]}…"
        )
    for word in belittling(text):
        raise ValueError(f"says {word!r}, which helps no reader")
    return text


Id = Annotated[str, BeforeValidator(_id)]
"""A name: words in lower case, joined by hyphens."""

Text = Annotated[str, BeforeValidator(_text)]
"""Some text, in one line."""

Prose = Annotated[str, BeforeValidator(_prose)]
"""Text that keeps the course's language: short sentences, and no word that belittles."""


class _NoFieldTwice:
    """Of a field that is written twice, plain YAML would keep the last one silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value]
        for name in names:
            if names.count(name) > 1:
                line = node.start_mark.line + 1
                raise _Twice(f"the entry at line {line} has the field {name!r} twice")
        return super().construct_mapping(node, deep)  # type: ignore[misc]  # of the loader beside it


class _TextLoader(_NoFieldTwice, _Texts):
    pass


class _ValueLoader(_NoFieldTwice, _Values):
    pass


class _Twice(ValueError):
    pass


def _content(
    path: Path, refusal: type[ValueError], loader: type[_TextLoader | _ValueLoader]
) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), loader)
    except _Twice as error:
        raise refusal(f"{path.name}: {error}") from None
    except FileNotFoundError:
        raise refusal(f"{path.name}: there is no such file in {path.parent.name}/") from None
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" at line {place.line + 1}" if place else ""
        problem = getattr(error, "problem", error)
        raise refusal(f"{path.name}: not YAML{line}: {problem}") from None


# --- A mistake in the words of whoever wrote the file --------------------------------------


def _told(file: str, error: ErrorDetails, data: Any) -> str:
    """One line: the file, the entries around the mistake, the field and the reason."""
    here, places = data, [file]
    fields: list[str] = []
    for place, step in enumerate(error["loc"], 1):
        if isinstance(step, int):
            here = here[step]
            label = repr(here["id"]) if isinstance(here, dict) and "id" in here else step + 1
            places.append(f"{_singular(fields.pop())} {label}")
        elif isinstance(here, dict) and step in here:
            here = here[step]
            fields.append(step)
        elif error["type"] == "missing" and place == len(error["loc"]):
            fields.append(step)
        # any other step says which of several models the entry was read as
    if error["type"] == "extra_forbidden":
        fields, name = fields[:-1], fields[-1]
        return ": ".join([*places, *fields, f"unknown field {name}"])
    # A rule about an entry as a whole is a sentence; what is said of a field continues its name.
    whole = error["type"] == "value_error" and (isinstance(here, dict) or not error["loc"])
    joint = ": " if whole or error["type"].startswith("union_tag") else " "
    return ": ".join([*places, *fields]) + joint + _reason(error, here)


def _reason(error: ErrorDetails, here: object) -> str:
    found, details = reprlib.repr(here), error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(details["error"])
        case "missing":
            return "is missing"
        case "literal_error":
            return f"is {found}; it must be {_bare(details['expected'])}"
        case "union_tag_invalid":
            kind, tag, tags = (_bare(details[n]) for n in ("discriminator", "tag", "expected_tags"))
            return f"{kind} is {tag!r}; it must be one of {tags}"
        case "union_tag_not_found":
            return f"{_bare(details['discriminator'])} is missing"
        case "list_type" | "tuple_type":
            return f"is {found}; write a list"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"is {found}; write named fields"
    return f"is {found}: {error['msg']}"


def _bare(names: str) -> str:
    return names.replace("'", "")


def _singular(list_name: str) -> str:
    return list_name.removesuffix("s")
