"""The directive `{ledger}`, and the role `{run}` that links a sentence to the run that shows it.

    A `def` route runs in a helper thread, forty at most ({run}`def-forty-inside`).

The role takes the id of a `claim(...)` and becomes a link to its experiment: "lesson 1", or
"evidence 1" for a script. An id that no run has is a warning, and warnings stop the build.

`{ledger}` shows the claims or the findings of `book/claims.yml` as a page of cards.

    ```{ledger} claims
    ```

The argument is `claims` (by step, with counts and a filter) or `findings`. Every entry has the
anchor `#claim-<id>`, for which a page writes `[text](#claim-<id>)`, and a link to each run that
proves it. An entry counts as proven when all its runs exist, so no number here is typed by hand.

Without JavaScript everything is shown and the filter stays away. Like the timelines, the ledger
keeps its style and script off all other pages, where Jupyter Book would load them too.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from ledger_entries import STEPS, Claim, LedgerError, read_ledger, runs
from ledger_html import card_html, counts_html, filter_html
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective, SphinxRole

from bench.course import COURSE, LABS, lesson_of

ASSETS = Path(__file__).resolve().parents[1] / "_static" / "ledger"


class Runs:
    """Where the runs stand: {claim id: file}, and the pages of the book that show these files."""

    def __init__(self, env: BuildEnvironment, page: str) -> None:
        self.files = runs()
        self.page = page
        self.env = env

    def link(self, name: str) -> str:
        """The run as a link to its section; as plain text while no page of the book shows it."""
        text = f"<code>{escape(name)}</code>"
        target = self.target(name)
        return f'<a href="{escape(target)}">{text}</a>' if target else text

    def target(self, name: str) -> str:
        """Where the book shows that run, seen from this page; empty if it does not (yet)."""
        file = self.files.get(name)
        if file is None:
            return ""
        if file.suffix == ".md":  # the text of a notebook, whose page has the same name
            page, anchor = f"notebooks/{file.stem}", section_of(f'"{name}"', file)
            if page not in self.env.found_docs:
                return ""
        elif (page := self._page_with(shown := file.relative_to(COURSE).as_posix())) is not None:
            anchor = section_of(shown, Path(self.env.doc2path(page)))
        else:
            return ""
        return self.env.app.builder.get_relative_uri(self.page, page) + anchor

    def place(self, name: str) -> str:
        """Where the run stands, in two words: "lesson 1", "evidence 1" or "a test"."""
        file = self.files[name]
        if file.suffix == ".md":
            return f"lesson {int(lesson_of(file))}"
        return f"evidence {int(lesson_of(file))}" if LABS in file.parents else "a test"

    def _page_with(self, script: str) -> str | None:
        """The first page that shows that script."""
        for page in sorted(self.env.found_docs - {self.page}):
            source = Path(self.env.doc2path(page))
            if source.suffix == ".md" and script in source.read_text(encoding="utf-8"):
                return page
        return None


def section_of(wanted: str, file: Path) -> str:
    """`#anchor` of the heading above the fence that holds `wanted`; empty when there is none.

    Inside a fence, what looks like a heading is a comment of the code.
    """
    anchor, fence = "", False
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fence = not fence
        elif not fence and (heading := re.match(r"##+ (.+)", line)):
            anchor = "#" + nodes.make_id(heading[1])
        if fence and wanted in line:
            return anchor
    return ""


class RunRole(SphinxRole):
    """`{run}`: the id of a claim becomes a link to the run that evaluates it."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        where = Runs(self.env, self.env.docname)
        self.env.note_reread()
        if not (target := where.target(self.text)):
            message = f"{{run}}: no page shows a run with claim {self.text!r}"
            return [], [self.inliner.reporter.warning(message, line=self.lineno)]
        link = nodes.reference("", where.place(self.text), refuri=target, classes=["run"])
        return [link], []


class LedgerDirective(SphinxDirective):
    required_arguments = 1
    option_spec = {}  # noqa: RUF012 (docutils declares it so)

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

    def _list(self, entries: Any, where: Runs) -> nodes.bullet_list:
        items = nodes.bullet_list(classes=["ledger-list"])
        for entry in entries:
            name = f"claim-{entry.id}"
            item = nodes.list_item("", ids=[name], names=[name])
            item += nodes.raw("", card_html(entry, where.files, where.link), format="html")
            self.state.document.note_explicit_target(item)
            items += item
        return items


def keep_off_other_pages(app: Sphinx, config: Config) -> None:
    """Jupyter Book lists whatever it finds below `_static`; ours is added by `add_to_page`."""
    for setting in ("html_js_files", "html_css_files"):
        files = getattr(config, setting)
        files[:] = [
            one
            for one in files
            if not (one if isinstance(one, str) else one[0]).startswith("ledger/")
        ]


def copy_assets(app: Sphinx) -> None:
    if app.builder.format == "html":
        shutil.copytree(ASSETS, Path(app.outdir) / "_static" / "ledger", dirs_exist_ok=True)


def add_to_page(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if 'class="ledger-card' in context.get("body", ""):
        app.add_css_file("ledger/ledger.css")
        app.add_js_file("ledger/ledger.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("ledger", LedgerDirective)
    app.add_role("run", RunRole())
    app.connect("config-inited", keep_off_other_pages, priority=100)
    app.connect("builder-inited", copy_assets)
    app.connect("html-page-context", add_to_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
