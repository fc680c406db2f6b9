"""The directive `{ledger}`: the claims or the findings of `book/claims.yml` as a page of cards.

    ```{ledger} claims
    ```

The argument is `claims` (by step, with counts and a filter) or `findings`. Every entry has the
anchor `#claim-<id>`, for which a page writes `[text](#claim-<id>)`, and a link to each run that
proves it. An entry counts as proven when all its runs exist, so no number here is typed by hand.

Without JavaScript everything is shown and the filter stays away.
"""

from __future__ import annotations

from collections.abc import Sequence

from docutils import nodes
from docutils.parsers.rst import directives
from ledger_entries import STEPS, Claim, Finding, LedgerError, read_ledger
from ledger_html import card_html, counts_html, filter_html
from run_links import Runs
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class LedgerDirective(SphinxDirective):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        kind = directives.choice(self.arguments[0], ("claims", "findings"))
        try:
            ledger = read_ledger()
        except LedgerError as error:
            raise self.error(str(error)) from error
        where = Runs(self.env, self.env.docname)
        self.env.note_reread()  # a new notebook or evidence script changes this page too
        if kind == "findings":
            return [self._list(ledger.findings, where)]
        head = counts_html(ledger.claims, where.files) + filter_html(ledger.claims, where.files)
        sections = [
            self._section(step, [one for one in ledger.claims if one.step == step], where)
            for step in STEPS
        ]
        return [nodes.raw("", head, format="html"), *sections]

    def _section(self, step: str, claims: list[Claim], where: Runs) -> nodes.section:
        section = nodes.section(ids=[f"ledger-{step}"], classes=["ledger-section"])
        section += nodes.title("", STEPS[step])
        section += self._list(claims, where)
        self.state.document.note_implicit_target(section)
        return section

    def _list(self, entries: Sequence[Finding], where: Runs) -> nodes.bullet_list:
        items = nodes.bullet_list(classes=["ledger-list"])
        for entry in entries:
            name = f"claim-{entry.id}"
            item = nodes.list_item("", ids=[name], names=[name])
            item += nodes.raw("", card_html(entry, where.files, where.link), format="html")
            self.state.document.note_explicit_target(item)
            items += item
        return items


def setup(app: Sphinx) -> ExtensionMetadata:
    app.setup_extension("page_assets")
    app.setup_extension("run_links")
    app.add_directive("ledger", LedgerDirective)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
