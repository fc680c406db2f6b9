"""One question of a quiz file: what it holds, and how its YAML is read.

A question looks like this:

    - id: ping                        # shown by quiz("01/ping")
      kind: choice                    # myth, choice or number
      prompt: "When does `/ping` answer?"
      follows_from: ping-waits        # the claim from which the key follows
      review_in: "04"                 # optional: held back for this lesson
      with_sqlalchemy: true           # optional: asked on the lesson's page for SQLAlchemy
      asked_at: entry                 # optional: asked by the entry check or, `exit`, on the ticket
      confidence: true                # optional, at most twice a lesson: asks "How sure are you?"
      options:
        - {text: "After the query.", right: true, say: "…"}
        - {text: "At once.", misconception: loop-interrupts, say: "…", refuted_by: ping-waits}

A number has these fields instead of `options`:

      answer: 2.0
      worked_out: "20 * 0.1"          # from numbers of the prompts and of the claim; left out
                                      # only where the claim states the answer and no other number
      unit: s                         # `s` also understands ms and min; other units are words
      accept: {from: 1.9, to: 2.3}    # or a list of numbers; without it, the answer ± 5 %
      say: "…"                        # the reply to an accepted number
      otherwise: "…"                  # the reply to a number that nobody foresaw
      near:                           # `value` (± 5 %), or `from` and `to`
        - {value: 0.1, misconception: loop-interrupts, say: "…", refuted_by: ping-waits}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
    model_validator,
)

from bench.entries import Entry, Id, Prose, Text
from bench.quizzes.checks import Amount, LaterLesson, Misconception, Only, Reply
from bench.units import counted

Span = tuple[float, float]


@dataclass(frozen=True)
class Answer:
    """One answer a reader may give, and the reply to it."""

    text: str  # the option, or "2 s"
    say: str
    claim: str  # refutes this answer; proves it if it is the right one
    right: bool = False
    misconception: str = ""  # empty for the right answer and for "any other number"
    id: str = ""  # of an option; by default its misconception, or "right"
    ranges: tuple[Span, ...] = ()  # numbers it stands for; none: any other number


class _Wrong(Entry):
    """What every wrong answer says of itself."""

    misconception: Misconception
    refuted_by: Id
    say: Reply


class _WrongOption(_Wrong):
    id: Id = ""
    text: Prose

    def answer(self, follows_from: str) -> Answer:
        name = self.id or self.misconception
        return Answer(
            self.text, self.say, self.refuted_by, misconception=self.misconception, id=name
        )


class _RightOption(Entry):
    id: Id = "right"
    text: Prose
    right: Only
    say: Reply

    def answer(self, follows_from: str) -> Answer:
        return Answer(self.text, self.say, follows_from, right=True, id=self.id)


class _Range(Entry):
    since: Amount = Field(alias="from")
    to: Amount

    @model_validator(mode="after")
    def _from_low_to_high(self) -> Self:
        if self.since > self.to:
            raise ValueError(f"the range {self.since:g} to {self.to:g} is empty")
        return self

    @property
    def span(self) -> Span:
        return float(self.since), float(self.to)


class _Accepted(_Range):
    @model_validator(mode="before")
    @classmethod
    def _written_as_range(cls, raw: object) -> object:
        if not isinstance(raw, dict):
            raise ValueError(f"is {raw!r}; a range is written {{from: 1.9, to: 2.3}}")
        return raw


class _Foreseen(_Wrong):
    """A wrong number that has a reply of its own."""

    @property
    def number(self) -> str:
        raise NotImplementedError

    @property
    def span(self) -> Span:
        raise NotImplementedError

    def answer(self, unit: str) -> Answer:
        return Answer(
            counted(self.number, unit),
            self.say,
            self.refuted_by,
            misconception=self.misconception,
            ranges=(self.span,),
        )


class _NearRange(_Range, _Foreseen):
    @property
    def number(self) -> str:
        return f"{self.since:g}–{self.to:g}"


class _NearNumber(_Foreseen):
    value: Amount

    @property
    def number(self) -> str:
        return str(self.value)

    @property
    def span(self) -> Span:
        return _around(self.value)


# Which model an entry is read as; no tag may be the name of a field.
_Option = Annotated[
    Annotated[_RightOption, Tag("right one")] | Annotated[_WrongOption, Tag("wrong one")],
    Discriminator(lambda raw: "right one" if _has("right", raw) else "wrong one"),
]
_Near = Annotated[
    Annotated[_NearNumber, Tag("number")] | Annotated[_NearRange, Tag("range")],
    Discriminator(lambda raw: "number" if _has("value", raw) else "range"),
]
_Accept = Annotated[
    Annotated[tuple[Amount, ...], Tag("numbers")] | Annotated[_Accepted, Tag("range")],
    Discriminator(lambda raw: "numbers" if isinstance(raw, list) else "range"),
]


class _Question(Entry):
    """What choices and numbers have in common. Exactly one of a question's answers is right."""

    id: Id
    prompt: Prose
    follows_from: Id
    review_in: LaterLesson = ""  # the lesson that asks this question, if it is held back
    with_sqlalchemy: Only = False  # on the page beside the lesson, and not counted by the lesson
    asked_at: Literal["", "entry", "exit"] = ""  # on a page for classes, not in a lesson
    confidence: Only = False
    _lesson: str = PrivateAttr("")

    def model_post_init(self, context: Any) -> None:
        self._lesson = context.lesson

    @property
    def lesson(self) -> str:
        return self._lesson

    @property
    def ref(self) -> str:
        return f"{self.lesson}/{self.id}"


class Choice(_Question):
    kind: Literal["myth", "choice"]
    options: tuple[_Option, ...]
    unit: ClassVar[str] = ""

    @model_validator(mode="after")
    def _one_of_several_is_right(self) -> Self:
        names = [answer.id for answer in self.answers]
        for number, name in enumerate(names, 1):
            if name in names[: number - 1]:
                raise ValueError(
                    f"option {number}: a second option {name!r}; give this one an `id` of its own"
                )
        if (right := sum(answer.right for answer in self.answers)) != 1:
            raise ValueError(f"{right or 'no'} right answers; exactly one option is `right`")
        if len(names) < 2:
            raise ValueError("a question needs two options or more")
        return self

    @property
    def answers(self) -> tuple[Answer, ...]:
        """In the order of the file."""
        return tuple(option.answer(self.follows_from) for option in self.options)


class Number(_Question):
    kind: Literal["number"]
    answer: Amount
    worked_out: Text = ""
    unit: Text
    accept: _Accept = ()
    say: Reply
    otherwise: Reply
    near: tuple[_Near, ...] = ()

    @model_validator(mode="after")
    def _each_number_has_one_reply(self) -> Self:
        taken = [*self._accepted]
        if not any(low <= self.answer <= high for low, high in taken):
            raise ValueError(f"the answer {self.answer:g} is not among the accepted numbers")
        for number, near in enumerate(self.near, 1):
            low, high = near.span
            if any(low <= to and since <= high for since, to in taken):
                raise ValueError(
                    f"near {number}: this number already has a reply, or it is the right answer"
                )
            taken.append(near.span)
        return self

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The right one, the foreseen ones in the order of the file, and any other number."""
        right = counted(f"{self.answer:g}", self.unit)
        return (
            Answer(right, self.say, self.follows_from, right=True, ranges=self._accepted),
            *(near.answer(self.unit) for near in self.near),
            Answer("Any other number", self.otherwise, self.follows_from),
        )

    @property
    def _accepted(self) -> tuple[Span, ...]:
        if isinstance(self.accept, _Range):
            return (self.accept.span,)
        return tuple((float(one), float(one)) for one in self.accept) or (_around(self.answer),)


Item = Annotated[Choice | Number, Field(discriminator="kind")]
"""One question of a quiz file."""


def _has(field: str, raw: object) -> bool:
    return isinstance(raw, dict) and field in raw


def _around(number: float) -> Span:
    return round(number * 0.95, 9), round(number * 1.05, 9)
