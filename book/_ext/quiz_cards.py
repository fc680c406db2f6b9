"""Questions and recall cards in the book's pages.

    ```{quiz} 01/one-word-def          one question
    ```{quiz-progress} 01          how many of the lesson's questions are answered
    ```{recall} 01                 the lesson's recall cards
    ```{progress-transfer}         moves the reader's answers to another device

Every cell that makes a claim gets the id `claim-<its name>`, so that a card can link to it.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bench.claim_index import claim_homes, claims_in
from bench.course import COURSE
from bench.quizzes.cards import SCRIPT, STYLE, Transfer, progress, quiz, recall
from bench.quizzes.checks import QuizError

SOURCES = ("book/misconceptions.yml", "book/quizzes/*.yml", "book/recall/*.yml")


class CardDirective(SphinxDirective):
    """Shows what a notebook cell would show: the same HTML."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for pattern in SOURCES:
            for path in COURSE.glob(pattern):
                self.env.note_dependency(str(path))
        try:
            return [nodes.raw("", self.html(*self.arguments), format="html")]
        except QuizError as error:
            raise self.error(f"{{{self.name}}} {error}") from error

    def html(self, *arguments: str) -> str:
        raise NotImplementedError


class QuizDirective(CardDirective):
    def html(self, ref: str) -> str:
        return quiz(ref)._repr_html_()


class ProgressDirective(CardDirective):
    def html(self, lesson: str) -> str:
        return progress(lesson)._repr_html_()


class TransferDirective(CardDirective):
    required_arguments = 0

    def html(self) -> str:
        return Transfer()._repr_html_()


class RecallDirective(CardDirective):
    def html(self, lesson: str) -> str:
        return recall(lesson, self.address)

    def address(self, claim: str) -> str:
        """Where the book shows the cell of a claim. Raises QuizError when no page does."""
        home = claim_homes().get(claim)
        page = home and f"notebooks/{home.stem}"
        if page not in self.env.found_docs:
            raise QuizError(f"no notebook of the book makes the claim {claim!r}")
        builder = self.env.app.builder
        return f"{builder.get_relative_uri(self.env.docname, page)}#claim-{claim}"


def name_claims(app: Sphinx, doctree: nodes.document) -> None:
    """Give each cell of the page the ids of the claims it makes."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            source = "".join(code.astext() for code in cell.findall(nodes.literal_block))
            cell["ids"] += [f"claim-{claim}" for claim in dict.fromkeys(claims_in(source))]


def add_files(app: Sphinx) -> None:
    # Later than `config-inited`: Jupyter Book puts every path that it finds there on every page.
    app.config.html_static_path += [str(STYLE), str(SCRIPT)]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("quiz", QuizDirective)
    app.add_directive("quiz-progress", ProgressDirective)
    app.add_directive("progress-transfer", TransferDirective)
    app.add_directive("recall", RecallDirective)
    app.add_css_file(STYLE.name)
    app.add_js_file(SCRIPT.name, loading_method="defer")
    app.connect("builder-inited", add_files)
    app.connect("doctree-read", name_claims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
