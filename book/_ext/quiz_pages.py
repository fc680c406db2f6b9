"""Questions and recall cards in the book's pages.

    ```{quiz} 01/one-word-def          one question
    ```{quiz-progress} 01          how many of the lesson's questions are answered
    ```{recall} 01                 the lesson's recall cards
    ```{progress-transfer}         moves the reader's answers to another device

Every cell or script that makes a claim gives the id `claim-<its name>` to its place on the page:
a card links to it.
"""

from __future__ import annotations

from docutils import nodes
from run_links import Runs
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from bench.claim_index import claims_in
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
        """Where the book shows the run of a claim. Raises QuizError when no page does."""
        runs = Runs(self.env, self.env.docname)
        if not (target := runs.target(claim)):
            raise QuizError(f"no page of the book shows a run with the claim {claim!r}")
        return f"{target.partition('#')[0]}#claim-{claim}"


def name_claims(app: Sphinx, doctree: nodes.document) -> None:
    """Give each cell of the page the ids of the claims it makes, and each section of a script."""
    for cell in doctree.findall(nodes.container):
        if cell.get("nb_element") == "cell_code":
            source = "".join(code.astext() for code in cell.findall(nodes.literal_block))
            cell["ids"] += claim_ids(source)
    for code in doctree.findall(nodes.literal_block):
        if "source" in code:  # of a literalinclude: a script, which may be folded away
            section = code.parent
            while not isinstance(section, nodes.section | nodes.document):
                section = section.parent
            section["ids"] += claim_ids(code.astext())


def claim_ids(source: str) -> list[str]:
    return [f"claim-{claim}" for claim in dict.fromkeys(claims_in(source))]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.add_directive("quiz", QuizDirective)
    app.add_directive("quiz-progress", ProgressDirective)
    app.add_directive("progress-transfer", TransferDirective)
    app.add_directive("recall", RecallDirective)
    app.connect("doctree-read", name_claims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
