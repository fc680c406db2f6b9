"""One question of a quiz file: what it holds, and how its YAML is read.

A question looks like this:

    - id: ping                        # shown by quiz("01/ping")
      kind: choice                    # myth, choice or number
      prompt: "When does `/ping` answer?"
      follows_from: ping-waits        # the claim from which the key follows
      review_in: "04"                 # optional: held back for this lesson
      confidence: true                # optional, at most twice a lesson: asks "How sure are you?"
      options:
        - {text: "After the query.", right: true, say: "…"}
        - {text: "At once.", misconception: loop-interrupts, say: "…", refuted_by: ping-waits}

A number has these fields instead of `options`:

      answer: 2.0
      unit: s                         # `s` also understands ms and min; other units are words
      accept: {from: 1.9, to: 2.3}    # or a list of numbers; without it, the answer ± 5 %
      say: "…"                        # the reply to an accepted number
      otherwise: "…"                  # the reply to a number that nobody foresaw
      near:                           # `value` (± 5 %), or `from` and `to`
        - {value: 0.1, misconception: loop-interrupts, say: "…", refuted_by: ping-waits}
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from bench.quizzes.checks import QuizError, check_id, check_number, check_text, fields, items
from bench.units import counted


@dataclass(frozen=True)
class Answer:
    """One answer a reader may give, and the reply to it."""

    text: str  # the option, or "2 s"
    say: str
    claim: str  # refutes this answer; proves it if it is the right one
    right: bool = False
    misconception: str = ""  # empty for the right answer and for "any other number"
    id: str = ""  # of an option; by default its misconception, or "right"
    ranges: tuple[tuple[float, float], ...] = ()  # numbers it stands for; none: any other number


@dataclass(frozen=True)
class Item:
    """One question. Exactly one of its answers is right."""

    lesson: str
    id: str
    kind: str
    prompt: str
    answers: tuple[Answer, ...]
    unit: str = ""  # of a number; empty for other kinds
    confidence: bool = False
    review_in: str = ""  # the later lesson that asks this question, if it is held back

    @property
    def ref(self) -> str:
        return f"{self.lesson}/{self.id}"


def read_item(where: str, lesson: str, raw: dict, known: Collection[str]) -> Item:
    """The question that `raw` describes; `known` are the ids of all misconceptions."""
    kind = raw.get("kind")
    if kind not in ("myth", "choice", "number"):
        raise QuizError(f"{where}: kind is {kind!r}; it must be myth, choice or number")
    own = "answer unit say otherwise" if kind == "number" else "options"
    more = "accept near" if kind == "number" else ""
    fields(where, raw, f"id kind prompt follows_from {own}", f"review_in confidence {more}")
    review = raw.get("review_in", "")
    if review and not (isinstance(review, str) and re.fullmatch(r"0[2-7]", review)):
        raise QuizError(f'{where}: review_in is {review!r}; write a lesson in quotes, like "04"')
    if review and review <= lesson:
        raise QuizError(f"{where}: review_in is {review!r}, which is not a later lesson")
    if raw.get("confidence", True) is not True:
        raise QuizError(f"{where}: confidence is `true` or left out")
    claim = check_id(where, raw, "follows_from")
    read = _number_answers if kind == "number" else _options
    return Item(
        lesson,
        check_id(where, raw),
        kind,
        check_text(where, raw, "prompt"),
        tuple(read(where, raw, claim, known)),
        check_text(where, raw, "unit") if kind == "number" else "",
        "confidence" in raw,
        review,
    )


def _options(where: str, raw: dict, claim: str, known: Collection[str]) -> Iterable[Answer]:
    answers: list[Answer] = []
    for place, option in items(where, raw["options"], "option"):
        if "right" in option:
            fields(place, option, "text right say", "id")
            if option["right"] is not True:
                raise QuizError(f"{place}: `right` is true or left out")
            wrong, proof = "", claim
        else:
            fields(place, option, "text misconception say refuted_by", "id")
            wrong, proof = _refuted(place, option, known)
        name = check_id(place, option) if "id" in option else wrong or "right"
        if name in [answer.id for answer in answers]:
            raise QuizError(f"{place}: a second option {name!r}; give this one an `id` of its own")
        text, say = check_text(place, option, "text"), check_text(place, option, "say", 45)
        answers.append(Answer(text, say, proof, not wrong, wrong, name))
    if (right := sum(answer.right for answer in answers)) != 1:
        raise QuizError(f"{where}: {right or 'no'} right answers; exactly one option is `right`")
    if len(answers) < 2:
        raise QuizError(f"{where}: a question needs two options or more")
    return answers


def _number_answers(where: str, raw: dict, claim: str, known: Collection[str]) -> Iterator[Answer]:
    answer, unit = check_number(where, raw, "answer"), raw["unit"]
    accept = raw.get("accept", [])
    if isinstance(accept, list):
        ranges = [(check_number(where, {"accept": n}, "accept"),) * 2 for n in accept]
    else:
        ranges = [_span(where, accept)]
    taken = tuple(ranges or [_around(answer)])
    if not any(low <= answer <= high for low, high in taken):
        raise QuizError(f"{where}: the answer {answer:g} is not among the accepted numbers")
    say = check_text(where, raw, "say", 45)
    yield Answer(counted(f"{answer:g}", unit), say, claim, right=True, ranges=taken)
    for place, near in items(where, raw.get("near", []), "near"):
        ends = "value" if "value" in near else "from to"
        fields(place, near, f"{ends} misconception say refuted_by")
        low, high = span = _span(place, near)
        if any(low <= to and since <= high for since, to in taken):
            raise QuizError(f"{place}: this number already has a reply, or it is the right answer")
        taken += (span,)
        number = near.get("value", f"{low:g}–{high:g}")
        wrong, proof = _refuted(place, near, known)
        text, say = counted(f"{number}", unit), check_text(place, near, "say", 45)
        yield Answer(text, say, proof, misconception=wrong, ranges=(span,))
    yield Answer("Any other number", check_text(where, raw, "otherwise", 45), claim)


def _refuted(where: str, raw: dict, known: Collection[str]) -> tuple[str, str]:
    name = check_id(where, raw, "misconception")
    if name not in known:
        raise QuizError(f"{where}: misconception {name!r} is not in misconceptions.yml")
    return name, check_id(where, raw, "refuted_by")


def _span(where: str, raw: object) -> tuple[float, float]:
    if isinstance(raw, dict) and "value" in raw:
        return _around(check_number(where, raw, "value"))
    if not isinstance(raw, dict) or not {"from", "to"} <= set(raw):
        raise QuizError(f"{where}: a range is written {{from: 1.9, to: 2.3}}")
    low, high = check_number(where, raw, "from"), check_number(where, raw, "to")
    if low > high:
        raise QuizError(f"{where}: the range {low:g} to {high:g} is empty")
    return low, high


def _around(number: float) -> tuple[float, float]:
    return round(number * 0.95, 9), round(number * 1.05, 9)
