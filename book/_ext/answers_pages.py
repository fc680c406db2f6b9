"""The directive `{seven-answers}`: the running question's answers, as a figure and as a table.

    ```{seven-answers}
    ```

Without JavaScript the page shows both. With it, the reader's first answers are drawn in: they are
in the browser, where the question cards keep them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from answers_figure import draw_answers
from answers_numbers import RowAnswer, find_answers
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from bench.course import EVIDENCE, LESSON_TEXTS, quiz_files
from bench.quizzes.checks import QuizError


def answers_table(found: Sequence[RowAnswer], link: Callable[[str, str], str]) -> str:
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


def guess_cell(answer: RowAnswer) -> str:
    if not answer.row.asked:
        return "shown, not asked"
    where = f"asked in lesson {int(answer.row.lesson)}"
    return f'<span data-guess-of="{answer.row.question}" data-unit="{answer.unit}">{where}</span>'


def page_named(folder: str, answer: RowAnswer) -> str:
    [page] = LESSON_TEXTS.glob(f"{answer.row.lesson}-*.md")
    return f"{folder}/{page.stem}"


def lesson_page(answer: RowAnswer) -> str:
    return page_named("notebooks", answer)


def evidence_page(answer: RowAnswer) -> str:
    return page_named("book/evidence", answer)


class SevenAnswersDirective(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        for path in [*quiz_files(), *EVIDENCE.glob("*/sixty_guests.txt")]:
            self.env.note_dependency(str(path))
        try:
            found = find_answers()
        except (QuizError, OSError, ValueError) as error:
            raise self.error(f"{{seven-answers}} {error}") from error
        html = f'<div class="answers">{draw_answers(found)}{answers_table(found, self.link)}</div>'
        return [nodes.raw("", html, format="html")]

    def link(self, document: str, text: str) -> str:
        if document not in self.env.found_docs:
            return escape(text)
        to = self.env.app.builder.get_relative_uri(self.env.docname, document)
        return f'<a class="reference internal" href="{to}">{escape(text)}</a>'


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.add_directive("seven-answers", SevenAnswersDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
