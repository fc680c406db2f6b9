"""What the pages for instructors show of the questions.

    - **Right:** C. One thread holds … ({key}`01/one-word`).     a link to that card's key

    ```{answer-key} 01            the key of each card of lesson 1, with its run
    ```
    ```{class-votes} 01/one-word  what `votes` shows for these counts
    {2.0: 9, 0.1: 12}
    ```

    ```{entry-route} 4            where first answers lead: with four right ones, to lesson 3
    ```

A card that does not exist stops the build.
"""

from __future__ import annotations

import ast
from html import escape

from docutils import nodes
from run_links import Runs
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.typing import ExtensionMetadata

from bench.course import MISCONCEPTIONS, quiz_files
from bench.quizzes.cards import PLACES, TAGS, markdown, quiz
from bench.quizzes.checks import QuizError
from bench.quizzes.files import load_lessons, load_misconceptions
from bench.quizzes.hands import votes
from bench.quizzes.items import Item

PAGE = "book/instructors/answer-key"


def anchor(ref: str) -> str:
    return f"key-{ref.replace('/', '-')}"


def where_asked(item: Item) -> str:
    """In a few words: "Myth buster", "asked in lesson 4", "on the page for SQLAlchemy"."""
    if item.asked_at:
        return PLACES[item.asked_at]
    if item.with_sqlalchemy:
        return "on the page for SQLAlchemy"
    return f"asked in lesson {int(item.review_in)}" if item.review_in else TAGS[item.kind]


class AnswerKeyDirective(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for path in [MISCONCEPTIONS, *quiz_files()]:
            self.env.note_dependency(str(path))
        self.env.note_reread()
        lesson = load_lessons().get(self.arguments[0])
        if lesson is None:
            raise self.error(f"{{answer-key}} no quiz file for lesson {self.arguments[0]!r}")
        beliefs = load_misconceptions()
        where = Runs(self.env, self.env.docname)
        every = "\n".join(self.entry(item, beliefs, where) for item in lesson.items)
        return [nodes.raw("", f'<div class="answer-key">{every}</div>', format="html")]

    def entry(self, item: Item, beliefs: dict[str, str], where: Runs) -> str:
        right = next(answer for answer in item.answers if answer.right)
        wrong = [answer for answer in item.answers if answer.misconception]
        letters = "ABCDEFGH" if item.kind != "number" else ""
        named = {
            answer: f"{letters[place : place + 1]} {markdown(answer.text)}".strip()
            for place, answer in enumerate(item.answers)
        }
        others = "".join(
            f"<li>{named[answer]}: <em>{markdown(beliefs[answer.misconception])}</em></li>"
            for answer in wrong
        )
        run = f'<a class="run" href="{escape(where.target(right.claim))}">'
        run += f"{escape(where.place(right.claim))}</a>"
        return (
            f'<section id="{anchor(item.ref)}"><p><code>{item.ref}</code> · {where_asked(item)}<br>'
            f"{markdown(item.prompt)}</p><p><strong>{named[right]}</strong> ({run})<br>"
            f"{markdown(right.say)}</p><ul>{others}</ul></section>"
        )


class KeyRole(SphinxRole):
    """`{key}`: the name of a card, as `votes` takes it, becomes a link to its answer."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            quiz(self.text)
        except QuizError as error:
            return [], [self.inliner.reporter.warning(f"{{key}}: {error}", line=self.lineno)]
        page = self.env.app.builder.get_relative_uri(self.env.docname, PAGE)
        target = f"{page}#{anchor(self.text)}"
        link = nodes.reference("", "", refuri=target, classes=["run"])
        link += nodes.literal("", self.text)
        return [link], []


class ClassVotesDirective(SphinxDirective):
    """Shows the cell and what it shows, as a notebook would."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        counts, ref = "\n".join(self.content), self.arguments[0]
        code = nodes.literal_block("", f'from bench import votes\n\nvotes("{ref}", {counts})')
        code["language"] = "python"
        try:
            shown = votes(ref, ast.literal_eval(counts))
        except (ValueError, SyntaxError) as error:
            raise self.error(f"{{class-votes}} {error}") from error
        return [code, nodes.raw("", shown._repr_html_(), format="html")]


class EntryRouteDirective(SphinxDirective):
    """An empty sentence, which the page's script (book/_static/entry.js) fills in."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        enough = int(self.arguments[0])
        place = f'<p class="entry-route" role="status" data-enough="{enough}"></p>'
        return [nodes.raw("", place, format="html")]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("entry-route", EntryRouteDirective)
    app.add_directive("answer-key", AnswerKeyDirective)
    app.add_directive("class-votes", ClassVotesDirective)
    app.add_role("key", KeyRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
