"""The answers to the running question: *sixty guests, 0.1 s each: what happens?*

Each lesson asks it with one thing changed. The answer is the key of the question `NN/sixty-guests`;
beside it stands what `labs/evidence/NN/sixty_guests.py` printed when it was last run. So no number
is typed by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bench.course import EVIDENCE
from bench.quizzes.checks import QuizError
from bench.quizzes.files import load_lessons

GUESTS = 60

SECONDS = re.compile(r"last of 60 guests after ([\d.]+) s")
ONE_ANSWER = re.compile(r"^ *(\d+) of 60 guests: an answer$", re.MULTILINE)
HALF = re.compile(r"^on a virtual clock: +(\d+) served", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One lesson's turn of the question."""

    lesson: str
    change: str
    found: re.Pattern[str]
    shown: float | None = None  # the answer where the lesson does not ask, in seconds
    rest: str = ""  # what those get who are not served; {} is their number

    @property
    def asked(self) -> bool:
        return self.shown is None

    @property
    def question(self) -> str:
        return f"{self.lesson}/sixty-guests" if self.asked else ""


ROWS = (
    Row(
        "01",
        "a blocking query in async def",
        re.compile(r"/async-def +" + SECONDS.pattern),
        shown=GUESTS * 0.1,
    ),
    Row("01", "a blocking query in def", re.compile(r"/def +" + SECONDS.pattern)),
    Row("02", "awaited, a connection for each guest", SECONDS),
    Row("03", "one connection for all", ONE_ANSWER, rest="{} errors"),
    Row("04", "a pool of ten", SECONDS),
    Row("05", "all change the same row", SECONDS),
    Row("06", "a pool of ten, a deadline of 0.25 s", HALF, rest="{} × 503"),
    Row("07", "one query with = any($1)", SECONDS),
)


@dataclass(frozen=True)
class RowAnswer:
    """A row with its numbers: the answer and what the last run found, in `unit` (s or guests)."""

    row: Row
    value: float
    unit: str
    measured: float

    @property
    def said(self) -> str:
        """The answer in words. A time is a bound: no machine is quicker."""
        if self.unit == "s":
            return f"{self.value:.1f} s"
        rest = self.row.rest.format(GUESTS - round(self.value))
        return f"{self.value:g} served, {rest}"

    @property
    def ran(self) -> str:
        if self.unit == "s":
            return f"{self.measured:.2f} s"
        return f"{self.measured:g} of {GUESTS}"


def find_answers() -> list[RowAnswer]:
    """All rows with their numbers. Raises QuizError or OSError when a question or a run is missing.

    Raises ValueError when a stored run does not say what its row looks for.
    """
    lessons, found = load_lessons(), []
    for row in ROWS:
        if row.shown is not None:
            value, unit = row.shown, "s"
        else:
            items = lessons[row.lesson].items if row.lesson in lessons else ()
            item = next((item for item in items if item.ref == row.question), None)
            if item is None:
                raise QuizError(f"there is no question {row.question}")
            right = next(answer for answer in item.answers if answer.right)
            value, unit = float(right.text.split()[0]), item.unit
        output = EVIDENCE / row.lesson / "sixty_guests.txt"
        match = row.found.search(output.read_text(encoding="utf-8"))
        if match is None:
            raise ValueError(f"{output.name} has no line like {row.found.pattern!r}")
        found.append(RowAnswer(row, value, unit, float(match[1])))
    return found
