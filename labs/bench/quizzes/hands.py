"""The votes of a class: counts beside the answer, and what to do and to say next."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bench.figures.charts import bars
from bench.quizzes.cards import markdown, quiz
from bench.quizzes.items import Answer, Item

OTHER = "other"
LETTERS = "ABCDEFGH"
FEW, MANY = 30, 70  # per cent of a class, between which neighbours learn from each other
TARGET = "box-sizing:border-box;min-height:2.75rem;padding:.6rem 0;cursor:pointer"
_DECIMAL = re.compile(r"\d+(?:[.,]\d+)?")
LONGEST = 42  # letters of an option above its bar


def votes(ref: str, counts: Mapping[str | float, int], *, show: bool | None = None) -> Votes:
    """The class's votes on the question `ref`, "01/one-word", as a figure, with what to do next.

    `counts` says how many voted for what. For a question with a number: the numbers that were
    written down, in the unit of the card, `{2.0: 9, 0.1: 12}`, and `"other"` for those that nobody
    wants to type; in quotes, `"0,1"` is a number, too. For a question with options: letters in the
    order of the card, `{"A": 3, "B": 12}`. Numbers with one reply share a bar, and an answer that
    nobody gave has a bar of its own.

    From 30 % to 70 % right: neighbours discuss, and all vote again. So the answer and the replies
    stay closed then, until they are opened or `show=True`; in every other case they are open,
    unless `show=False`. Printed, it is the same as text. Nothing is stored or sent.

    Raises QuizError for an unknown question, and ValueError for counts that are no votes.
    """
    card = quiz(ref)
    return Votes(card.item, tally(card.item, counts), card.beliefs, show)


def tally(item: Item, counts: Mapping[str | float, int]) -> dict[Answer, int]:
    """The votes for each answer of the card. Raises ValueError for counts that are no votes."""
    rows = {answer: 0 for answer in item.answers}
    if not counts:
        raise ValueError('votes: there are no counts; write for example {"A": 3, "B": 12}.')
    for given, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"votes: {given!r} has {count!r} votes; write a whole number.")
        rows[_answer(item, given)] += count
    if not sum(rows.values()):
        raise ValueError("votes: nobody has voted; all counts are 0.")
    return rows


@dataclass(frozen=True)
class Votes:
    """What `votes` shows. `right` of `total` voted for the answer of the experiment."""

    item: Item
    rows: Mapping[Answer, int]
    beliefs: Mapping[str, str]
    show: bool | None = None

    @property
    def total(self) -> int:
        return sum(self.rows.values())

    @property
    def right(self) -> int:
        return sum(count for answer, count in self.rows.items() if answer.right)

    @property
    def again(self) -> bool:
        """Whether the class should discuss and vote once more: from 30 % to 70 % are right."""
        return FEW * self.total <= 100 * self.right <= MANY * self.total

    @property
    def open(self) -> bool:
        """Whether the answer is shown."""
        return not self.again if self.show is None else self.show

    @property
    def advice(self) -> str:
        """What to do now. It does not tell the answer."""
        if self.again:
            return "30–70 % right: discuss with your neighbours for two minutes, then vote again."
        many = 100 * self.right > MANY * self.total
        return f"{'More than 70' if many else 'Fewer than 30'} % right: run the experiment now."

    @property
    def share(self) -> str:
        return f"{self.right} of {self.total} are right ({100 * self.right / self.total:.0f} %)."

    def replies(self) -> list[tuple[str, str, str]]:
        """(answer, the belief behind it, the reply), the right one first, then by votes."""
        order = sorted(self.rows, key=lambda one: (not one.right, -self.rows[one]))
        given = [one for one in order if one.right or self.rows[one]]
        return [
            (self._named(one), self.beliefs.get(one.misconception, ""), one.say) for one in given
        ]

    def __repr__(self) -> str:
        lines = [f"[votes {self.item.ref}] {self.item.prompt}"]
        lines += [f"  {count:3} · {self._named(one)}" for one, count in self._shown().items()]
        lines.append(self.advice)
        if self.open:
            lines += [self.share, *(f"- {name}: {say}" for name, _, say in self.replies())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        figure = bars(
            {self._above(one): count for one, count in self._shown().items()},
            unit="votes",
            whole=True,
            label=self._label(),
            title=f"{self.total} votes",
            highlight=self._above(self._right) if self.open else None,
        )
        told = "".join(
            f"<li><p><strong>{markdown(name)}</strong></p>"
            + (f"<p><em>{markdown(belief)}</em></p>" if belief else "")
            + f"<p>{markdown(say)}</p></li>"
            for name, belief, say in self.replies()
        )
        return "\n".join(
            [
                '<section class="votes" style="margin-bottom:1rem">',
                f"<p>{markdown(self.item.prompt)}</p>",
                figure.html,
                f"<p><strong>{html.escape(self.advice)}</strong></p>",
                f"<details{' open' if self.open else ''}>"
                f'<summary style="{TARGET}">The answer, and a reply to each</summary>'
                f"<p>{html.escape(self.share)}</p><ul>{told}</ul></details></section>",
            ]
        )

    @property
    def _right(self) -> Answer:
        return next(one for one in self.rows if one.right)

    def _shown(self) -> dict[Answer, int]:
        """The bars: every answer, but "any other number" only if somebody gave one."""
        rows = self.rows.items()
        shown = {one: count for one, count in rows if count or one.right or one.misconception}
        if self.item.kind != "number":
            return shown
        return dict(
            sorted(
                shown.items(), key=lambda row: min((low for low, _ in row[0].ranges), default=1e99)
            )
        )

    def _named(self, answer: Answer) -> str:
        if self.item.kind == "number":
            return answer.text
        return f"{LETTERS[list(self.rows).index(answer)]}: {answer.text}"

    def _above(self, answer: Answer) -> str:
        name = self._named(answer).replace("`", "")
        if len(name) > LONGEST:
            name = name[:LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:·") + " …"
        return f"{name} ← right" if self.open and answer.right else name

    def _label(self) -> str:
        counts = ", ".join(
            f"{count} for “{self._above(one)}”" for one, count in self._shown().items()
        )
        return f"Bars: how many of {self.total} in the class voted for each answer: {counts}."


def _answer(item: Item, given: object) -> Answer:
    """The answer of the card that a vote stands for. Raises ValueError."""
    if item.kind == "number":
        return _numbered(item, given)
    letters = LETTERS[: len(item.answers)]
    letter = given.strip().upper() if isinstance(given, str) else ""
    if len(letter) != 1 or letter not in letters:
        raise ValueError(
            f"votes: {given!r} is no option; {item.ref} has {' '.join(letters)}, in quotes."
        )
    return item.answers[letters.index(letter)]


def _numbered(item: Item, given: object) -> Answer:
    if given == OTHER:
        return item.answers[-1]
    if isinstance(given, str) and _DECIMAL.fullmatch(given.strip()):
        given = float(given.strip().replace(",", "."))
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not 0 <= given < float("inf")
    ):
        raise ValueError(
            f"votes: {given!r} is no number; {item.ref} asks for {item.unit}: "
            f'write {{0.1: 12, "{OTHER}": 3}}.'
        )
    for answer in item.answers:
        if any(low <= given <= high for low, high in answer.ranges):
            return answer
    return item.answers[-1]
