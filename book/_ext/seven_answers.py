"""The directive `{seven-answers}`: the running question's answers, as a figure and as a table.

    ```{seven-answers}
    ```

*Sixty guests, 0.1 s each: what happens?* Each lesson asks it with one thing changed. The answer is
the key of the question `NN/sixty-guests`; beside it stands what `labs/evidence/NN/sixty_guests.py`
printed when it was last run. So no number of this page is typed by hand.

Without JavaScript the page shows both. With it, the reader's first answers are drawn in: they are
in the browser, where the question cards keep them.
"""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

from bench.course import COURSE, EVIDENCE
from bench.quizzes.checks import QuizError
from bench.quizzes.files import load_lessons

ASSETS = Path(__file__).resolve().parents[1] / "_static" / "answers"
GUESTS = 60

SECONDS = re.compile(r"last of 60 guests after ([\d.]+) s")
ONE_ANSWER = re.compile(r"^ *(\d+) of 60 guests: an answer$", re.MULTILINE)
HALF = re.compile(r"^on a virtual clock: +(\d+) served", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One lesson's turn of the question. `asked` is False where the lesson only shows it."""

    lesson: str
    change: str
    found: re.Pattern[str]
    asked: bool = True
    answer: float | None = None  # of a row that is not asked
    rest: str = ""  # what those get who are not served; {} is their number

    @property
    def question(self) -> str:
        return f"{self.lesson}/sixty-guests" if self.asked else ""


ROWS = (
    Row(
        "01",
        "a blocking query in async def",
        re.compile(r"/async-def +" + SECONDS.pattern),
        asked=False,
        answer=GUESTS * 0.1,
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
class Answer:
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


def answers() -> list[Answer]:
    """All rows with their numbers. Raises QuizError or OSError when a question or a run is missing.

    Raises ValueError when a stored run does not say what its row looks for.
    """
    lessons, found = load_lessons(), []
    for row in ROWS:
        value, unit = row.answer, "s"
        if row.asked:
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
        found.append(Answer(row, value, unit, float(match[1])))
    return found


# -- the figure: x in per cent and y in pixels, so that text keeps its size on every screen --------

LINE, TOP, FOOT = 60, 24, 30  # px: a row, the words above a panel, its axis below


def log_place(value: float) -> float:
    return 100 * math.log(value / 0.05) / math.log(20 / 0.05)


def guest_place(value: float) -> float:
    return 100 * value / 66


PANELS: tuple[tuple[str, str, Callable[[float], float], tuple[float, ...]], ...] = (
    ("s", "seconds until the last guest is served", log_place, (0.1, 1, 10)),
    ("guests", "guests who get an answer, of sixty", guest_place, (0, 20, 40, 60)),
)


def figure(found: list[Answer]) -> str:
    """One SVG with two panels. The script finds a row by its `data-question`."""
    parts, y = [], 0
    for unit, words, place, ticks in PANELS:
        rows = [answer for answer in found if answer.unit == unit]
        bottom = y + TOP + LINE * len(rows)
        parts.append(f'<text class="answers-panel" x="0" y="{y + 14}">{words}</text>')
        for tick in ticks:
            x = f"{place(tick):.2f}%"
            label = f"{tick:g}{' s' * (unit == 's')}"
            anchor = "start" if place(tick) < 5 else "middle"
            parts.append(
                f'<line class="answers-grid" x1="{x}" x2="{x}" y1="{y + TOP}" y2="{bottom}"/>'
                f'<text x="{x}" y="{bottom + 16}" text-anchor="{anchor}">{label}</text>'
            )
        for number, answer in enumerate(rows):
            parts.append(row_svg(answer, place, y + TOP + LINE * number))
        y = bottom + FOOT
    label = "The answers to the running question, lesson by lesson: " + "; ".join(
        f"{answer.row.lesson.lstrip('0')}, {answer.row.change}: {answer.said}" for answer in found
    )
    return (
        f'<figure class="answers-figure"><svg role="img" aria-label="{escape(label)}" '
        f'width="100%" height="{y}">{"".join(parts)}</svg></figure>'
    )


def row_svg(answer: Answer, place: Callable[[float], float], y: int) -> str:
    at = place(answer.value)
    name = f"{answer.row.lesson.lstrip('0')} · {answer.row.change}"
    # The words stand beside the dot; where there is no room, above it.
    shift, anchor, line = ("6", "end", y + 14) if at > 55 else ("10", "start", y + 31)
    scale = "log" if answer.unit == "s" else "linear"
    data = f'data-scale="{scale}" data-unit="{answer.unit}" data-y="{y}"'
    question = f' data-question="{answer.row.question}"' if answer.row.asked else ""
    return (
        f'<g class="answers-row" {data}{question}>'
        f'<text class="answers-name" x="0" y="{y + 14}">{escape(name)}</text>'
        f'<line class="answers-track" x1="0" x2="{at:.2f}%" y1="{y + 27}" y2="{y + 27}"/>'
        f'<circle cx="{at:.2f}%" cy="{y + 27}" r="6"/>'
        f'<text class="answers-value" x="{at:.2f}%" dx="{shift}" y="{line}" '
        f'text-anchor="{anchor}">{escape(answer.said)}</text></g>'
    )


# -- the table -------------------------------------------------------------------------------------


def table(found: list[Answer], link: Callable[[str, str], str]) -> str:
    """`link(document, text)` makes a link to a page of the book, or gives the text alone."""
    rows = "".join(
        f"<tr><th scope='row'>{link(lesson_page(answer), f'Lesson {int(answer.row.lesson)}')}: "
        f"{escape(answer.row.change)}</th>"
        f"<td data-column='The answer'>{escape(answer.said)}</td>"
        f"<td data-column='The last run'>{link(evidence_page(answer), answer.ran)}</td>"
        f"<td data-column='Your first guess'>{guess_cell(answer)}</td></tr>"
        for answer in found
    )
    head = "".join(
        f"<th scope='col'>{words}</th>"
        for words in ("Sixty guests, 0.1 s each", "The answer", "The last run", "Your first guess")
    )
    return (
        f'<table class="answers-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def guess_cell(answer: Answer) -> str:
    if not answer.row.asked:
        return "shown, not asked"
    where = f"asked in lesson {int(answer.row.lesson)}"
    return f'<span data-guess-of="{answer.row.question}" data-unit="{answer.unit}">{where}</span>'


def page_named(folder: str, answer: Answer) -> str:
    [page] = (COURSE / "notebooks" / "text").glob(f"{answer.row.lesson}-*.md")
    return f"{folder}/{page.stem}"


def lesson_page(answer: Answer) -> str:
    return page_named("notebooks", answer)


def evidence_page(answer: Answer) -> str:
    return page_named("book/evidence", answer)


class SevenAnswersDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for pattern in ("book/quizzes/*.yml", "labs/evidence/*/sixty_guests.txt"):
            for path in COURSE.glob(pattern):
                self.env.note_dependency(str(path))
        try:
            found = answers()
        except (QuizError, OSError, ValueError) as error:
            raise self.error(f"{{seven-answers}} {error}") from error
        html = f'<div class="answers">{figure(found)}{table(found, self.link)}</div>'
        return [nodes.raw("", html, format="html")]

    def link(self, document: str, text: str) -> str:
        if document not in self.env.found_docs:
            return escape(text)
        to = self.env.app.builder.get_relative_uri(self.env.docname, document)
        return f'<a class="reference internal" href="{to}">{escape(text)}</a>'


def keep_off_other_pages(app: Sphinx, config: Config) -> None:
    """Jupyter Book lists whatever it finds below `_static`; ours is added by `add_to_page`."""
    for setting in ("html_js_files", "html_css_files"):
        files = getattr(config, setting)
        names = [one if isinstance(one, str) else one[0] for one in files]
        files[:] = [
            one for one, name in zip(files, names, strict=True) if not name.startswith("answers/")
        ]


def copy_assets(app: Sphinx) -> None:
    if app.builder.format == "html":
        shutil.copytree(ASSETS, Path(app.outdir) / "_static" / "answers", dirs_exist_ok=True)


def add_to_page(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if 'class="answers"' in context.get("body", ""):
        app.add_css_file("answers/answers.css")
        app.add_js_file("answers/answers.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("seven-answers", SevenAnswersDirective)
    app.connect("config-inited", keep_off_other_pages, priority=100)
    app.connect("builder-inited", copy_assets)
    app.connect("html-page-context", add_to_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
