"""Questions and recall cards in the book's pages.

    ```{quiz} 01/one-word-def          one question
    ```{quiz-progress} 01          how many of the lesson's questions are answered
    ```{recall} 01                 the lesson's recall cards
    ```{progress-transfer}         moves the reader's answers to another device

Every cell that makes a claim gets the id `claim-<its name>`, so that a card can link to it.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from bench.claim_index import claim_homes, claims_in
from bench.course import MISCONCEPTIONS, quiz_files, recall_files
from bench.quizzes.cards import Transfer, progress, quiz, recall
from bench.quizzes.checks import QuizError


class CardDirective(SphinxDirective):
    """Shows what a notebook cell would show: the same HTML."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        for path in [MISCONCEPTIONS, *quiz_files(), *recall_files()]:
            self.env.note_dependency(str(path))
        try:
            return [nodes.raw("", self.html(), format="html")]
        except QuizError as error:
            raise self.error(f"{{{self.name}}} {error}") from error

    def html(self) -> str:
        raise NotImplementedError


class QuizDirective(CardDirective):
    def html(self) -> str:
        return quiz(self.arguments[0])._repr_html_()


class ProgressDirective(CardDirective):
    def html(self) -> str:
        return progress(self.arguments[0])._repr_html_()


class TransferDirective(CardDirective):
    required_arguments = 0

    def html(self) -> str:
        return Transfer()._repr_html_()


class RecallDirective(CardDirective):
    def html(self) -> str:
        return recall(self.arguments[0], self.address)

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


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.add_directive("quiz", QuizDirective)
    app.add_directive("quiz-progress", ProgressDirective)
    app.add_directive("progress-transfer", TransferDirective)
    app.add_directive("recall", RecallDirective)
    app.connect("doctree-read", name_claims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
