"""The role `{run}` links a sentence to the run that shows it.

    A `def` route runs in a helper thread, forty at most ({run}`def-forty-inside`).

It takes the id of a `claim(...)` and becomes a link to its experiment: "lesson 1", "evidence 1" for
a script, or "SQLAlchemy 1". An id that no run has is a warning, and warnings stop the build.
"""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from ledger_entries import runs
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole
from sphinx.util.typing import ExtensionMetadata

from bench.course import COURSE, LABS, WITH_SQLALCHEMY, lesson_of


@cache
def runs_in(app: Sphinx) -> dict[str, Path]:
    """The runs as this build finds them: hundreds of links ask for them."""
    return runs()


@cache
def source_in(app: Sphinx, page: str) -> str:
    """What is written on a Markdown page, as this build finds it; nothing for other pages."""
    file = Path(app.env.doc2path(page))
    return file.read_text(encoding="utf-8") if file.suffix == ".md" else ""


class Runs:
    """Where the runs stand: {claim id: file}, and the pages of the book that show these files."""

    def __init__(self, env: BuildEnvironment, page: str) -> None:
        self.files = runs_in(env.app)
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
            page, anchor = f"notebooks/{file.stem}", section_of(f'"{name}"', file=file)
            if page not in self.env.found_docs:
                return ""
        else:
            if not (page := self._page_with(file)):
                return ""
            anchor = section_of(*ways_to_show(file), file=Path(self.env.doc2path(page)))
        return self.env.app.builder.get_relative_uri(self.page, page) + anchor

    def place(self, name: str) -> str:
        """Where the run stands, in two words: "lesson 1", "evidence 1", "a test"."""
        file = self.files[name]
        if file.suffix == ".md":
            return f"lesson {int(lesson_of(file))}"
        if file.parent == WITH_SQLALCHEMY:
            return f"SQLAlchemy {int(lesson_of(file))}"
        return f"evidence {int(lesson_of(file))}" if LABS in file.parents else "a test"

    def _page_with(self, script: Path) -> str:
        """The first page that shows that script, also if it is this one; empty if none does."""
        ways = [f"{way}\n" for way in ways_to_show(script)]
        for page in sorted(self.env.found_docs):
            if any(way in source_in(self.env.app, page) for way in ways):
                return page
        return ""


def ways_to_show(script: Path) -> tuple[str, ...]:
    """How the line ends by which a page shows a script: by its file, or as a live cell."""
    name = script.relative_to(COURSE).as_posix()
    return f"/{name}", f"{{live-script}} {script.parent.name}/{script.stem}"


def section_of(*wanted: str, file: Path) -> str:
    """`#anchor` of the heading above the fence that holds what is wanted; empty without one.

    Inside a fence, what looks like a heading is a comment of the code.
    """
    anchor, fence = "", False
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fence = not fence
        elif not fence and (heading := re.match(r"##+ (.+)", line)):
            anchor = "#" + nodes.make_id(heading[1])
        if fence and any(one in line for one in wanted):
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


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_role("run", RunRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
